/** Puts a deadline on every store call, turns every failure into a typed one, and spares a store that is away. */
import { NO_PLACE } from "../collections/bag.ts";
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

  constructor(store: Store, parts: GuardParts, deadlines: Deadlines = new Deadlines()) {
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
      const call = { store, operation, attempt, undo, withinMs, resolve, reject };
      new GuardedCall<T>(call, this.#parts, this.#deadlines).run(run);
    });
  }
}

const NO_OPTIONS = {};

interface Call<T> {
  readonly store: Store;
  readonly operation: GuardedOperation;
  readonly attempt: Attempt;
  readonly undo: CallOptions<T>["undo"];
  readonly withinMs: number;
  readonly resolve: (answer: T) => void;
  readonly reject: (error: unknown) => void;
}

/** One call under way: settled by the store, or by its deadline. */
class GuardedCall<T> implements Waiting {
  place: number = NO_PLACE;
  readonly dueAt: number;
  readonly #call: Call<T>;
  readonly #parts: GuardParts;
  readonly #deadlines: Deadlines;
  #isOver = false;

  constructor(call: Call<T>, parts: GuardParts, deadlines: Deadlines) {
    this.#call = call;
    this.#parts = parts;
    this.#deadlines = deadlines;
    this.dueAt = performance.now() + call.withinMs;
  }

  run(run: (store: Store) => Promise<T>): void {
    this.#deadlines.add(this);
    try {
      Promise.resolve(run(this.#call.store)).then(
        (answer) => this.#answered(answer),
        (cause: unknown) => this.#failed(cause),
      );
    } catch (cause) {
      this.#failed(cause);
    }
  }

  tooLate(): void {
    const { store, operation, attempt, reject } = this.#call;
    const { breaker, deadlineMs } = this.#parts;
    const error = timeout(deadlineMs, `${store.name}: ${operation}`);
    breaker.failed(attempt, error.code);
    this.#end(error.code);
    reject(error);
  }

  #answered(answer: T): void {
    if (this.#isOver) return void this.#undo(answer);
    const { store, operation, resolve } = this.#call;
    try {
      checkAnswer(store.name, operation, answer);
    } catch (error) {
      return this.#failed(error);
    }
    this.#parts.breaker.answered();
    this.#end(null);
    resolve(answer);
  }

  #failed(cause: unknown): void {
    if (this.#isOver) return this.#notUndone();
    const { store, operation, attempt, reject } = this.#call;
    const { breaker } = this.#parts;
    const error = isSojournError(cause) ? cause : unavailable(store.name, operation, cause);
    if (isAway(error)) breaker.failed(attempt, error.code);
    else breaker.answered();
    this.#end(error.code);
    reject(error);
  }

  /** The answer came when nobody waited for it any more. */
  async #undo(late: T): Promise<void> {
    const { store, undo } = this.#call;
    try {
      await undo?.(store, late);
    } catch {
      this.#notUndone();
    }
  }

  #notUndone(): void {
    const { operation, undo } = this.#call;
    if (undo) this.#parts.onFailure(`undo ${operation}`, "SOJOURN_STORE_TIMEOUT");
  }

  #end(failure: ErrorCode | null): void {
    const { operation, withinMs } = this.#call;
    const { onFailure, onCall } = this.#parts;
    this.#isOver = true;
    this.#deadlines.remove(this);
    if (failure !== null) onFailure(operation, failure);
    onCall?.(operation, (performance.now() - this.dueAt + withinMs) / 1_000);
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
