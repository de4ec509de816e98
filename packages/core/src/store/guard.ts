/** Puts a deadline on every store call and turns every failure into a typed one. */
import { type ErrorCode, isSojournError, SojournError } from "../errors.ts";
import type { Store } from "./contract.ts";

/** The calls of a store that are guarded. `scan` is not: it lasts as long as its reader wants. */
export type GuardedOperation = Exclude<
  {
    [Key in keyof Store]: NonNullable<Store[Key]> extends (...args: never[]) => Promise<unknown>
      ? Key
      : never;
  }[keyof Store],
  undefined
>;

/** Told of each failed call. */
export type OnStoreFailure = (operation: string, code: ErrorCode) => void;

/** How one call is guarded. */
export interface CallOptions<T> {
  /** Takes back what a call did that succeeded too late, and that nobody will use. */
  readonly undo?: (store: Store, late: T) => Promise<unknown>;
  /** Less than the whole deadline, in ms, where some of it is used up already. */
  readonly withinMs?: number;
}

/** Calls a store; see {@link StoreGuard.call}. */
export class StoreGuard {
  readonly #store: Store;
  readonly #deadlineMs: number;
  readonly #onFailure: OnStoreFailure;

  constructor(store: Store, deadlineMs: number, onFailure: OnStoreFailure) {
    this.#store = store;
    this.#deadlineMs = deadlineMs;
    this.#onFailure = onFailure;
  }

  /**
   * Runs one store operation. A call that has not answered within the deadline rejects with
   * SOJOURN_STORE_TIMEOUT.
   * @throws SOJOURN_STORE_UNAVAILABLE for an error without a code of ours
   */
  async call<T>(
    operation: GuardedOperation,
    run: (store: Store) => Promise<T>,
    { undo, withinMs = this.#deadlineMs }: CallOptions<T> = {},
  ): Promise<T> {
    const store = this.#store;
    const tooLate = timeout(this.#deadlineMs, `${store.name}: ${operation}`);
    const answer = Promise.resolve().then(() => run(store));
    try {
      return await withDeadline(answer, withinMs, tooLate);
    } catch (cause) {
      const error = isSojournError(cause) ? cause : unavailable(store.name, operation, cause);
      this.#onFailure(operation, error.code);
      if (undo && error.code === "SOJOURN_STORE_TIMEOUT") {
        answer
          .then((late) => undo(store, late))
          .catch(() => this.#onFailure(`undo ${operation}`, error.code));
      }
      throw error;
    }
  }

  get deadlineMs(): number {
    return this.#deadlineMs;
  }
}

function unavailable(name: string, operation: string, cause: unknown): SojournError {
  return new SojournError(
    "SOJOURN_STORE_UNAVAILABLE",
    `the ${name} store failed in '${operation}'; see the cause. The request was refused rather than served without its session`,
    { cause, details: { operation } },
  );
}

function timeout(deadlineMs: number, what: string): () => SojournError {
  return () =>
    new SojournError(
      "SOJOURN_STORE_TIMEOUT",
      `no answer from the store within ${deadlineMs} ms (${what}). Is it up and reachable? The option storeDeadline sets the time`,
    );
}

/** Rejects with `tooLate` when `answer` has not settled in time. */
export async function withDeadline<T>(
  answer: Promise<T>,
  withinMs: number,
  tooLate: () => SojournError,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeUp = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(tooLate()), withinMs);
  });
  try {
    return await Promise.race([answer, timeUp]);
  } finally {
    clearTimeout(timer);
  }
}
