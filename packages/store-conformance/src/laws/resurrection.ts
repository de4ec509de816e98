/** Law 2: no write brings an ended or unknown record to life. */
import assert from "node:assert/strict";
import type { Ref, Store, StoredRecord } from "@sojourn/core/store";
import type { Bench, Check } from "../case.ts";
import { alive, ended, jitter, scanned, scattered, status } from "../expect.ts";
import { byHandle, byKey, ending, IDLE, KIND, owner, record, rotated } from "../records.ts";

/** Tries every write at `ref`; none may find a record to write to. */
async function everyWriteMisses({ store, clock }: Bench, ref: Ref, old: StoredRecord) {
  const expiresAt = clock.now() + IDLE;
  const change = { payload: "revived", seenAt: clock.now(), expiresAt };
  const replacement = { expectedVersion: old.version, ending: ending(clock, "rotated") };
  const successor = rotated(old, { expiresAt });
  for (const version of [old.version, 0, 1, 2]) {
    assert.equal((await store.update(ref, change, version)).status, "gone");
  }
  assert.equal(await store.touch(ref, clock.now(), expiresAt), false);
  assert.equal((await store.replace(ref, successor, replacement)).status, "gone");
  assert.equal(await store.end(ref, ending(clock, "logout")), null);
  assert.equal(await store.consume(ref), null);
  assert.equal(await store.read(byKey(successor)), null);
}

async function nobodyAlive(store: Store): Promise<void> {
  assert.deepEqual(await store.listOwner(KIND, owner("ada")), []);
  assert.deepEqual(await scanned(store, KIND), []);
  const { active, principals } = await store.count(KIND);
  assert.deepEqual({ active, principals }, { active: 0, principals: 0 });
}

type Way = readonly [string, (bench: Bench, record: StoredRecord) => Promise<unknown>];
const WAYS: readonly Way[] = [
  ["end", ({ store, clock }, r) => store.end(byKey(r), ending(clock, "logout"))],
  ["endOwner", ({ store, clock }) => store.endOwner(KIND, owner("ada"), ending(clock, "revoked"))],
  ["endAll", ({ store, clock }) => store.endAll(KIND, ending(clock, "revoked"))],
  ["consume", ({ store }, r) => store.consume(byKey(r))],
  ["expiry", async ({ clock }) => clock.advance(IDLE)],
];

const deaths: readonly Check[] = WAYS.map(([name, kill]) => ({
  law: 2,
  name: `writes nothing to a record after ${name}, by key or by handle`,
  async check(bench: Bench) {
    const given = record(bench.clock, { user: "ada" });
    await bench.store.create(given);
    await kill(bench, given);
    const before = await bench.store.read(byKey(given));
    await everyWriteMisses(bench, byKey(given), given);
    await everyWriteMisses(bench, byHandle(given), given);
    assert.deepEqual(await bench.store.read(byKey(given)), before);
    await nobodyAlive(bench.store);
  },
}));

const races: readonly Check[] = [
  {
    law: 2,
    name: "leaves a record ended when updates and touches race its end, 200 rounds",
    async check({ store, clock, race }) {
      await race(200, async () => {
        const given = record(clock, { user: "ada" });
        await store.create(given);
        const expiresAt = clock.now() + IDLE + 1;
        const change = { payload: "late", seenAt: clock.now(), expiresAt };
        await scattered<unknown>([
          () => store.update(byKey(given), change, 1),
          () => store.touch(byKey(given), clock.now(), expiresAt),
          () => store.end(byKey(given), ending(clock, "logout")),
          () => store.update(byHandle(given), change, 2),
        ]);
        ended(await store.read(byKey(given)), { why: "logout" });
        assert.deepEqual(await store.listOwner(KIND, given.owner ?? owner("")), []);
      });
    },
  },
  {
    law: 2,
    name: "gives a replace that races an end one outcome: ended first or replaced first, 100 rounds",
    async check({ store, clock, race }) {
      await race(100, async () => {
        const old = record(clock, { user: "ada" });
        await store.create(old);
        const next = rotated(old);
        const how = { expectedVersion: 1, ending: ending(clock, "rotated") };
        const [replaced, tombstone] = await Promise.all([
          jitter().then(() => store.replace(byKey(old), next, how)),
          jitter().then(() => store.end(byKey(old), ending(clock, "logout"))),
        ]);
        const found = await store.read(byKey(next));
        if (replaced.status === "replaced") {
          assert.equal(tombstone, null);
          alive(found);
          ended(await store.read(byKey(old)), { why: "rotated" });
        } else {
          status(replaced, "gone");
          assert.equal(found, null);
          ended(tombstone, { why: "logout" });
        }
        await store.endOwner(KIND, owner("ada"), ending(clock, "revoked"));
      });
    },
  },
  {
    law: 2,
    name: "lets exactly 1 of 20 updates at the same version win, the others see its record",
    async check({ store, clock, race }) {
      await race(20, async () => {
        const given = record(clock);
        await store.create(given);
        const writers = Array.from({ length: 20 }, (_, index) => async () => {
          const { expiresAt } = given;
          const change = { payload: String(index), seenAt: clock.now(), expiresAt };
          return store.update(byKey(given), change, 1);
        });
        const outcomes = await scattered(writers);
        const winner = alive(await store.read(byKey(given)));
        assert.equal(winner.version, 2);
        assert.equal(outcomes.filter((o) => o.status === "updated").length, 1);
        for (const outcome of outcomes) {
          if (outcome.status === "updated") assert.deepEqual(outcome.record, winner);
          else assert.deepEqual(status(outcome, "conflict").record, winner);
        }
      });
    },
  },
  {
    law: 2,
    name: "lets exactly 1 of 20 replaces win; the old key is dead, 19 new ones are unknown",
    async check({ store, clock, race }) {
      await race(20, async () => {
        const old = record(clock, { user: "ada" });
        await store.create(old);
        const nexts = Array.from({ length: 20 }, () => rotated(old));
        const how = { expectedVersion: 1, ending: ending(clock, "rotated") };
        const tasks = nexts.map((next) => () => store.replace(byKey(old), next, how));
        const outcomes = await scattered(tasks);
        assert.equal(outcomes.filter((o) => o.status === "replaced").length, 1);
        const found = await Promise.all(nexts.map(async (next) => store.read(byKey(next))));
        assert.equal(found.filter((each) => each !== null).length, 1);
        assert.equal((await store.listOwner(KIND, owner("ada"))).length, 1);
        await store.endOwner(KIND, owner("ada"), ending(clock, "revoked"));
      });
    },
  },
  {
    law: 2,
    name: "loses no update to a replace that was made from an older version, 100 rounds",
    async check({ store, clock, race }) {
      await race(100, async () => {
        const old = record(clock);
        await store.create(old);
        const next = rotated(old);
        const change = { payload: "changed", seenAt: clock.now(), expiresAt: old.expiresAt };
        const how = { expectedVersion: 1, ending: ending(clock, "rotated") };
        const [updated, replaced] = await Promise.all([
          jitter().then(() => store.update(byKey(old), change, 1)),
          jitter().then(() => store.replace(byKey(old), next, how)),
        ]);
        if (updated.status === "updated") {
          assert.deepEqual(status(replaced, "conflict").record, updated.record);
          assert.deepEqual(await store.read(byHandle(old)), updated.record);
          assert.equal(await store.read(byKey(next)), null);
        } else {
          ended(status(updated, "gone").tombstone, { why: "rotated" });
          assert.deepEqual({ ...alive(await store.read(byHandle(old))) }, next);
        }
      });
    },
  },
  {
    law: 2,
    name: "answers an update, a touch and a replace of an unknown record with gone, false, gone",
    async check(bench) {
      const never = record(bench.clock, { user: "ada" });
      await everyWriteMisses(bench, byKey(never), never);
      await everyWriteMisses(bench, byHandle(never), never);
      assert.equal(await bench.store.read(byKey(never)), null);
      await nobodyAlive(bench.store);
    },
  },
  {
    law: 2,
    name: "keeps the first ending when a second one comes",
    async check({ store, clock }) {
      const given = record(clock, { user: "ada" });
      await store.create(given);
      const first = ending(clock, "revoked", { reason: "stolen" });
      await store.end(byKey(given), first);
      clock.advance(5);
      assert.equal(await store.end(byHandle(given), ending(clock, "logout")), null);
      assert.equal(await store.endOwner(KIND, owner("ada"), ending(clock, "logout")), 0);
      await store.endAll(KIND, ending(clock, "logout"));
      assert.deepEqual({ ...ended(await store.read(byKey(given)), {}).ending }, first);
    },
  },
];

/** Cases of law 2. */
export const resurrection: readonly Check[] = [...deaths, ...races];
