/** Runs many histories on a store, until so many steps are done. */
import fc from "fast-check";
import type { Clock } from "@sojourn/core";
import type { StoreKind } from "../scenarios/stores.ts";
import { History } from "./history.ts";
import { history as historyOf } from "./steps.ts";
import type { Step } from "./steps.ts";
import type { Fault, Ground } from "./system.ts";

/** The first seed; others by the environment variable. */
export const SEED = Number(process.env["HISTORY_SEED"] ?? 1);
/** The most steps of one history. */
const LONGEST = 400;
/** Histories on one place. */
const ROUND = 25;
/** How long a shorter history is looked for, in ms. */
const SHRINK_FOR = 20_000;

/** What is run. */
export interface Runs {
  readonly kind: StoreKind;
  readonly seed: number;
  readonly steps: number;
  /** The system is looked at after so many steps; the whole of its store after so many. */
  readonly lookEvery: number;
  readonly scanEvery: number;
  readonly fault?: () => Fault;
  /** Stop at a failure, without looking for a shorter history. */
  readonly isQuick?: boolean;
}

/** What came of it. `failure`: the report of fast-check, with seed and path, or null. */
export interface Outcome {
  readonly steps: number;
  readonly histories: number;
  readonly failure: string | null;
}

/** Runs histories; `seed`, `seed + 1` … each for a round. */
export async function runHistories(runs: Runs): Promise<Outcome> {
  let steps = 0;
  let histories = 0;
  let hasFailed = false;
  let shrinkUntil = 0;
  let nextScan = 0;
  for (let round = 0; steps < runs.steps; round += 1) {
    const ground = await open(runs.kind);
    try {
      const result = await fc.check(
        fc.asyncProperty(historyOf(LONGEST), async (all) => {
          if (steps >= runs.steps && !hasFailed) return;
          if (hasFailed && performance.now() > shrinkUntil) return;
          histories += 1;
          const history = new History({
            ground,
            namespace: `h${histories}`,
            lookEvery: runs.lookEvery,
            isScanDue: () => {
              if (steps < nextScan && !hasFailed) return false;
              nextScan = steps + runs.scanEvery;
              return true;
            },
            onStep: () => {
              if (!hasFailed) steps += 1;
            },
            ...(runs.fault ? { fault: runs.fault() } : {}),
          });
          await history.run(all).catch((error: unknown) => {
            if (!hasFailed) shrinkUntil = performance.now() + SHRINK_FOR;
            hasFailed = true;
            throw error;
          });
        }),
        {
          seed: runs.seed + round,
          numRuns: ROUND,
          unbiased: true,
          endOnFailure: runs.isQuick ?? false,
        },
      );
      if (result.failed) return { steps, histories, failure: report(result) };
    } finally {
      await ground.store.close();
      await ground.place.remove();
    }
  }
  return { steps, histories, failure: null };
}

/** What differed, then how to see it again. */
function report(result: fc.RunDetailsCommon<[Step[]]>): string {
  const reasons: string[] = [];
  for (let error = result.errorInstance; error instanceof Error; error = error.cause)
    reasons.push(error.message);
  const steps = JSON.stringify(result.counterexample?.[0], null, 1).replaceAll(/\n {2,}/g, " ");
  return [
    reasons.join("\n  because "),
    `after ${result.numRuns} histories of seed ${result.seed}, path ${result.counterexamplePath}; shrunk ${result.numShrinks} times:`,
    steps.slice(0, 8_000),
  ].join("\n");
}

async function open(kind: StoreKind): Promise<Ground> {
  const clock = new HistoryClock();
  const place = await kind.place(clock);
  return { place, survives: kind.survives, clock, store: await place.open() };
}

class HistoryClock implements Clock {
  #now = Date.UTC(2030, 0, 1);
  now = (): number => this.#now;
  advance(ms: number): void {
    this.#now += ms;
  }
}
