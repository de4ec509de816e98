/** Real stores with something in between: a counter, a gate, a fault. */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Store } from "../../src/store/contract.ts";

/** Runs in place of a store operation; `run` does what the store does. */
export type Interceptor = (operation: string, run: () => unknown) => unknown;

/** The same store, each operation passed through `intercept`. */
export function interceptStore(store: Store, intercept: Interceptor): Store {
  return new Proxy(store, {
    get(target, name, receiver) {
      const member: unknown = Reflect.get(target, name, receiver);
      if (typeof member !== "function" || name === "scan") return member;
      return (...given: unknown[]) =>
        intercept(String(name), () => Reflect.apply(member, target, given));
    },
  });
}

/** A store that remembers the names of the operations it was asked for. */
export function countingStore(store: Store): { store: Store; calls: string[] } {
  const calls: string[] = [];
  const counting = interceptStore(store, (operation, run) => {
    calls.push(operation);
    return run();
  });
  return { store: counting, calls };
}

/** A store that can be made to hold an operation back, before or after the store did it. */
export class Gate {
  readonly store: Store;
  readonly #held = new Map<string, "before" | "after">();
  readonly #waiting: { operation: string; release: () => void }[] = [];

  constructor(store: Store) {
    this.store = interceptStore(store, async (operation, run) => {
      const when = this.#held.get(operation);
      if (when === "before") await this.#wait(operation);
      const answer = await run();
      if (when === "after") await this.#wait(operation);
      return answer;
    });
  }

  /** Holds back every call of the operation from now on. */
  hold(operation: string, when: "before" | "after"): void {
    this.#held.set(operation, when);
  }

  /** Later calls of the operation pass. Those held stay held. */
  pass(operation: string): void {
    this.#held.delete(operation);
  }

  /** Resolves when so many calls of the operation are held. */
  async reached(operation: string, count: number = 1): Promise<void> {
    for (let turn = 0; turn < 1_000; turn++) {
      if (this.#waiting.filter((one) => one.operation === operation).length >= count) return;
      await nextTurn();
    }
    throw new Error(`no ${count} calls of ${operation} came to the gate`);
  }

  /** Lets every held call go on, and the later ones pass. */
  open(): void {
    this.#held.clear();
    for (const { release } of this.#waiting.splice(0)) release();
  }

  #wait(operation: string): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ operation, release: resolve });
    });
  }
}

/** Lets everything that is under way in memory come to its end. */
export async function settled(turns: number = 20): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await nextTurn();
}
