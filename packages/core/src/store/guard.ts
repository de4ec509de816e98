/** Puts a deadline on every store call, turns every failure into a typed one, and spares a store that is away. */
import { NO_PLACE } from "../collections/bag.ts";
import { type ErrorCode, isSojournError, SojournError } from "../errors.ts";
import { checkAnswer } from "./answers.ts";
import type { Attempt, Breaker } from "./breaker.ts";
import type { Found, ReadOptions, Ref, Store } from "./contract.ts";
import { Deadlines, type Waiting } from "./deadlines.ts";
import { type Reader, takesAll } from "./reader.ts";

/** The calls of a store that are guarded. `scan` is not: it lasts as long as its reader wants. */
export type GuardedOperation = Exclude<
  {
    [Key in keyof Store]: NonNullable<Store[Key]> extends (
      ...args: never[]
    ) => Found | Promise<unknown>
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
  /** Rejects with SOJOURN_STORE_… */
  call<T>(
    operation: GuardedOperation,
    run: (store: Store) => T | Promise<T>,
    options?: CallOptions<T>,
  ): Promise<T>;
  /** As {@link call} of `read`; at once where the store has the answer at hand. */
  read(ref: Ref, how?: ReadOptions): Found | Promise<Found>;
  /** As {@link read}, and answers what `reader` makes of it: for each request, that is a promise less than by `then`. */
  readFor<T>(reader: Reader<Found, T>, ref: Ref, how?: ReadOptions): T | Promise<T>;
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
  readonly #guarded: Guarded;

  constructor(store: Store, parts: GuardParts, deadlines: Deadlines = new Deadlines()) {
    this.deadlineMs = parts.deadlineMs;
    this.#guarded = { ...parts, store, deadlines };
  }

  /** The same guard over another store: one breaker, one deadline. */
  over(store: Store): StoreGuard {
    return new StoreGuard(store, this.#guarded, this.#guarded.deadlines);
  }

  /**
   * Runs one store operation. A call that has not answered within the deadline rejects with
   * SOJOURN_STORE_TIMEOUT.
   * @throws SOJOURN_STORE_UNAVAILABLE for an error without a code of ours, and without asking the
   * store while the breaker is open; SOJOURN_STORE_CORRUPT for an answer that the contract does not allow
   */
  call<T>(
    operation: GuardedOperation,
    run: (store: Store) => T | Promise<T>,
    { undo, withinMs = this.deadlineMs }: CallOptions<T> = NO_OPTIONS,
  ): Promise<T> {
    const { store, breaker } = this.#guarded;
    const beganAt = performance.now();
    const parts = { operation, beganAt, withinMs, undo, reader: takesAll<T>() };
    const call = new GuardedCall(this.#guarded, parts);
    const waitMs = breaker.attempt(call);
    if (waitMs !== null) return Promise.reject(spared(store.name, operation, waitMs));
    try {
      return call.settledBy(run(store));
    } catch (cause) {
      return call.settledBy(Promise.reject(cause));
    }
  }

  /** As {@link call} of `read`. An answer that was at hand says nothing of a store that may be away. */
  read(ref: Ref, how?: ReadOptions): Found | Promise<Found> {
    return this.readFor(takesAll<Found>(), ref, how);
  }

  /** See {@link StoreCaller.readFor}. */
  readFor<T>(reader: Reader<Found, T>, ref: Ref, how?: ReadOptions): T | Promise<T> {
    const { store, breaker, deadlineMs: withinMs } = this.#guarded;
    if (breaker.isOpen)
      return this.call("read", () => store.read(ref, how)).then((found) => reader.answered(found));
    const beganAt = performance.now();
    let answer: Found | Promise<Found>;
    try {
      answer = store.read(ref, how);
    } catch (cause) {
      answer = Promise.reject(cause);
    }
    if (!isPromise(answer)) return this.#atHand(reader, answer, beganAt);
    const parts = { operation: "read", beganAt, withinMs, reader } as const;
    return new GuardedCall<Found, T>(this.#guarded, parts).settledBy(answer);
  }

  #atHand<T>(reader: Reader<Found, T>, answer: Found, beganAt: number): T | Promise<T> {
    const { store, onFailure, onCall } = this.#guarded;
    onCall?.("read", (performance.now() - beganAt) / 1_000);
    try {
      checkAnswer(store.name, "read", answer);
    } catch (error) {
      onFailure("read", "SOJOURN_STORE_CORRUPT");
      return Promise.reject(error);
    }
    return reader.answered(answer);
  }
}

const NO_OPTIONS = {};

/** What all calls of a guard share. */
interface Guarded extends GuardParts {
  readonly store: Store;
  readonly deadlines: Deadlines;
}

/** Also of another realm, or of a library's own kind. */
function isPromise<T>(answer: T | Promise<T>): answer is Promise<T> {
  return typeof answer === "object" && answer !== null && "then" in answer;
}

interface Call<A, T> {
  readonly operation: GuardedOperation;
  /** By `performance.now()`. */
  readonly beganAt: number;
  readonly withinMs: number;
  readonly undo?: CallOptions<A>["undo"];
  readonly reader: Reader<A, T>;
}

/** One call under way: settled by the store, or by its deadline. */
class GuardedCall<A, T> implements Waiting, Attempt {
  place: number = NO_PLACE;
  readonly dueAt: number;
  readonly beganAt: number;
  readonly #operation: GuardedOperation;
  readonly #undo: CallOptions<A>["undo"];
  readonly #reader: Reader<A, T>;
  readonly #guarded: Guarded;
  #resolve!: (told: T | Promise<T>) => void;
  #reject!: (error: unknown) => void;
  #isOver = false;

  constructor(guarded: Guarded, { operation, beganAt, withinMs, undo, reader }: Call<A, T>) {
    this.#guarded = guarded;
    this.#operation = operation;
    this.#undo = undo;
    this.#reader = reader;
    this.beganAt = beganAt;
    this.dueAt = beganAt + withinMs;
  }

  /** Waits for the store. A call is on the way of every request: this is one promise, where `race` and `await` make ten. */
  settledBy(answer: A | Promise<A>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#guarded.deadlines.add(this);
      Promise.resolve(answer).then(
        (told) => this.#answered(told),
        (cause: unknown) => this.#failed(cause),
      );
    });
  }

  tooLate(): void {
    const { store, breaker, deadlineMs } = this.#guarded;
    const error = timeout(deadlineMs, `${store.name}: ${this.#operation}`);
    breaker.failed(this, error.code);
    this.#end(error.code);
    this.#reject(error);
  }

  #answered(answer: A): void {
    if (this.#isOver) return void this.#takeBack(answer);
    const { store, breaker } = this.#guarded;
    try {
      checkAnswer(store.name, this.#operation, answer);
    } catch (error) {
      return this.#failed(error);
    }
    breaker.answered();
    this.#end(null);
    try {
      this.#resolve(this.#reader.answered(answer));
    } catch (error) {
      this.#reject(error);
    }
  }

  #failed(cause: unknown): void {
    if (this.#isOver) return this.#notTakenBack();
    const { store, breaker } = this.#guarded;
    const error = isSojournError(cause) ? cause : unavailable(store.name, this.#operation, cause);
    if (isAway(error)) breaker.failed(this, error.code);
    else breaker.answered();
    this.#end(error.code);
    this.#reject(error);
  }

  /** The answer came when nobody waited for it any more. */
  async #takeBack(late: A): Promise<void> {
    try {
      await this.#undo?.(this.#guarded.store, late);
    } catch {
      this.#notTakenBack();
    }
  }

  #notTakenBack(): void {
    if (this.#undo) this.#guarded.onFailure(`undo ${this.#operation}`, "SOJOURN_STORE_TIMEOUT");
  }

  #end(failure: ErrorCode | null): void {
    const { deadlines, onFailure, onCall } = this.#guarded;
    this.#isOver = true;
    deadlines.remove(this);
    if (failure !== null) onFailure(this.#operation, failure);
    onCall?.(this.#operation, (performance.now() - this.beganAt) / 1_000);
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
