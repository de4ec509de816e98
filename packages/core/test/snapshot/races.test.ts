/** Two exporters, or two importers, at once. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { StoredRecord } from "../../src/store/contract.ts";
import { memoryStore } from "../../src/store/memory/store.ts";
import { interceptStore } from "../support/intercept.ts";
import { world } from "../support/world.ts";
import { accountedFor, contents, exported, fill, imported, inOrder } from "./support.ts";

describe("[A-21] two at once", () => {
  test("[A-21] two importers of one snapshot, 50 runs: every record is there once, and each account adds up", async () => {
    const { store, sessions, clock } = world();
    const records = await fill(store, 60, (index) => ({ user: `u${index % 5}` }));
    const { bytes } = await exported(sessions);
    for (let run = 0; run < 50; run++) {
      const shared = memoryStore({ clock });
      const lag = interceptStore(shared, async (_, next) => {
        if (Math.random() < 0.3) await nextTurn();
        return next();
      });
      const [one, other] = [world({ clock, store: lag }), world({ clock, store: lag })];
      const results = await Promise.all([
        imported(one.sessions, bytes, { batchSize: 7 }),
        imported(other.sessions, bytes, { batchSize: 11 }),
      ]);
      expect(results.map(accountedFor)).toEqual([60, 60]);
      expect(await contents(shared)).toEqual(inOrder(records));
      expect(await one.sessions.list("u1")).toMatchObject({ items: { length: 12 } });
    }
  });

  test("[A-21] two exporters of one store, while it is used: each record once in each, 50 runs", async () => {
    const { store, sessions, clock } = world();
    await fill(store, 600);
    const other = world({ clock, store });
    for (let run = 0; run < 50; run++) {
      const both = await Promise.all([
        exported(sessions, { encrypt: false }),
        exported(other.sessions, { encrypt: false }),
        touchSome(store, clock.now() + run),
      ]);
      for (const { lines } of both.slice(0, 2) as { lines: string[] }[]) {
        const keys = lines.flatMap((line) => /"key":"([^"]+)"/.exec(line)?.[1] ?? []);
        expect(keys).toHaveLength(600);
        expect(new Set(keys).size).toBe(600);
      }
    }
  });
});

async function touchSome(store: ReturnType<typeof memoryStore>, seenAt: number): Promise<void> {
  const all: StoredRecord[] = await contents(store);
  for (const { kind, key, expiresAt } of all.slice(0, 100))
    await store.touch({ kind, key }, seenAt, expiresAt + 1);
}
