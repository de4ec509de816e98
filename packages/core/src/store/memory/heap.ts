/** The smallest of many numbers, fast. */

/** A binary min-heap of distinct numbers. */
export class MinHeap {
  readonly #items: number[] = [];
  readonly #queued = new Set<number>();

  get size(): number {
    return this.#items.length;
  }

  /** The smallest; Infinity when empty. */
  get min(): number {
    return this.#items[0] ?? Infinity;
  }

  /** Adds a number; nothing happens if it is there. */
  push(value: number): void {
    if (this.#queued.has(value)) return;
    this.#queued.add(value);
    let at = this.#items.push(value) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#at(parent) <= value) break;
      this.#items[at] = this.#at(parent);
      at = parent;
    }
    this.#items[at] = value;
  }

  /** Takes everything out. */
  clear(): void {
    this.#items.length = 0;
    this.#queued.clear();
  }

  /** Takes the smallest out. */
  pop(): number {
    const smallest = this.min;
    this.#queued.delete(smallest);
    const last = this.#items.pop();
    if (last !== undefined && this.#items.length > 0) this.#sink(last);
    return smallest;
  }

  #sink(value: number): void {
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (this.#at(child + 1) < this.#at(child)) child += 1;
      if (this.#at(child) >= value) break;
      this.#items[at] = this.#at(child);
      at = child;
    }
    this.#items[at] = value;
  }

  #at(index: number): number {
    return this.#items[index] ?? Infinity;
  }
}
