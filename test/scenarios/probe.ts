/** Stands between a manager and its real store: counts the calls, and lets a test hold or fail them. */
import { setImmediate as turn } from "node:timers/promises";
import type { Store } from "@sojourn/core";

/** What a probe does around a call; `call` is the real one. */
export type Around = (operation: string, call: () => Promise<unknown>) => Promise<unknown>;

const UNWATCHED = new Set(["open", "scan", "flush", "close"]);

/** A watched store. */
export class Probe {
  /** What the manager is given. */
  readonly store: Store;
  /** Names of the calls so far. */
  calls: string[] = [];
  /** Replace it to hold, fail or watch calls. */
  around: Around = (_operation, call) => call();
  /** The store itself; another one after a restart. */
  inner: Store;

  constructor(inner: Store) {
    this.inner = inner;
    this.store = new Proxy(inner, {
      get: (_target, name) => {
        const member: unknown = Reflect.get(this.inner, name);
        if (typeof member !== "function") return member;
        const run = (...args: unknown[]) => member.apply(this.inner, args) as Promise<unknown>;
        if (typeof name !== "string" || UNWATCHED.has(name)) return run;
        return (...args: unknown[]) => {
          this.calls.push(name);
          return this.around(name, () => run(...args));
        };
      },
    });
  }

  /** From now on each call comes late, by up to 3 turns of the event loop, so that calls overlap. */
  jitter(): void {
    this.around = async (_operation, call) => {
      for (let turns = Math.floor(Math.random() * 4); turns > 0; turns--) await turn();
      return call();
    };
  }

  /** The calls that `work` causes, by name. */
  async callsOf(work: () => Promise<unknown>): Promise<string[]> {
    this.calls = [];
    await work();
    return this.calls;
  }

  /** Holds the next call of that name: `reached` resolves when it waits, `release` lets it go on. */
  hold(operation: string, when: "before" | "after" = "before"): Held {
    const earlier = this.around;
    const reached = deferred();
    const released = deferred();
    this.around = async (name, call) => {
      if (name !== operation) return earlier(name, call);
      this.around = earlier;
      const result = when === "after" ? await call() : undefined;
      reached.resolve();
      await released.promise;
      return when === "after" ? result : call();
    };
    return { reached: reached.promise, release: released.resolve };
  }
}

/** See {@link Probe.hold}. */
export interface Held {
  readonly reached: Promise<void>;
  readonly release: () => void;
}

/** A promise and what resolves it. */
export function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
