/** Of many things those that were used last, in memory for no more than twice as many. */

/** Keeps the `most` with the latest `seenAt`. */
export class LastUsed<T extends { readonly seenAt: number }> {
  readonly #most: number;
  #kept: T[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  /** Takes one in; how many were left out for it and others. */
  add(item: T): number {
    const room = 2 * this.#most;
    return this.#kept.push(item) > room ? this.#prune() : 0;
  }

  /** Ends the choice; how many more were left out. */
  finish(): { readonly chosen: readonly T[]; readonly left: number } {
    const left = this.#prune();
    return { chosen: this.#kept, left };
  }

  #prune(): number {
    const before = this.#kept.length;
    this.#kept = this.#kept.toSorted((a, b) => b.seenAt - a.seenAt).slice(0, this.#most);
    return before - this.#kept.length;
  }
}
