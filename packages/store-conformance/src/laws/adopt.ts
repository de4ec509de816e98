/** Law 2 for records that come from elsewhere: what was ended meanwhile stays ended. */
import assert from "node:assert/strict";
import { CLOCK_TOLERANCE } from "@sojourn/core/store";
import type { Clock, Ending, Store, StoredRecord } from "@sojourn/core/store";
import type { Bench, Check, DurableCheck } from "../case.ts";
import { alive, ended, rejects, scanned } from "../expect.ts";
import { byHandle, byKey, ending, KIND, owner, record } from "../records.ts";

const SECOND = 1_000;
const CREATED = { status: "created", evicted: [] } as const;

/** A record of so long ago. */
function made(clock: Clock, ago: number, fields: Parameters<typeof record>[1] = {}): StoredRecord {
  const at = clock.now() - ago;
  return record(clock, { createdAt: at, seenAt: at, ...fields });
}

/** An ending a minute ago. */
function revoked(clock: Clock): Ending {
  return ending(clock, "revoked", { at: clock.now() - 60 * SECOND, reason: "stolen" });
}

/** The record is refused, and not there. */
async function staysDead(store: Store, late: StoredRecord, why: Ending): Promise<void> {
  assert.deepEqual(await store.adopt(late), { status: "ended", ending: why });
  assert.equal(await store.read(byKey(late)), null);
  assert.equal(await store.read(byHandle(late)), null);
}

/** Cases of `adopt`. */
export const adoption: readonly Check[] = [
  {
    law: 2,
    name: "adopt creates, indexes and keeps every field where nothing was ended",
    async check({ store, clock }) {
      const mine = made(clock, 30 * SECOND, { user: "ada", version: 7 });
      assert.deepEqual(await store.adopt(mine), CREATED);
      assert.deepEqual({ ...alive(await store.read(byKey(mine))) }, mine);
      assert.equal((await store.listOwner(KIND, owner("ada"))).length, 1);
      const other = made(clock, 0, { user: "ada" });
      await rejects(store.adopt({ ...other, key: mine.key }), "SOJOURN_RECORD_EXISTS");
      await rejects(store.adopt({ ...other, handle: mine.handle }), "SOJOURN_RECORD_EXISTS");
    },
  },
  {
    law: 2,
    name: "adopt asked again answers present, and keeps what was written since",
    async check({ store, clock }) {
      const mine = made(clock, 30 * SECOND, { user: "ada" });
      await store.adopt(mine);
      await store.update(byKey(mine), { ...mine, payload: "written since" }, 1);
      const admission = { max: 1, onLimit: "evict-oldest" } as const;
      for (let again = 0; again < 3; again += 1) {
        assert.deepEqual(await store.adopt(mine, admission), { status: "present" });
      }
      const listed = await store.listOwner(KIND, owner("ada"));
      assert.deepEqual(
        listed.map(({ payload }) => payload),
        ["written since"],
      );
    },
  },
  {
    law: 2,
    name: "adopt refuses a record whose owner's sessions were ended since, and nobody else's",
    async check({ store, clock }) {
      await store.endOwner(KIND, owner("ada"), revoked(clock));
      await staysDead(store, made(clock, 90 * SECOND, { user: "ada" }), revoked(clock));
      assert.deepEqual(await store.adopt(made(clock, 90 * SECOND, { user: "bob" })), CREATED);
      assert.deepEqual(await store.adopt(made(clock, 90 * SECOND)), CREATED);
      const grant = made(clock, 90 * SECOND, { user: "ada", kind: "grant" });
      assert.deepEqual(await store.adopt(grant), CREATED);
    },
  },
  {
    law: 2,
    name: "adopt refuses a record of a kind that was ended since, nobody's too, and no other kind's",
    async check({ store, clock }) {
      await store.endAll(KIND, revoked(clock));
      await staysDead(store, made(clock, 90 * SECOND, { user: "ada" }), revoked(clock));
      await staysDead(store, made(clock, 90 * SECOND), revoked(clock));
      assert.deepEqual(await store.adopt(made(clock, 30 * SECOND, { user: "ada" })), CREATED);
      const grant = made(clock, 90 * SECOND, { user: "ada", kind: "grant" });
      assert.deepEqual(await store.adopt(grant), CREATED);
    },
  },
  {
    law: 2,
    name: "adopt allows for clocks that differ by 10 s, and not for more",
    async check({ store, clock }) {
      const why = revoked(clock);
      await store.endOwner(KIND, owner("ada"), why);
      const last = 60 * SECOND - CLOCK_TOLERANCE;
      await staysDead(store, made(clock, last, { user: "ada" }), why);
      assert.deepEqual(await store.adopt(made(clock, last - 1, { user: "ada" })), CREATED);
    },
  },
  {
    law: 2,
    name: "adopt goes by the latest of several endings, in whatever order they came",
    async check({ store, clock }) {
      const late = revoked(clock);
      const early = { ...late, at: late.at - 3_600 * SECOND };
      for (const why of [early, late, early]) await store.endOwner(KIND, owner("ada"), why);
      for (const why of [early, late, early]) await store.endAll("grant", why);
      await staysDead(store, made(clock, 90 * SECOND, { user: "ada" }), late);
      const grant = made(clock, 90 * SECOND, { kind: "grant" });
      assert.deepEqual(await store.adopt(grant), { status: "ended", ending: late });
    },
  },
  {
    law: 2,
    name: "adopt ends a record that came before it, but later than its owner's sessions were ended",
    async check({ store, clock }) {
      await store.endOwner(KIND, owner("ada"), revoked(clock));
      const mine = made(clock, 90 * SECOND, { user: "ada" });
      await store.create(mine);
      assert.deepEqual(await store.adopt(mine), { status: "ended", ending: revoked(clock) });
      ended(await store.read(byKey(mine)), { why: "revoked", reason: "stolen" });
    },
  },
  {
    law: 2,
    name: "adopt brings back nothing that was ended by itself",
    async check({ store, clock }) {
      const mine = made(clock, 30 * SECOND, { user: "ada" });
      await store.adopt(mine);
      await store.end(byKey(mine), ending(clock, "logout"));
      await rejects(store.adopt(mine), "SOJOURN_RECORD_EXISTS");
      ended(await store.read(byKey(mine)), { why: "logout" });
    },
  },
  {
    law: 5,
    name: "adopt keeps the limit: the oldest is evicted, or the record refused",
    async check({ store, clock }) {
      const first = made(clock, 30 * SECOND, { user: "ada" });
      const second = made(clock, 20 * SECOND, { user: "ada" });
      await store.create(first);
      const refused = await store.adopt(second, { max: 1, onLimit: "reject" });
      assert.deepEqual(refused, { status: "refused", active: 1 });
      const outcome = await store.adopt(second, { max: 1, onLimit: "evict-oldest" });
      assert.ok(outcome.status === "created");
      assert.deepEqual([outcome.evicted[0]?.handle], [first.handle]);
    },
  },
  {
    law: 3,
    name: "what is remembered of endings for adopt is in no list, count or scan",
    async check({ store, clock }) {
      await store.endOwner(KIND, owner("ada"), ending(clock, "revoked"));
      await store.endAll(KIND, ending(clock, "revoked"));
      assert.equal((await store.count(KIND)).active, 0);
      assert.deepEqual(await store.owners(KIND), { owners: [], cursor: null });
      assert.deepEqual(await store.listOwner(KIND, owner("ada")), []);
      assert.deepEqual(await scanned(store, KIND), []);
    },
  },
];

/** Cases of `adopt` for stores that outlive their process. */
export const durableAdoption: readonly DurableCheck[] = [
  {
    law: 2,
    name: "what was ended stays ended for adopt after the store was opened again",
    async fill({ store, clock }) {
      const why = revoked(clock);
      await store.endOwner(KIND, owner("ada"), why);
      await store.endAll("grant", why);
      return async (reopened) => {
        await staysDead(reopened, made(clock, 90 * SECOND, { user: "ada" }), why);
        await staysDead(reopened, made(clock, 90 * SECOND, { kind: "grant" }), why);
      };
    },
  },
];

/** Of sessions that each end all others of their owner, at the same instant, one is left. */
async function duel({ store, clock }: Bench, user: string): Promise<void> {
  const sessions = Array.from({ length: 5 }, () => record(clock, { user }));
  for (const each of sessions) await store.create(each);
  const why = ending(clock, "revoked");
  const counts = await Promise.all(
    sessions.map(({ handle }) => store.endOwner(KIND, owner(user), why, handle)),
  );
  const winners = sessions.filter((_, index) => counts[index] !== null);
  assert.deepEqual(
    (await store.listOwner(KIND, owner(user))).map(({ handle }) => handle),
    winners.map(({ handle }) => handle),
  );
  assert.deepEqual(
    counts.filter((count) => count !== null),
    [4],
  );
}

/** Cases of `endOwner` with a session to spare. */
export const sparing: readonly Check[] = [
  {
    law: 3,
    name: "endOwner ends nothing and answers null when the one to spare is over, unknown or another's",
    async check({ store, clock }) {
      const [mine, over, others] = [
        record(clock, { user: "ada" }),
        record(clock, { user: "ada" }),
        record(clock, { user: "bob" }),
      ];
      for (const each of [mine, over, others]) await store.create(each);
      await store.end(byKey(over), ending(clock, "logout"));
      const why = ending(clock, "revoked");
      for (const { handle } of [over, others, record(clock, { user: "ada" })]) {
        assert.equal(await store.endOwner(KIND, owner("ada"), why, handle), null);
      }
      alive(await store.read(byKey(mine)));
      assert.deepEqual(await store.adopt(made(clock, 60 * SECOND, { user: "ada" })), CREATED);
    },
  },
  {
    law: 3,
    name: "of sessions that end each other at once one is left, 20 rounds",
    check: async (bench) => bench.race(20, (round) => duel(bench, `user ${round}`)),
  },
];
