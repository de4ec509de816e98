/** Law 5: limits are exact under any concurrency. */
import assert from "node:assert/strict";
import type { Admission, OnLimit, Store, StoredRecord } from "@sojourn/core/store";
import type { Bench, Check } from "../case.ts";
import { createAll, ended, jitter, scattered, status } from "../expect.ts";
import { byKey, ending, handlesOf, IDLE, KIND, owner, record, rotated } from "../records.ts";

/** Lists the owner's records until `until` settles; the most that were alive at once. */
async function mostAlive(store: Store, user: string, until: Promise<unknown>): Promise<number> {
  let most = 0;
  const storm = { over: false };
  const settled = until.finally(() => {
    storm.over = true;
  });
  while (!storm.over) {
    most = Math.max(most, (await store.listOwner(KIND, owner(user))).length);
    await jitter();
  }
  await settled;
  return most;
}

async function stormOf50({ store, clock, race }: Bench, onLimit: OnLimit): Promise<void> {
  await race(20, async (round) => {
    const user = `${onLimit} ${round}`;
    const given = Array.from({ length: 50 }, () => record(clock, { user }));
    const admission = { max: 3, onLimit };
    const creates = scattered(given.map((each) => () => store.create(each, admission)));
    const most = await mostAlive(store, user, creates);
    assert.ok(most <= 3, `${most} were alive at once`);
    const outcomes = await creates;
    const survivors = handlesOf(await store.listOwner(KIND, owner(user)));
    assert.equal(survivors.length, 3);
    const created = outcomes.filter((outcome) => outcome.status === "created");
    assert.equal(created.length, onLimit === "reject" ? 3 : 50);
    const evicted = handlesOf(created.flatMap((outcome) => outcome.evicted));
    assert.equal(new Set(evicted).size, created.length - 3);
    assert.ok(survivors.every((handle) => !evicted.includes(handle)));
  });
}

const storms: readonly Check[] = (["evict-oldest", "evict-idle", "reject"] as const).map(
  (onLimit) => ({
    law: 5,
    name: `keeps a limit of 3 at every instant of 50 parallel creates with ${onLimit}, 20 rounds`,
    check: async (bench: Bench) => stormOf50(bench, onLimit),
  }),
);

/** Three sessions of ada: begun long ago but just used, in the middle, new but not used since. */
function three({ clock }: Bench): readonly [StoredRecord, StoredRecord, StoredRecord] {
  const now = clock.now();
  const at = (createdAgo: number, seenAgo: number): StoredRecord =>
    record(clock, { user: "ada", createdAt: now - createdAgo, seenAt: now - seenAgo });
  return [at(300, 1), at(200, 50), at(100, 100)];
}

async function evictionOf(bench: Bench, admission: Admission): Promise<number[]> {
  const given = three(bench);
  await createAll(bench.store, given);
  const next = record(bench.clock, { user: "ada" });
  const { evicted } = status(await bench.store.create(next, admission), "created");
  for (const tombstone of evicted) {
    const why = { why: "evicted", reason: "limit", successor: next.handle } as const;
    ended(tombstone, { ...why, at: bench.clock.now() });
    assert.deepEqual(await bench.store.read(byKey({ ...next, key: tombstone.key })), tombstone);
  }
  const handles = handlesOf(given);
  return evicted.map(({ handle }) => handles.indexOf(handle));
}

/** Cases of law 5. */
export const limits: readonly Check[] = [
  ...storms,
  {
    law: 5,
    name: "evict-oldest ends the smallest createdAt, as many as needed, oldest first",
    async check(bench) {
      assert.deepEqual(await evictionOf(bench, { max: 2, onLimit: "evict-oldest" }), [0, 1]);
    },
  },
  {
    law: 5,
    name: "evict-idle ends the smallest seenAt",
    async check(bench) {
      assert.deepEqual(await evictionOf(bench, { max: 3, onLimit: "evict-idle" }), [2]);
    },
  },
  {
    law: 5,
    name: "evict-idle goes by the last touch",
    async check(bench) {
      const { store, clock } = bench;
      const [first, second] = [record(clock, { user: "ada" }), record(clock, { user: "ada" })];
      await createAll(store, [first, second]);
      clock.advance(1_000);
      await store.touch(byKey(first), clock.now(), clock.now() + IDLE);
      const admission = { max: 2, onLimit: "evict-idle" } as const;
      const next = record(clock, { user: "ada" });
      const { evicted } = status(await store.create(next, admission), "created");
      assert.deepEqual(handlesOf(evicted), [second.handle]);
    },
  },
  {
    law: 5,
    name: "reject refuses with the number alive, and leaves no trace of the record",
    async check(bench) {
      const { store, clock } = bench;
      await createAll(store, three(bench));
      const next = record(clock, { user: "ada" });
      const outcome = await store.create(next, { max: 3, onLimit: "reject" });
      assert.deepEqual(outcome, { status: "refused", active: 3 });
      assert.equal(await store.read(byKey(next)), null);
      assert.equal((await store.count(KIND)).active, 3);
      status(await store.create(next, { max: 4, onLimit: "reject" }), "created");
    },
  },
  {
    law: 5,
    name: "does not count the expired: 3 that expired make room for 3 without an eviction",
    async check(bench) {
      const { store, clock } = bench;
      await createAll(store, three(bench));
      clock.advance(IDLE);
      for (const onLimit of ["reject", "evict-oldest", "evict-idle"] as const) {
        const outcome = await store.create(record(clock, { user: "ada" }), { max: 3, onLimit });
        assert.deepEqual(outcome, { status: "created", evicted: [] });
      }
      assert.equal((await store.listOwner(KIND, owner("ada"))).length, 3);
    },
  },
  {
    law: 5,
    name: "counts neither other owners nor other kinds",
    async check(bench) {
      const { store, clock } = bench;
      await createAll(store, [
        record(clock, { user: "bob" }),
        record(clock, { user: "ada", kind: "grant" }),
        record(clock),
      ]);
      const admission = { max: 1, onLimit: "reject" } as const;
      status(await store.create(record(clock, { user: "ada" }), admission), "created");
    },
  },
  {
    law: 5,
    name: "replace does not count the old record, and evicts others only",
    async check(bench) {
      const { store, clock } = bench;
      const given = three(bench);
      await createAll(store, given);
      const how = { expectedVersion: 1, ending: ending(clock, "rotated") };
      const next = rotated(given[0]);
      const exact = { ...how, admission: { max: 3, onLimit: "evict-oldest" } as const };
      assert.deepEqual(await store.replace(byKey(given[0]), next, exact), {
        status: "replaced",
        evicted: [],
      });
      const tight = { max: 1, onLimit: "evict-oldest" } as const;
      const last = { expectedVersion: 2, ending: how.ending, admission: tight };
      const { evicted } = status(await store.replace(byKey(next), rotated(next), last), "replaced");
      assert.deepEqual(handlesOf(evicted), handlesOf(given.slice(1)));
    },
  },
  {
    law: 5,
    name: "a login that is refused leaves the anonymous record alive",
    async check(bench) {
      const { store, clock } = bench;
      await createAll(store, three(bench));
      const anonymous = record(clock);
      await store.create(anonymous);
      const mine = record(clock, { user: "ada" });
      const admission = { max: 3, onLimit: "reject" } as const;
      const how = { expectedVersion: 1, ending: ending(clock, "rotated"), admission };
      assert.deepEqual(await store.replace(byKey(anonymous), mine, how), {
        status: "refused",
        active: 3,
      });
      assert.deepEqual({ ...(await store.read(byKey(anonymous))) }, anonymous);
      assert.equal(await store.read(byKey(mine)), null);
    },
  },
  {
    law: 5,
    name: "keeps a limit of 2 at every instant of 30 parallel logins, 20 rounds",
    async check({ store, clock, race }) {
      await race(20, async (round) => {
        const user = `login ${round}`;
        const visitors = Array.from({ length: 30 }, () => record(clock));
        await createAll(store, visitors);
        const admission = { max: 2, onLimit: "evict-oldest" } as const;
        const how = { expectedVersion: 1, ending: ending(clock, "rotated"), admission };
        const logins = scattered(
          visitors.map((each) => async () => {
            return store.replace(byKey(each), record(clock, { user }), how);
          }),
        );
        assert.ok((await mostAlive(store, user, logins)) <= 2);
        for (const outcome of await logins) status(outcome, "replaced");
        assert.equal((await store.listOwner(KIND, owner(user))).length, 2);
      });
    },
  },
];
