/** Waits that end, all after the same time: one timer for all of them. */

/** So much earlier than asked a timer may wake, in ms. */
const EARLIEST = 1;

/** What waits. */
export interface Waiting {
  /** Called once, when it has waited too long. */
  tooLate(): void;
}

/** Those that wait, in the order in which they began, and so in the order in which they end. */
export class Deadlines {
  readonly #ms: number;
  readonly #dueAt = new Map<Waiting, number>();
  #timer: NodeJS.Timeout | null = null;

  constructor(ms: number) {
    this.#ms = ms;
  }

  /** Waits from now on. The process stays up meanwhile. */
  add(waiting: Waiting): void {
    this.#dueAt.set(waiting, performance.now() + this.#ms);
    this.#timer ??= this.#wakeIn(this.#ms);
  }

  /** Waits no longer. */
  remove(waiting: Waiting): void {
    this.#dueAt.delete(waiting);
    if (this.#dueAt.size > 0 || this.#timer === null) return;
    clearTimeout(this.#timer);
    this.#timer = null;
  }

  #wakeIn(ms: number): NodeJS.Timeout {
    return setTimeout(() => this.#look(), ms);
  }

  #look(): void {
    this.#timer = null;
    const now = performance.now();
    for (const [waiting, dueAt] of this.#dueAt) {
      if (dueAt - now >= EARLIEST) {
        this.#timer = this.#wakeIn(Math.ceil(dueAt - now));
        return;
      }
      this.#dueAt.delete(waiting);
      waiting.tooLate();
    }
  }
}
