/** What a law's case is given, and what the suite hands out. */
import type { Clock, Store } from "@sojourn/core/store";
import type { ManualClock } from "./clock.ts";

/** One case: rejects with an `AssertionError` when the store breaks the law. */
export interface ConformanceCase {
  /** Number of the law in the store contract. */
  readonly law: number;
  /** What the store does, as a sentence. */
  readonly name: string;
  /** Opens a store of its own, checks, closes it. */
  readonly run: () => Promise<void>;
}

/** How the suite gets at the store under test. */
export interface ConformanceOptions {
  /** For the names of the cases. */
  readonly name: string;
  /** A new, empty store that judges by this clock. The suite calls its `open` and `close`. */
  readonly open: (clock: Clock) => Promise<Store>;
  /**
   * Opens the data of a store that the suite has closed: for stores that outlive the process. The
   * durable cases run only with it.
   */
  readonly reopen?: (closed: Store, clock: Clock) => Promise<Store>;
  /** The most rounds of one race; default 200. Fewer for a store that is slow. */
  readonly maxRaces?: number;
}

/** A store and its clock, ready for one case. */
export interface Bench {
  readonly store: Store;
  readonly clock: ManualClock;
  /** Runs `round` `rounds` times, at most `maxRaces`. */
  readonly race: (rounds: number, round: (index: number) => Promise<void>) => Promise<void>;
}

/** A case before it is bound to a store. */
export interface Check {
  readonly law: number;
  readonly name: string;
  readonly check: (bench: Bench) => Promise<void>;
}

/** A case of a store that outlives its process. */
export interface DurableCheck {
  readonly law: number;
  readonly name: string;
  /** Fills the store; returns what must hold once it was closed and opened again. */
  readonly fill: (bench: Bench) => Promise<(reopened: Store) => Promise<void>>;
}
