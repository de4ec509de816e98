/** A map by tagged keys in many small parts: growing never rehashes more than a part. */

/** Parts of the map: one for each ASCII character that a tag may begin with. */
const PARTS = 128;

/** Like `Map`. Keys of one tag stay in order of insertion; the tags come in no order. */
export class ShardedMap<K extends string, V> {
  readonly #parts: (Map<K, V> | undefined)[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(key: K): V | undefined {
    return this.#parts[partOf(key)]?.get(key);
  }

  has(key: K): boolean {
    return this.#parts[partOf(key)]?.has(key) ?? false;
  }

  set(key: K, value: V): void {
    const part = (this.#parts[partOf(key)] ??= new Map<K, V>());
    const before = part.size;
    part.set(key, value);
    this.#size += part.size - before;
  }

  delete(key: K): void {
    if (this.#parts[partOf(key)]?.delete(key)) this.#size -= 1;
  }

  /** The values, step by step; complete for those that stay, and finite whatever is added. */
  *values(): Iterable<V> {
    for (let index = 0; index < PARTS; index += 1) {
      const part = this.#parts[index];
      if (part !== undefined) yield* atMost(part.values(), part.size);
    }
  }
}

/** The first `max` items, step by step. */
function* atMost<T>(items: Iterable<T>, max: number): Iterable<T> {
  let left = max;
  if (left <= 0) return;
  for (const item of items) {
    yield item;
    left -= 1;
    if (left === 0) return;
  }
}

function partOf(key: string): number {
  return key.charCodeAt(0) & (PARTS - 1);
}
