/** A clock that stands still until a test turns it. */
import type { Clock } from "../../src/clock.ts";

/** A clock for tests. */
export interface FakeClock extends Clock {
  /** Moves time on by so many ms. */
  advance(ms: number): void;
}

/** A fake clock, at a fixed instant unless told otherwise. */
export function fakeClock(start: number = 1_800_000_000_000): FakeClock {
  let at = start;
  return {
    now: () => at,
    advance: (ms) => {
      at += ms;
    },
  };
}

export const SECOND = 1_000;
export const MINUTE: number = 60 * SECOND;
export const HOUR: number = 60 * MINUTE;
export const DAY: number = 24 * HOUR;
