/** What many measurements say together. */

/** The middle, and the middle of each half. */
export interface Spread {
  readonly median: number;
  readonly lower: number;
  readonly upper: number;
}

/** Median and quartiles, between values where they lie there. @param values at least one */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((one, other) => one - other);
  return {
    median: quantile(sorted, 0.5),
    lower: quantile(sorted, 0.25),
    upper: quantile(sorted, 0.75),
  };
}

/** The median. */
export const medianOf = (values: readonly number[]): number => spreadOf(values).median;

function quantile(sorted: readonly number[], share: number): number {
  const at = (sorted.length - 1) * share;
  const [below, above] = [
    sorted[Math.floor(at)] ?? Number.NaN,
    sorted[Math.ceil(at)] ?? Number.NaN,
  ];
  return below + (above - below) * (at - Math.floor(at));
}
