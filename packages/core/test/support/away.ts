/** A store that many processes share, and the line of one process to it, which can be cut. */
import { type Adopted, type Ending, isTombstone, type Store } from "../../src/store/contract.ts";
import { memoryStore } from "../../src/store/memory/store.ts";
import type { FakeClock } from "./clock.ts";
import { interceptStore } from "./intercept.ts";

/** A memory store with `adopt`, as a store behind a network has it. */
export function sharedStore(clock: FakeClock): Store {
  const inner = memoryStore({ clock });
  /** The latest ending of each owner, and of each kind: one that is repeated is none. */
  const ended = new Map<string, Ending>();
  const note = (what: string, ending: Ending): void => {
    if (ending.at >= (ended.get(what)?.at ?? 0)) ended.set(what, ending);
  };
  return {
    ...inner,
    async endOwner(kind, owner, ending, except) {
      note(`${kind} ${owner}`, ending);
      return inner.endOwner(kind, owner, ending, except);
    },
    async endAll(kind, ending) {
      note(kind, ending);
      return inner.endAll(kind, ending);
    },
    async adopt(record, admission): Promise<Adopted> {
      const { kind, key, handle, owner, createdAt } = record;
      for (const ending of [ended.get(kind), ended.get(`${kind} ${owner}`)])
        if (ending && ending.at >= createdAt) return { status: "ended", ending };
      const found = await inner.read({ kind, handle });
      if (found !== null && !isTombstone(found) && found.key === key)
        return { status: "created", evicted: [] };
      return inner.create(record, admission);
    },
  };
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
        this.#late.push(() => void run().then(resolve, reject));
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
