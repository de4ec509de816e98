/** The only source of time: everything asks a `Clock`, so that tests can turn it. */

/** An instant in Unix milliseconds. Names of instants end in `At`. */
export type UnixMs = number;

/** Tells the time. */
export interface Clock {
  /** The present instant in Unix milliseconds. */
  now(): UnixMs;
}

/** The machine's clock. */
export const systemClock: Clock = { now: () => Date.now() };
