/** Many of something. */

/** What `run` makes of each number below `count`. */
export function times<T>(count: number, run: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => run(index));
}
