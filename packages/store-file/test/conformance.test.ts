/** D-17, D-19, D-20: the file store keeps every law that the memory store keeps, and over restarts. */
import { dirname } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { conformance } from "@sojourn/store-conformance";
import type { Store } from "@sojourn/core/store";
import { namesIn, newPath, storeAt } from "./support/place.ts";
import { HOUR, HandClock, LOGOUT, START, ownerOf, recordOf, refOf } from "./support/records.ts";

const paths = new WeakMap<Store, string>();
const cases = conformance({
  name: "file",
  open: async (clock) => {
    const path = newPath();
    const store = storeAt(path, { clock });
    paths.set(store, path);
    return store;
  },
  reopen: async (closed, clock) => storeAt(paths.get(closed) ?? "", { clock }),
});

describe("D-20 the laws", () => {
  for (const { name, run } of cases) test(`D-20 ${name}`, run);
});

/** Counts a kind in every way that there is: 9 records each time. */
async function recount(of: Store, kind: string): Promise<void> {
  const alive = [];
  for await (const record of of.scan(kind)) alive.push(record);
  const { owners } = await of.owners(kind);
  expect(alive).toHaveLength(9);
  expect(await of.count(kind)).toMatchObject({ active: 9, principals: owners.length });
  expect(owners.reduce((sum, { active }) => sum + active, 0)).toBe(9);
  for (const { owner, active } of owners) {
    expect(await of.listOwner(kind, owner)).toHaveLength(active);
  }
}

test("D-17 cleaning removes every kind with its indexes, and the counts equal a recount", async () => {
  const clock = new HandClock();
  const path = newPath();
  const store = storeAt(path, { clock });
  for (const kind of ["session", "grant"]) {
    for (let serial = 0; serial < 30; serial += 1) {
      const expiresAt = START + (serial < 20 ? 1_000 : HOUR);
      await store.create(
        recordOf(`r${serial}`, { kind, expiresAt, owner: ownerOf(`u${serial % 4}`) }),
      );
    }
    await store.end(refOf("r25", kind), LOGOUT);
  }
  clock.advance(1_000);
  await recount(store, "session");
  await store.close();
  const again = storeAt(path, { clock });
  for (const kind of ["session", "grant"]) await recount(again, kind);
  expect(namesIn(dirname(path))).toHaveLength(2);
});

test("D-17 expired records are swept on a timer, in slices", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  try {
    const clock = new HandClock();
    const store = storeAt(newPath(), { clock, maxRecords: 10, sweepEvery: 1_000 });
    const grant = {
      kind: "grant",
      expiresAt: START + 1,
      absoluteExpiresAt: START + 1,
      owner: null,
    };
    for (let serial = 0; serial < 10; serial += 1)
      await store.create(recordOf(`r${serial}`, grant));
    clock.advance(48 * HOUR);
    await vi.advanceTimersByTimeAsync(2_000);
    for (let serial = 0; serial < 10; serial += 1) {
      expect(await store.read(refOf(`r${serial}`, "grant"))).toBeNull();
      await store.create(
        recordOf(`new${serial}`, {
          kind: "other",
          expiresAt: START + 96 * HOUR,
          absoluteExpiresAt: START + 96 * HOUR,
        }),
      );
    }
  } finally {
    vi.useRealTimers();
  }
});

test("D-19 counts per kind take the same time for 100 records and for 20,000", async () => {
  const store = storeAt(newPath(), { durability: "write" });
  const fill = async (from: number, to: number): Promise<void> => {
    const serials = Array.from({ length: to - from }, (_, index) => from + index);
    await Promise.all(
      serials.map((serial) => store.create(recordOf(`r${serial}`, { owner: null }))),
    );
  };
  const bestOf10 = async (): Promise<number> => {
    let best = Infinity;
    for (let round = 0; round < 10; round += 1) {
      const started = performance.now();
      for (let call = 0; call < 200; call += 1) await store.count("session");
      best = Math.min(best, performance.now() - started);
    }
    return best;
  };
  await fill(0, 100);
  const few = await bestOf10();
  await fill(100, 20_000);
  const many = await bestOf10();
  expect(await store.count("session")).toMatchObject({ active: 20_000 });
  expect(many).toBeLessThan(Math.max(few, 1) * 20);
});
