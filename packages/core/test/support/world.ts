/** One manager with a fake clock and a memory store, everything that it tells, and browsers. */
import { createSessionManager } from "../../src/create.ts";
import { type ErrorCode, isSojournError, type SojournError } from "../../src/errors.ts";
import type { AnySessionEvent, SessionEvents } from "../../src/events.ts";
import type { Sessions } from "../../src/manager/types.ts";
import type { SessionOptions } from "../../src/options/types.ts";
import type { Pipeline } from "../../src/pipeline.ts";
import type { Store } from "../../src/store/contract.ts";
import { memoryStore } from "../../src/store/memory/store.ts";
import { Browser, type BrowserParts } from "./browser.ts";
import { type FakeClock, fakeClock } from "./clock.ts";

/** A secret that is long enough. */
export const SECRET = "a secret of the core's tests, long enough";

/** What {@link world} gives. */
export interface World {
  readonly clock: FakeClock;
  readonly store: Store;
  readonly sessions: Sessions;
  readonly pipeline: Pipeline;
  /** Every event so far. */
  readonly events: AnySessionEvent[];
  /** The events of one type so far. */
  told<Name extends keyof SessionEvents>(type: Name): SessionEvents[Name][];
  browser(more?: Partial<BrowserParts>): Browser;
}

/** Makes a manager; `clock` and `store` may be shared with another world. */
export function world(options: SessionOptions & { readonly clock?: FakeClock } = {}): World {
  const clock = options.clock ?? fakeClock();
  const store = options.store ?? memoryStore({ clock });
  const manager = createSessionManager({ secret: SECRET, logger: false, ...options, clock, store });
  const events: AnySessionEvent[] = [];
  manager.sessions.on("*", (event) => events.push(event));
  return {
    ...manager,
    clock,
    store,
    events,
    told: <Name extends keyof SessionEvents>(type: Name) =>
      events.filter((event): event is SessionEvents[Name] => event.type === type),
    browser: (more = {}) => new Browser({ pipeline: manager.pipeline, clock, ...more }),
  };
}

/** A world with a visitor who is logged in as `ada`. */
export async function loggedIn(
  options: Parameters<typeof world>[0] = {},
): Promise<World & { visitor: Browser }> {
  const made = world(options);
  const visitor = made.browser();
  await visitor.visit((session) => session.login("ada"));
  return { ...made, visitor };
}

/** The SojournError that the work fails with. */
export async function failure(work: unknown): Promise<SojournError> {
  try {
    await (typeof work === "function" ? (work as () => unknown)() : work);
  } catch (error) {
    if (isSojournError(error)) return error;
    throw error;
  }
  throw new Error("the work was to fail, but it did not");
}

/** The code of the SojournError that the work fails with. */
export async function failureCode(work: unknown): Promise<ErrorCode> {
  const { code } = await failure(work);
  return code;
}

/** The value, which must be there. */
export function must<T>(value: T | null | undefined): T {
  if (value === null || value === undefined) throw new Error("a value was expected here");
  return value;
}

/** Numbers from 0 on. */
export function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

/** Starts as many at once, and waits for all. */
export function parallel<T>(count: number, work: (index: number) => Promise<T>): Promise<T[]> {
  return Promise.all(range(count).map((index) => work(index)));
}

/** Everything that an iteration yields. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
