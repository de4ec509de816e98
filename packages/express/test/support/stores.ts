/** A real memory store whose answers a test can watch, hold back or refuse. */
import { memoryStore, SojournError } from "@sojourn/core";
import type { Store } from "@sojourn/core/store";

const WRITES = new Set(["create", "update", "touch", "replace", "end"]);
const CALLS = new Set([...WRITES, "read"]);

export interface WatchedStore {
  readonly store: Store;
  /** Names of the calls so far. */
  readonly calls: string[];
  /** Holds every write back from now on; `reached` resolves when the first one waits. */
  hold(): { reached: Promise<void>; release: () => void };
  /** Refuses these operations from now on. */
  refuse(operations: "writes" | "reads" | "nothing"): void;
}

export function watchedStore(): WatchedStore {
  const inner = memoryStore();
  const calls: string[] = [];
  let refused: "writes" | "reads" | "nothing" = "nothing";
  let gate: { opened: Promise<void>; reach: () => void } | null = null;

  const around = async (name: string, call: () => Promise<unknown>): Promise<unknown> => {
    calls.push(name);
    const isWrite = WRITES.has(name);
    if (refused === (isWrite ? "writes" : "reads")) {
      throw new SojournError("SOJOURN_STORE_UNAVAILABLE", "the test refused");
    }
    if (isWrite && gate) {
      gate.reach();
      await gate.opened;
    }
    return call();
  };
  const store = new Proxy(inner, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      const method = value as (...args: unknown[]) => Promise<unknown>;
      return (...args: unknown[]) =>
        CALLS.has(String(name))
          ? around(String(name), () => method.apply(target, args))
          : method.apply(target, args);
    },
  });
  return {
    store,
    calls,
    hold: () => {
      const opened = withResolvers();
      const reached = withResolvers();
      gate = { opened: opened.promise, reach: reached.resolve };
      return {
        reached: reached.promise,
        release: () => {
          gate = null;
          opened.resolve();
        },
      };
    },
    refuse: (operations) => void (refused = operations),
  };
}

export function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  const settled: { resolve?: () => void } = {};
  const promise = new Promise<void>((resolve) => (settled.resolve = resolve));
  return { promise, resolve: () => settled.resolve?.() };
}
