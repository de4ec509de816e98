import { expect, test } from "vitest";
import { stores } from "../scenarios/stores.ts";
import { mutants, toyWith } from "./mutants.ts";
import { runHistories, SEED } from "./runs.ts";
import type { Runs } from "./runs.ts";

/** A fault must be found within so many steps. */
const BOUND = 30_000;
const memory = stores.find(({ name }) => name === "memory");

function on(
  fault: NonNullable<Runs["fault"]>,
): Pick<Runs, "kind" | "seed" | "lookEvery" | "scanEvery" | "fault"> {
  if (!memory) throw new Error("no memory store");
  return { kind: memory, seed: SEED, lookEvery: 4, scanEvery: 16, fault };
}

test("[X-01] the toy store without a fault does what the model says, in 5000 steps", async () => {
  const { steps, failure } = await runHistories({ ...on(() => toyWith(null)), steps: 5_000 });
  if (failure !== null) expect.fail(failure);
  expect(steps).toBeGreaterThanOrEqual(5_000);
});

test(
  `[X-01] each of ${mutants.length} seeded faults is found within ${BOUND} steps`,
  { timeout: 600_000 },
  async () => {
    const lines: string[] = [];
    const missed: string[] = [];
    for (const { name, what, fault } of mutants) {
      const { steps, failure } = await runHistories({ ...on(fault), steps: BOUND, isQuick: true });
      if (failure === null) missed.push(name);
      const verdict = failure === null ? "missed" : `step ${steps}`;
      lines.push(`${verdict.padEnd(12)} ${name.padEnd(26)} ${what}`);
    }
    console.log(`Found at (HISTORY_SEED=${SEED}):\n${lines.join("\n")}`);
    expect(missed).toEqual([]);
  },
);
