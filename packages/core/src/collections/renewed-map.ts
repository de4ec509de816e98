/** A map of what comes and goes with every request. */

/** So many are removed before it is renewed, and twice as many as it has. */
const FEWEST = 64;

/**
 * A `Map` that is put in place of itself now and then: the tables of one refer to each other, so that the
 * garbage collector would keep them all, with what was in them; see {@link Bag}.
 */
export class RenewedMap<K, V> {
  #entries = new Map<K, V>();
  #removed = 0;

  get size(): number {
    return this.#entries.size;
  }

  get(key: K): V | undefined {
    return this.#entries.get(key);
  }

  set(key: K, value: V): void {
    this.#entries.set(key, value);
  }

  delete(key: K): void {
    if (!this.#entries.delete(key)) return;
    this.#removed += 1;
    if (this.#removed < FEWEST + 2 * this.size) return;
    this.#entries = new Map(this.#entries);
    this.#removed = 0;
  }

  /** In the order in which they were set first. */
  keys(): MapIterator<K> {
    return this.#entries.keys();
  }

  /** In the same order. */
  values(): readonly V[] {
    return [...this.#entries.values()];
  }
}
