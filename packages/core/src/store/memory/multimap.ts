/** A map from one to many, compact where the many is one. */

/** Keeps the values of a key in order of insertion; a single value costs no `Set`. */
export class MultiMap<K, V extends string> {
  readonly #values = new Map<K, V | Set<V>>();

  /** How many keys have values. */
  get size(): number {
    return this.#values.size;
  }

  keys(): MapIterator<K> {
    return this.#values.keys();
  }

  /** The values of a key; empty if there are none. */
  get(key: K): Iterable<V> {
    const found = this.#values.get(key);
    if (found === undefined) return [];
    return typeof found === "string" ? [found] : found;
  }

  /** How many values a key has. */
  count(key: K): number {
    const found = this.#values.get(key);
    if (found === undefined) return 0;
    return typeof found === "string" ? 1 : found.size;
  }

  /** Adds a value; true if it is the key's first. */
  add(key: K, value: V): boolean {
    const found = this.#values.get(key);
    if (found === undefined) this.#values.set(key, value);
    else if (typeof found !== "string") found.add(value);
    else if (found !== value) this.#values.set(key, new Set([found, value]));
    return found === undefined;
  }

  /** Removes a value; true if it was there. */
  remove(key: K, value: V): boolean {
    const found = this.#values.get(key);
    if (found === undefined) return false;
    if (typeof found === "string") return found === value && this.#values.delete(key);
    const removed = found.delete(value);
    if (found.size === 0) this.#values.delete(key);
    return removed;
  }
}
