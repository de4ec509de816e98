/** Laws 2, 3, 7 and 10 across a restart, for stores that outlive their process. */
import assert from "node:assert/strict";
import type { DurableCheck } from "../case.ts";
import { alive, createAll, ended, rejects, scanned, status } from "../expect.ts";
import { byHandle, byKey, ending, handlesOf, IDLE, KIND, owner, record } from "../records.ts";
import { rotated } from "../records.ts";

export const durable: readonly DurableCheck[] = [
  {
    law: 7,
    name: "200 acknowledged records are there after close and open, every field as it was",
    async fill({ store, clock }) {
      const given = Array.from({ length: 200 }, (_, index) =>
        record(clock, { user: `user ${index % 50}`, payload: `ü,"\n${index}`, version: 3 }),
      );
      await createAll(store, given);
      const changed = given[0] ?? assert.fail();
      const change = { payload: "new", seenAt: clock.now() + 1, expiresAt: changed.expiresAt + 1 };
      await store.update(byKey(changed), change, 3);
      const expected = [{ ...changed, ...change, version: 4 }, ...given.slice(1)];
      return async (reopened) => {
        for (const each of expected) {
          assert.deepEqual({ ...alive(await reopened.read(byHandle(each))) }, each);
        }
        const { active, principals, lifetime } = await reopened.count(KIND);
        assert.deepEqual([active, principals], [200, 50]);
        assert.equal(lifetime?.created ?? 0, 0);
        assert.equal((await scanned(reopened, KIND)).length, 200);
        const mine = handlesOf(expected.filter((each) => each.owner === owner("user 7")));
        // All began at one instant, and were sent at once: they are listed in any order.
        const listed = handlesOf(await reopened.listOwner(KIND, owner("user 7")));
        assert.deepEqual(listed.toSorted(), mine.toSorted());
      };
    },
  },
  {
    law: 2,
    name: "what was ended, evicted, consumed or ended with all others stays so after a restart",
    async fill({ store, clock }) {
      const [ended1, taken, evicted, everyone] = [
        record(clock, { user: "ada" }),
        record(clock),
        record(clock, { user: "bob" }),
        record(clock, { kind: "old", user: "ada" }),
      ] as const;
      await createAll(store, [ended1, taken, evicted, everyone]);
      await store.end(byKey(ended1), ending(clock, "revoked", { reason: "stolen" }));
      await store.consume(byKey(taken));
      const next = record(clock, { user: "bob" });
      await store.create(next, { max: 1, onLimit: "evict-oldest" });
      await store.endAll("old", ending(clock, "revoked", { reason: "breach" }));
      const later = record(clock, { kind: "old", user: "ada" });
      await store.create(later);
      return async (reopened) => {
        ended(await reopened.read(byKey(ended1)), { why: "revoked", reason: "stolen" });
        assert.equal(await reopened.read(byKey(taken)), null);
        const limit = { why: "evicted", reason: "limit", successor: next.handle } as const;
        ended(await reopened.read(byHandle(evicted)), limit);
        ended(await reopened.read(byKey(everyone)), { why: "revoked", reason: "breach" });
        alive(await reopened.read(byKey(later)));
        for (const each of [ended1, evicted, everyone]) {
          assert.equal(await reopened.touch(byKey(each), clock.now(), clock.now() + IDLE), false);
          await rejects(reopened.create(each), "SOJOURN_RECORD_EXISTS");
        }
        assert.deepEqual(handlesOf(await scanned(reopened, "old")), [later.handle]);
      };
    },
  },
  {
    law: 10,
    name: "a grace time goes on after a restart and ends to the ms",
    async fill({ store, clock }) {
      const old = record(clock, { user: "ada" });
      await store.create(old);
      const next = rotated(old);
      const how = { expectedVersion: 1, ending: ending(clock, "rotated"), graceMs: 10_000 };
      status(await store.replace(byKey(old), next, how), "replaced");
      clock.advance(9_999);
      return async (reopened) => {
        assert.deepEqual({ ...alive(await reopened.read(byKey(old))) }, next);
        assert.deepEqual({ ...alive(await reopened.read(byHandle(old))) }, next);
        clock.advance(1);
        ended(await reopened.read(byKey(old)), { why: "rotated" });
      };
    },
  },
  {
    law: 10,
    name: "touches count after a restart, and a record that expired meanwhile is idle",
    async fill({ store, clock }) {
      const [kept, lost] = [record(clock, { user: "ada" }), record(clock, { user: "ada" })];
      await createAll(store, [kept, lost]);
      clock.advance(1_000);
      await store.touch(byKey(kept), clock.now(), clock.now() + IDLE);
      clock.advance(IDLE - 1_000);
      return async (reopened) => {
        ended(await reopened.read(byKey(lost)), { why: "idle", at: lost.expiresAt });
        assert.deepEqual(handlesOf(await reopened.listOwner(KIND, owner("ada"))), [kept.handle]);
        clock.advance(1_000);
        ended(await reopened.read(byKey(kept)), { why: "idle" });
      };
    },
  },
];
