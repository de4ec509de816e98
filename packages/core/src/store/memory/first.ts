/** The beginning of a sequence. */

/** The first `max` items, as they are now. */
export function first<T>(items: Iterable<T>, max: number): T[] {
  return [...atMost(items, max)];
}

/** The first `max` items, step by step. */
export function* atMost<T>(items: Iterable<T>, max: number): Iterable<T> {
  let left = max;
  if (left <= 0) return;
  for (const item of items) {
    yield item;
    left -= 1;
    if (left === 0) return;
  }
}
