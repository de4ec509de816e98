/** Promises under way, for whoever has to wait for them in the end. */
import { Bag, type Bagged, NO_PLACE } from "./bag.ts";

interface Entry extends Bagged {
  readonly promise: Promise<unknown>;
}

/** Knows each promise until it is settled. */
export class Pending {
  readonly #entries = new Bag<Entry>();

  /** Answers the promise that was given. */
  add<T>(promise: Promise<T>): Promise<T> {
    const entry = { promise, place: NO_PLACE };
    const settled = (): void => this.#entries.remove(entry);
    this.#entries.add(entry);
    promise.then(settled, settled);
    return promise;
  }

  /** Resolves when all that are under way now are settled, however. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#entries.list().map(({ promise }) => promise));
  }
}
