/** D-08: SIGKILL at 200 random moments. The file always opens, and holds everything acknowledged. */
import { dirname } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { RecordTable, isSojournError } from "@sojourn/core/store";
import { bundleProgram, run } from "./support/child.ts";
import { namesIn, newPath, storeAt } from "./support/place.ts";
import { HandClock, keyOf } from "./support/records.ts";
import { perform, randomFrom } from "./support/storm.ts";
import type { Operation } from "./support/storm.ts";

const KILLS = 200;
const WORKERS = 4;
const LANES = 4;

type Report = { lane: number } & ({ operation: Operation } | { done: true });

let program: Awaited<ReturnType<typeof bundleProgram>>;
beforeAll(async () => {
  program = await bundleProgram();
});
afterAll(() => program.remove());

interface Lane {
  readonly acknowledged: Operation[];
  under: Operation | null;
}

function lanesOf(lines: readonly string[]): Lane[] {
  const lanes = Array.from({ length: LANES }, (): Lane => ({ acknowledged: [], under: null }));
  for (const line of lines) {
    const report = JSON.parse(line) as Report;
    const lane = lanes[report.lane];
    if (!lane) throw new Error(`no lane ${report.lane}`);
    if ("operation" in report) lane.under = report.operation;
    else if (lane.under) {
      lane.acknowledged.push(lane.under);
      lane.under = null;
    }
  }
  return lanes;
}

/** What every key that a lane has used leads to after `operations`. */
async function expected(operations: readonly Operation[], keys: Set<string>): Promise<unknown[]> {
  const model = new RecordTable({ clock: new HandClock(), maxRecords: 1_000_000 });
  for (const operation of operations) {
    await perform(model, operation).catch((error: unknown) => {
      if (!isSojournError(error)) throw error;
    });
  }
  const kind = operations[0]?.kind ?? "none";
  return [...keys].map((key) => model.read({ kind, key: keyOf(key) }));
}

/** One life of a process and the check after its death; returns how much it had done. */
async function killOnce(seed: number): Promise<{ acknowledged: number; extra: number }> {
  const random = randomFrom(seed);
  const path = newPath();
  const durability = seed % 4 === 0 ? "write" : "fsync";
  const child = run(program.script, "storm", path, String(seed), String(LANES), durability);
  await child.printed(1 + Math.floor(random() * 600));
  await new Promise((resolve) => setTimeout(resolve, random() * 4));
  await child.kill();

  const store = storeAt(path, { onWarning: () => {} });
  await store.open();
  expect(namesIn(dirname(path)).filter((name) => name.includes(".tmp-"))).toEqual([]);
  let acknowledged = 0;
  let extra = 0;
  for (const lane of lanesOf(child.lines)) {
    const all = lane.under ? [...lane.acknowledged, lane.under] : lane.acknowledged;
    const kind = all[0]?.kind ?? "none";
    const keys = new Set(all.flatMap(({ name, next }) => [name, next]));
    const found: unknown[] = [];
    for (const key of keys) found.push(await store.read({ kind, key: keyOf(key) }));
    const without = await expected(lane.acknowledged, keys);
    const withLast = await expected(all, keys);
    acknowledged += lane.acknowledged.length;
    if (same(found, without)) continue;
    extra += 1;
    expect(found, `lane of seed ${seed}, as if its last operation was done`).toEqual(withLast);
  }
  await store.close();
  return { acknowledged, extra };
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

test(
  `D-08 T-FILE3 SIGKILL at ${KILLS} random moments loses nothing acknowledged`,
  { timeout: 180_000 },
  async () => {
    let next = 0;
    const totals = { acknowledged: 0, extra: 0 };
    const worker = async (): Promise<void> => {
      while (next < KILLS) {
        next += 1;
        const { acknowledged, extra } = await killOnce(next);
        totals.acknowledged += acknowledged;
        totals.extra += extra;
      }
    };
    await Promise.all(Array.from({ length: WORKERS }, worker));
    expect(totals.acknowledged).toBeGreaterThan(KILLS * 50);
    expect(totals.extra).toBeGreaterThan(0);
  },
);
