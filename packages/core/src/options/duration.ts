/** Durations: milliseconds, or strings such as `'30m'`; a bare small number is refused. */

/** Milliseconds (at least 1000) or `'<number><ms|s|m|h|d>'`, for example `'90s'` or `'1.5h'`. */
export type Duration = number | string;

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const PATTERN = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;

/** Longest duration accepted: 10 years. */
const LONGEST_MS: number = 3_650 * UNITS.d;

/** The duration in ms, or a sentence that says what is wrong with it. */
export function parseDuration(value: Duration): number | { readonly problem: string } {
  if (typeof value === "number") {
    if (!Number.isFinite(value) || value < 0)
      return { problem: "must not be negative or infinite" };
    if (value > 0 && value < 1_000) {
      return {
        problem: `${value} looks like seconds; write '${value}s', or '${value}ms' if you mean it`,
      };
    }
    return withinBounds(value);
  }
  const match = PATTERN.exec(value);
  if (!match) return { problem: "is not a duration; write for example '30m', '12h' or '90s'" };
  const [, amount, unit] = match as unknown as [string, string, keyof typeof UNITS];
  return withinBounds(Number(amount) * UNITS[unit]);
}

function withinBounds(ms: number): number | { readonly problem: string } {
  return ms > LONGEST_MS ? { problem: "is longer than 10 years" } : Math.round(ms);
}
