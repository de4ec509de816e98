/** Puts a deadline on every store call, turns every failure into a typed one, and spares a store that is away. */
import { type ErrorCode, isSojournError, SojournError } from "../errors.ts";
import { checkAnswer } from "./answers.ts";
import type { Attempt, Breaker } from "./breaker.ts";
import type { Store } from "./contract.ts";
import { Deadlines, type Waiting } from "./deadlines.ts";

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
  readonly #deadlines: Deadlines;

  constructor(
    store: Store,
    parts: GuardParts,
    deadlines: Deadlines = new Deadlines(parts.deadlineMs),
  ) {
    this.deadlineMs = parts.deadlineMs;
    this.#store = store;
    this.#parts = parts;
    this.#deadlines = deadlines;
  }

  /** The same guard over another store: one breaker, one deadline. */
  over(store: Store): StoreGuard {
    return new StoreGuard(store, this.#parts, this.#deadlines);
  }

  /**
   * Runs one store operation. A call that has not answered within the deadline rejects with
   * SOJOURN_STORE_TIMEOUT.
   * @throws SOJOURN_STORE_UNAVAILABLE for an error without a code of ours, and without asking the
   * store while the breaker is open; SOJOURN_STORE_CORRUPT for an answer that the contract does not allow
   */
  call<T>(
    operation: GuardedOperation,
    run: (store: Store) => Promise<T>,
    { undo, withinMs = this.deadlineMs }: CallOptions<T> = NO_OPTIONS,
  ): Promise<T> {
    const store = this.#store;
    const attempt = this.#parts.breaker.attempt();
    if (typeof attempt === "number") return Promise.reject(spared(store.name, operation, attempt));
    // A store call is on the way of every request: this is one promise, where `race` and `await` make ten.
    return new Promise((resolve, reject) => {
      const parts = { ...this.#parts, store, operation, attempt, undo, resolve, reject };
      const deadlines = withinMs === this.deadlineMs ? this.#deadlines : new Deadlines(withinMs);
      new GuardedCall<T>(parts, deadlines).run(run);
    });
  }
}

const NO_OPTIONS = {};

interface CallParts<T> extends GuardParts {
  readonly store: Store;
  readonly operation: GuardedOperation;
  readonly attempt: Attempt;
  readonly undo: CallOptions<T>["undo"];
  readonly resolve: (answer: T) => void;
  readonly reject: (error: unknown) => void;
}

/** One call under way: settled by the store, or by its deadline. */
class GuardedCall<T> implements Waiting {
  readonly #parts: CallParts<T>;
  readonly #deadlines: Deadlines;
  readonly #beganAt = performance.now();
  #isOver = false;

  constructor(parts: CallParts<T>, deadlines: Deadlines) {
    this.#parts = parts;
    this.#deadlines = deadlines;
  }

  run(run: (store: Store) => Promise<T>): void {
    const { store } = this.#parts;
    this.#deadlines.add(this);
    try {
      Promise.resolve(run(store)).then(
        (answer) => this.#answered(answer),
        (cause: unknown) => this.#failed(cause),
      );
    } catch (cause) {
      this.#failed(cause);
    }
  }

  tooLate(): void {
    const { store, operation, breaker, attempt, deadlineMs, reject } = this.#parts;
    const error = timeout(deadlineMs, `${store.name}: ${operation}`);
    breaker.failed(attempt, error.code);
    this.#end(error.code);
    reject(error);
  }

  #answered(answer: T): void {
    if (this.#isOver) return this.#undo(answer);
    const { store, operation, breaker, resolve } = this.#parts;
    try {
      checkAnswer(store.name, operation, answer);
    } catch (error) {
      return this.#failed(error);
    }
    breaker.answered();
    this.#end(null);
    resolve(answer);
  }

  #failed(cause: unknown): void {
    if (this.#isOver) return this.#notUndone();
    const { store, operation, breaker, attempt, reject } = this.#parts;
    const error = isSojournError(cause) ? cause : unavailable(store.name, operation, cause);
    if (isAway(error)) breaker.failed(attempt, error.code);
    else breaker.answered();
    this.#end(error.code);
    reject(error);
  }

  /** The answer came when nobody waited for it any more. */
  #undo(late: T): void {
    const { store, undo } = this.#parts;
    undo?.(store, late).catch(() => this.#notUndone());
  }

  #notUndone(): void {
    const { operation, onFailure, undo } = this.#parts;
    if (undo) onFailure(`undo ${operation}`, "SOJOURN_STORE_TIMEOUT");
  }

  #end(failure: ErrorCode | null): void {
    const { operation, onFailure, onCall } = this.#parts;
    this.#isOver = true;
    this.#deadlines.remove(this);
    if (failure !== null) onFailure(operation, failure);
    onCall?.(operation, (performance.now() - this.#beganAt) / 1_000);
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

function timeout(deadlineMs: number, what: string): SojournError {
  return new SojournError(
    "SOJOURN_STORE_TIMEOUT",
    `no answer from the store within ${deadlineMs} ms (${what}). Is it up and reachable? The option storeDeadline sets the time`,
  );
}
