/** A store that many processes share, and the line of one process to it, which can be cut. */
import type { Store } from "../../src/store/contract.ts";
import { memoryStore } from "../../src/store/memory/store.ts";
import type { FakeClock } from "./clock.ts";
import { interceptStore } from "./intercept.ts";

/** The store behind the line. */
export function sharedStore(clock: FakeClock): Store {
  return memoryStore({ clock });
}

/** How a store is away; each call of these days ends so. */
export const AWAY = ["rejects", "hangs", "is late"] as const;
export type Away = (typeof AWAY)[number];

/**
 * One process's line to a store. `rejects`: refused connections; `hangs`: no answer ever, and nothing
 * done; `is late`: no answer, but all is done when the store is back, as after SIGSTOP.
 */
export class Line {
  readonly store: Store;
  /** The operations that the store was asked for while it was away. */
  readonly tried: string[] = [];
  #away: Away | null = null;
  #late: (() => void)[] = [];

  constructor(store: Store) {
    this.store = interceptStore(store, (operation, run) => {
      // The store itself is there for the others.
      if (operation === "close") return Promise.resolve();
      if (this.#away === null) return run();
      this.tried.push(operation);
      if (this.#away === "rejects") return Promise.reject(new Error("ECONNREFUSED"));
      if (this.#away === "hangs") return new Promise(() => {});
      return new Promise((resolve, reject) => {
        this.#late.push(() => void Promise.resolve(run()).then(resolve, reject));
      });
    });
  }

  cut(away: Away): void {
    this.#away = away;
  }

  /** The store is back. What was late is done, in order. */
  restore(): void {
    this.#away = null;
    for (const run of this.#late.splice(0)) run();
  }
}
