import { expect, test } from "vitest";
import { stores } from "../scenarios/stores.ts";
import { runHistories, SEED } from "./runs.ts";

/** Steps on each store, of 100,000 in all, and after how many its whole is read; a step on memory takes 0.2 ms. */
const SHARES: Record<string, { readonly share: number; readonly scanEvery: number }> = {
  memory: { share: 0.9, scanEvery: 16 },
  file: { share: 0.05, scanEvery: 16 },
  redis: { share: 0.03, scanEvery: 200 },
  "redis cluster": { share: 0.02, scanEvery: 200 },
  postgres: { share: 0.02, scanEvery: 200 },
};

const TOTAL = Number(process.env["HISTORY_STEPS"] ?? 100_000);

for (const kind of stores) {
  const { share, scanEvery } = SHARES[kind.name] ?? { share: 0.01, scanEvery: 200 };
  const steps = Math.ceil(TOTAL * share);

  test(
    `[X-01] G1 to G5 hold on ${kind.name} in ${steps} random steps of several browsers and nodes`,
    { timeout: 120_000 + TOTAL * 10 },
    async () => {
      const began = performance.now();
      const outcome = await runHistories({ kind, seed: SEED, steps, lookEvery: 4, scanEvery });
      const seconds = ((performance.now() - began) / 1_000).toFixed(1);
      console.log(
        `${outcome.steps} steps in ${outcome.histories} histories on ${kind.name}, HISTORY_SEED=${SEED}, ${seconds} s`,
      );
      if (outcome.failure !== null) expect.fail(outcome.failure);
      expect(outcome.steps).toBeGreaterThanOrEqual(steps);
    },
  );
}
