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
   * SOJOURN_STORE_TIMEOUT; what it did later stays unknown to this request.
   * @throws SOJOURN_STORE_UNAVAILABLE for an error without a code of ours
   */
  async call<T>(operation: GuardedOperation, run: (store: Store) => Promise<T>): Promise<T> {
    try {
      return await withDeadline(
        () => run(this.#store),
        this.#deadlineMs,
        `${this.#store.name}: ${operation}`,
      );
    } catch (cause) {
      const error = isSojournError(cause) ? cause : unavailable(this.#store.name, operation, cause);
      this.#onFailure(operation, error.code);
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

/** Rejects with SOJOURN_STORE_TIMEOUT when `run` has not settled in time. */
export function withDeadline<T>(
  run: () => Promise<T>,
  deadlineMs: number,
  what: string,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      const message = `no answer from the store within ${deadlineMs} ms (${what}). Is it up and reachable? The option storeDeadline sets the time`;
      reject(new SojournError("SOJOURN_STORE_TIMEOUT", message));
    }, deadlineMs);
    run()
      .then(resolve, reject)
      .finally(() => clearTimeout(timer));
  });
}
