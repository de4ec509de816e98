/** The circuit breaker: a store that does not answer is left alone for a while, then tried by one call. */
import type { ErrorCode } from "../errors.ts";

/** How a breaker decides. */
export interface BreakerOptions {
  /** So many failures in a row stop the calls. */
  readonly failures: number;
  /** Longest pause between two tries, in ms; the first is 100 ms, each further one twice as long. */
  readonly pauseMs: number;
}

/** Told when the calls stop and when they go on. */
export interface BreakerListener {
  down(code: ErrorCode): void;
  /** `downMs`: since the first of the failures. */
  up(downMs: number): void;
}

/** A call; one that may be made must report back. */
export interface Attempt {
  /** By the breaker's clock. */
  readonly beganAt: number;
}

const FIRST_PAUSE = 100;

/** See the top of the file. `null` options: never stops a call. */
export class Breaker {
  readonly #options: BreakerOptions | null;
  readonly #listener: BreakerListener;
  readonly #now: () => number;
  #failures = 0;
  #failingSince = 0;
  #pauseMs = FIRST_PAUSE;
  /** Instant of the next try; null: calls pass. */
  #retryAt: number | null = null;
  /** The try under way: there is one at a time, however long the store takes. */
  #trial: Attempt | null = null;

  constructor(
    options: BreakerOptions | null,
    listener: BreakerListener,
    now: () => number = () => performance.now(),
  ) {
    this.#options = options;
    this.#listener = listener;
    this.#now = now;
  }

  /** Whether calls are stopped, but for those that try. */
  get isOpen(): boolean {
    return this.#retryAt !== null;
  }

  /** Null: the call may be made; or a number: not now, perhaps in so many ms. */
  attempt(attempt: Attempt): number | null {
    const { beganAt } = attempt;
    if (this.#retryAt === null) return null;
    if (beganAt < this.#retryAt) return this.#retryAt - beganAt;
    if (this.#trial) return this.#pauseMs;
    this.#trial = attempt;
    return null;
  }

  /** The store has answered. */
  answered(): void {
    const wasDown = this.#retryAt !== null;
    this.#failures = 0;
    this.#retryAt = null;
    this.#trial = null;
    if (wasDown) this.#listener.up(this.#now() - this.#failingSince);
  }

  /** The store has not answered. Calls from before it was found to be down say nothing new. */
  failed(attempt: Attempt, code: ErrorCode): void {
    if (this.#options === null) return;
    if (this.#retryAt !== null) {
      if (attempt === this.#trial) this.#pause(Math.min(this.#pauseMs * 2, this.#options.pauseMs));
      return;
    }
    this.#failingSince = this.#failures === 0 ? attempt.beganAt : this.#failingSince;
    this.#failures++;
    if (this.#failures < this.#options.failures) return;
    this.#pause(FIRST_PAUSE);
    this.#listener.down(code);
  }

  #pause(ms: number): void {
    this.#trial = null;
    this.#pauseMs = ms;
    this.#retryAt = this.#now() + ms;
  }
}
