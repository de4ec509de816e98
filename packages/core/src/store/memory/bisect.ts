/** Where something ends that a sorted sequence begins with. */

/**
 * How many of the positions before `length` come before the first at which `holds` is false; where it was false once, it
 * must stay false. Looks at the binary logarithm of `length` of them.
 */
export function countLeading(length: number, holds: (index: number) => boolean): number {
  let from = 0;
  let to = length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (holds(middle)) from = middle + 1;
    else to = middle;
  }
  return from;
}
