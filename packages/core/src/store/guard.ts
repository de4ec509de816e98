/** Puts a deadline on every store call, turns every failure into a typed one, and spares a store that is away. */
import { type ErrorCode, isSojournError, SojournError } from "../errors.ts";
import { checkAnswer } from "./answers.ts";
import { withDeadline } from "./deadline.ts";
import type { Breaker } from "./breaker.ts";
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
type OnStoreFailure = (operation: string, code: ErrorCode) => void;

/** Runs store operations; what the lifecycle knows of a store. */
export interface StoreCaller {
  /** The longest wait for one call, in ms. */
  readonly deadlineMs: number;
  /** @throws SOJOURN_STORE_… */
  call<T>(
    operation: GuardedOperation,
    run: (store: Store) => Promise<T>,
    options?: CallOptions<T>,
  ): Promise<T>;
}

/** What a guard is made of. */
export interface GuardParts {
  readonly deadlineMs: number;
  readonly breaker: Breaker;
  readonly onFailure: OnStoreFailure;
  /** Told how long each call took. */
  readonly onCall?: ((operation: string, seconds: number) => void) | undefined;
}

/** How one call is guarded. */
export interface CallOptions<T> {
  /** Takes back what a call did that succeeded too late, and that nobody will use. */
  readonly undo?: (store: Store, late: T) => Promise<unknown>;
  /** Less than the whole deadline, in ms, where some of it is used up already. */
  readonly withinMs?: number;
}

/** True for the error of a store that is away: it gave no answer, or none in time. */
export function isAway(error: unknown): error is SojournError {
  return isSojournError(error) && AWAY.has(error.code);
}

const AWAY: ReadonlySet<ErrorCode> = new Set([
  "SOJOURN_STORE_UNAVAILABLE",
  "SOJOURN_STORE_TIMEOUT",
]);

/** Calls a store; see {@link StoreGuard.call}. */
export class StoreGuard implements StoreCaller {
  readonly deadlineMs: number;
  readonly #store: Store;
  readonly #parts: GuardParts;

  constructor(store: Store, parts: GuardParts) {
    this.deadlineMs = parts.deadlineMs;
    this.#store = store;
    this.#parts = parts;
  }

  /** The same guard over another store: one breaker, one deadline. */
  over(store: Store): StoreGuard {
    return new StoreGuard(store, this.#parts);
  }

  /**
   * Runs one store operation. A call that has not answered within the deadline rejects with
   * SOJOURN_STORE_TIMEOUT.
   * @throws SOJOURN_STORE_UNAVAILABLE for an error without a code of ours, and without asking the
   * store while the breaker is open; SOJOURN_STORE_CORRUPT for an answer that the contract does not allow
   */
  async call<T>(
    operation: GuardedOperation,
    run: (store: Store) => Promise<T>,
    { undo, withinMs = this.deadlineMs }: CallOptions<T> = {},
  ): Promise<T> {
    const store = this.#store;
    const { breaker, onFailure, onCall } = this.#parts;
    const attempt = breaker.attempt();
    if (typeof attempt === "number") throw spared(store.name, operation, attempt);
    const began = performance.now();
    const tooLate = timeout(this.deadlineMs, `${store.name}: ${operation}`);
    const answer = Promise.resolve().then(() => run(store));
    try {
      const result = await withDeadline(answer, withinMs, tooLate);
      checkAnswer(store.name, operation, result);
      breaker.answered();
      return result;
    } catch (cause) {
      const error = isSojournError(cause) ? cause : unavailable(store.name, operation, cause);
      if (isAway(error)) breaker.failed(attempt, error.code);
      else breaker.answered();
      onFailure(operation, error.code);
      if (undo && error.code === "SOJOURN_STORE_TIMEOUT") {
        answer
          .then((late) => undo(store, late))
          .catch(() => onFailure(`undo ${operation}`, error.code));
      }
      throw error;
    } finally {
      onCall?.(operation, (performance.now() - began) / 1_000);
    }
  }
}

function spared(name: string, operation: string, waitMs: number): SojournError {
  const retryInMs = Math.ceil(waitMs);
  return new SojournError(
    "SOJOURN_STORE_UNAVAILABLE",
    `the ${name} store was not asked to '${operation}': its last calls got no answer, and it is tried again in ${retryInMs} ms. See the earlier store-failed events; the option breaker sets when`,
    { details: { operation, retryInMs } },
  );
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
