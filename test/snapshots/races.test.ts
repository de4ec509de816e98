/** Several processes that export from, or import into, one store at once. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { createSessionManager } from "@sojourn/core";
import { describe, expect, test } from "vitest";
import { accountedFor, contents, fill } from "../../packages/core/test/snapshot/support.ts";
import { stores } from "../scenarios/stores.ts";
import { opened, restore, SECRET, snapshotOf } from "./places.ts";

const RUNS = 50;
const EACH = { timeout: 120_000 };

describe.for(stores)("[A-21] two at once, on the $name store", (kind) => {
  /** Another manager on the same store, as another process has it. */
  const beside = ({ store, clock }: Pick<Awaited<ReturnType<typeof opened>>, "store" | "clock">) =>
    createSessionManager({ secret: SECRET, logger: false, storeDeadline: "20s", store, clock });

  test(
    `[A-21] two exporters, ${RUNS} runs, while sessions are used: each record once in each`,
    EACH,
    async () => {
      const world = await opened(kind);
      const records = await fill(world.store, 60, (index) => ({ user: `u${index % 4}` }));
      const other = beside(world);
      const plain = { encrypt: false } as const;
      for (let run = 1; run <= RUNS; run++) {
        const [one, two] = await Promise.all([
          snapshotOf(world, plain),
          snapshotOf(other, plain),
          ...records
            .slice(0, 10)
            .map(({ kind: its, key, seenAt, expiresAt }) =>
              world.store.touch({ kind: its, key }, seenAt + run, expiresAt + run),
            ),
        ]);
        for (const snapshot of [one, two]) {
          const keys = [...snapshot.toString().matchAll(/"key":"([^"]+)"/g)].map(([, key]) => key);
          expect(keys.toSorted()).toEqual(records.map(({ key }) => key).toSorted());
        }
      }
    },
  );

  test(
    `[A-21] two importers of one snapshot, ${RUNS} runs: each record is restored once in sum, and each account adds up`,
    EACH,
    async () => {
      const world = await opened(kind);
      const other = beside(world);
      const { store, sessions } = world;
      for (let run = 0; run < RUNS; run++) {
        await fill(store, 24, (index) => ({ user: `u${index % 4}` }));
        const snapshot = await snapshotOf(world);
        const records = await contents(store);
        for (const { kind: its, key } of records) await store.consume({ kind: its, key });
        expect(await contents(store)).toEqual([]);
        const results = await Promise.all([
          restore(world, snapshot, { batchSize: 5 }),
          nextTurn().then(() => restore(other, snapshot, { batchSize: 7 })),
        ]);
        expect(results.map(accountedFor)).toEqual([24, 24]);
        expect(results.reduce((sum, { restored }) => sum + restored, 0)).toBe(24);
        expect(await contents(store)).toEqual(records);
        expect((await sessions.list("u1")).items).toHaveLength(6);
        for (const { kind: its, key } of records) await store.consume({ kind: its, key });
      }
    },
  );
});
