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

  constructor(
    options: BreakerOptions | null,
    listener: BreakerListener,
    now: () => number = () => performance.now(),
  ) {
    this.#options = options;
    this.#listener = listener;
    this.#now = now;
  }

  /** 0: the call may pass, and must report back. Else: ms until the next try. */
  wait(): number {
    if (this.#retryAt === null) return 0;
    const left = this.#retryAt - this.#now();
    if (left > 0) return left;
    this.#retryAt = this.#now() + this.#pauseMs;
    return 0;
  }

  /** The store has answered. */
  answered(): void {
    const wasDown = this.#retryAt !== null;
    this.#failures = 0;
    this.#retryAt = null;
    if (wasDown) this.#listener.up(this.#now() - this.#failingSince);
  }

  /** The store has not answered. */
  failed(code: ErrorCode): void {
    if (this.#options === null) return;
    if (this.#failures === 0) this.#failingSince = this.#now();
    this.#failures++;
    if (this.#failures < this.#options.failures) return;
    const wasUp = this.#retryAt === null;
    this.#pauseMs = wasUp ? FIRST_PAUSE : Math.min(this.#pauseMs * 2, this.#options.pauseMs);
    this.#retryAt = this.#now() + this.#pauseMs;
    if (wasUp) this.#listener.down(code);
  }
}
