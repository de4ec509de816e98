/** Waits that end at an instant of their own: one timer for all of them. */
import { Bag, type Bagged, NO_PLACE } from "../collections/bag.ts";

/** So much earlier than asked a timer may wake, in ms. */
const EARLIEST = 1;

/** What waits. */
export interface Waiting extends Bagged {
  /** Until when, by `performance.now()`. */
  readonly dueAt: number;
  /** Called once, when it has waited too long. */
  tooLate(): void;
}

/** Those that wait. */
export class Deadlines {
  readonly #waiting = new Bag<Waiting>();
  #timer: NodeJS.Timeout | undefined;
  #wakesAt = Infinity;

  /** Waits from now on. The process stays up meanwhile. */
  add(waiting: Waiting): void {
    this.#waiting.add(waiting);
    if (waiting.dueAt < this.#wakesAt) this.#wakeAt(waiting.dueAt);
  }

  /** Waits no longer. */
  remove(waiting: Waiting): void {
    this.#waiting.remove(waiting);
    if (this.#waiting.size > 0) return;
    clearTimeout(this.#timer);
    this.#wakesAt = Infinity;
  }

  #wakeAt(instant: number): void {
    clearTimeout(this.#timer);
    this.#wakesAt = instant;
    this.#timer = setTimeout(() => this.#look(), Math.ceil(instant - performance.now()));
  }

  #look(): void {
    this.#wakesAt = Infinity;
    const now = performance.now();
    let next = Infinity;
    for (const waiting of this.#waiting.list()) {
      if (waiting.place === NO_PLACE) continue;
      if (waiting.dueAt - now >= EARLIEST) next = Math.min(next, waiting.dueAt);
      else {
        this.#waiting.remove(waiting);
        waiting.tooLate();
      }
    }
    if (next < this.#wakesAt) this.#wakeAt(next);
  }
}
