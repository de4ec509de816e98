/** A clock that only moves when it is told to. */
import type { Clock, UnixMs } from "@sojourn/core/store";

/** A clock for tests. */
export interface ManualClock extends Clock {
  /** Moves forward by `ms`. */
  advance(ms: number): void;
}

/** A clock that stands still at `startAt` (default 2027-01-15T08:00:00Z) until it is advanced. */
export function manualClock(startAt: UnixMs = 1_800_000_000_000): ManualClock {
  let instant = startAt;
  return {
    now: () => instant,
    advance(ms) {
      instant += ms;
    },
  };
}
