/** How many inputs a fuzz test tries: 20,000, or `FUZZ_RUNS`; `FUZZ_SEED` repeats a run. */
import * as fc from "fast-check";
import { test } from "vitest";

const { FUZZ_RUNS, FUZZ_SEED } = process.env;
const RUNS = Number(FUZZ_RUNS ?? 20_000);
const SEED = Number(FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31));
const MS_PER_RUN = 20;

/** What a fuzz test may say beside its inputs and its property. */
export interface FuzzOptions {
  /** Only one in so many of the inputs, where each costs files. */
  readonly oneIn?: number;
}

/** A test that tries the property with many inputs; a long run prints its seed. */
export function fuzz<T>(
  name: string,
  inputs: () => fc.Arbitrary<T> | Promise<fc.Arbitrary<T>>,
  property: (input: T) => void | Promise<void>,
  { oneIn = 1 }: FuzzOptions = {},
): void {
  const numRuns = Math.ceil(RUNS / oneIn);
  test(name, { timeout: 60_000 + numRuns * MS_PER_RUN }, async () => {
    const began = performance.now();
    await fc.assert(
      fc.asyncProperty(await inputs(), async (input) => {
        await property(input);
      }),
      {
        numRuns,
        seed: SEED,
      },
    );
    if (FUZZ_RUNS === undefined) return;
    const seconds = ((performance.now() - began) / 1_000).toFixed(0);
    console.info(`${name}: ${numRuns} inputs in ${seconds} s, seed ${SEED}`);
  });
}
