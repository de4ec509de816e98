/** Law 10: a record is dead at `expiresAt`, whatever the sweeper does; grace ends to the ms. */
import assert from "node:assert/strict";
import type { Check } from "../case.ts";
import { alive, createAll, ended, status } from "../expect.ts";
import { ABSOLUTE, byHandle, byKey, ending, IDLE, KIND, owner, record } from "../records.ts";
import { rotated } from "../records.ts";

export const expiry: readonly Check[] = [
  {
    law: 10,
    name: "a record is alive 1 ms before expiresAt and idle from expiresAt on",
    async check({ store, clock }) {
      const given = record(clock, { user: "ada" });
      await store.create(given);
      clock.advance(IDLE - 1);
      assert.deepEqual({ ...alive(await store.read(byKey(given))) }, given);
      clock.advance(1);
      for (const ref of [byKey(given), byHandle(given)]) {
        const tombstone = ended(await store.read(ref), {
          why: "idle",
          at: given.expiresAt,
          seenAt: given.seenAt,
        });
        assert.equal(tombstone.owner, owner("ada"));
        assert.equal("payload" in tombstone, false);
      }
    },
  },
  {
    law: 10,
    name: "a record that ran into its absolute timeout says absolute, not idle",
    async check({ store, clock }) {
      const absoluteExpiresAt = clock.now() + 5_000;
      const given = record(clock, { absoluteExpiresAt, expiresAt: absoluteExpiresAt });
      await store.create(given);
      clock.advance(5_000);
      ended(await store.read(byKey(given)), { why: "absolute", at: absoluteExpiresAt });
    },
  },
  {
    law: 10,
    name: "create, update, touch and replace cap expiresAt at absoluteExpiresAt",
    async check({ store, clock }) {
      const cap = clock.now() + 5_000;
      const far = cap + 1_000_000;
      const lives = { absoluteExpiresAt: cap, expiresAt: far };
      const given = [record(clock, lives), record(clock, lives), record(clock, lives)] as const;
      await createAll(store, given);
      const [updated, touched, replaced] = given;
      const change = { payload: "", seenAt: clock.now(), expiresAt: far };
      const outcome = status(await store.update(byKey(updated), change, 1), "updated");
      assert.equal(outcome.record.expiresAt, cap);
      assert.equal(await store.touch(byKey(touched), clock.now(), far), true);
      const next = rotated(replaced);
      const how = { expectedVersion: 1, ending: ending(clock, "rotated") };
      status(await store.replace(byKey(replaced), next, how), "replaced");
      for (const each of [updated, touched, next]) {
        assert.equal(alive(await store.read(byKey(each))).expiresAt, cap);
      }
      clock.advance(5_000);
      for (const each of [updated, touched, next]) {
        ended(await store.read(byKey(each)), { why: "absolute", at: cap });
      }
    },
  },
  {
    law: 10,
    name: "touch moves seenAt and expiresAt forward only, and leaves version and payload",
    async check({ store, clock }) {
      const given = record(clock, { user: "ada", version: 4 });
      await store.create(given);
      clock.advance(100);
      const [seenAt, expiresAt] = [clock.now(), clock.now() + IDLE];
      assert.equal(await store.touch(byKey(given), seenAt, expiresAt), true);
      assert.equal(await store.touch(byHandle(given), seenAt - 50, expiresAt - 50), true);
      const expected = { ...given, seenAt, expiresAt };
      assert.deepEqual({ ...alive(await store.read(byKey(given))) }, expected);
      assert.equal(await store.touch(byKey(given), seenAt + 1, 0), true);
      assert.deepEqual(
        { ...alive(await store.read(byKey(given))) },
        { ...expected, seenAt: seenAt + 1 },
      );
    },
  },
  {
    law: 10,
    name: "an update moves seenAt and expiresAt forward only, and the record dies by the later one",
    async check({ store, clock }) {
      const [kept, later] = [record(clock), record(clock)];
      await createAll(store, [kept, later]);
      const at = (expiresAt: number) => ({ payload: "", seenAt: clock.now(), expiresAt });
      await store.update(byKey(kept), { ...at(clock.now() + 2_000), seenAt: kept.seenAt - 1 }, 1);
      await store.update(byKey(later), at(later.expiresAt + 2_000), 1);
      const { seenAt, expiresAt } = alive(await store.read(byKey(kept)));
      assert.deepEqual({ seenAt, expiresAt }, { seenAt: kept.seenAt, expiresAt: kept.expiresAt });
      clock.advance(IDLE);
      ended(await store.read(byKey(kept)), { why: "idle" });
      assert.equal((await store.count(KIND)).active, 1);
      clock.advance(2_000 - 1);
      alive(await store.read(byKey(later)));
    },
  },
  {
    law: 10,
    name: "an ending is remembered until 1 ms before the absolute timeout, then forgotten",
    async check({ store, clock }) {
      const [loggedOut, idle] = [record(clock), record(clock)];
      await createAll(store, [loggedOut, idle]);
      const tombstone = await store.end(byKey(loggedOut), ending(clock, "logout"));
      assert.equal(tombstone?.expiresAt, loggedOut.absoluteExpiresAt);
      clock.advance(ABSOLUTE - 1);
      ended(await store.read(byHandle(loggedOut)), { why: "logout" });
      ended(await store.read(byKey(idle)), { why: "idle" });
      clock.advance(1);
      for (const each of [loggedOut, idle]) assert.equal(await store.read(byKey(each)), null);
    },
  },
  {
    law: 10,
    name: "lifetime counts what was created and ended, the peak and the durations, if it is known",
    async check({ store, clock }) {
      const given = [record(clock), record(clock, { user: "ada" }), record(clock)] as const;
      await createAll(store, given);
      const since = (await store.count(KIND)).lifetime?.since;
      clock.advance(1_000);
      await store.end(byKey(given[0]), ending(clock, "logout"));
      clock.advance(IDLE - 1_000);
      await createAll(store, [record(clock), record(clock)]);
      const { active, lifetime } = await store.count(KIND);
      assert.equal(active, 2);
      if (lifetime === null) return;
      const durationMs = 1_000 + 2 * IDLE;
      assert.deepEqual(lifetime, { since, created: 5, ended: 3, peak: 3, durationMs });
    },
  },
];

/** Cases of the grace time of a replaced key. */
export const grace: readonly Check[] = [
  {
    law: 10,
    name: "an old key leads to the new record for graceMs to the ms, then it is rotated",
    async check({ store, clock }) {
      const old = record(clock, { user: "ada" });
      await store.create(old);
      const next = rotated(old);
      const why = ending(clock, "rotated");
      const how = { expectedVersion: 1, ending: why, graceMs: 10_000 };
      status(await store.replace(byKey(old), next, how), "replaced");
      for (const wait of [0, 9_999]) {
        clock.advance(wait);
        assert.deepEqual({ ...alive(await store.read(byKey(old))) }, next);
      }
      assert.equal((await store.listOwner(KIND, owner("ada"))).length, 1);
      clock.advance(1);
      const tombstone = ended(await store.read(byKey(old)), why);
      assert.equal(tombstone.expiresAt, old.expiresAt);
      assert.equal(await store.touch(byKey(old), clock.now(), clock.now() + IDLE), false);
    },
  },
  {
    law: 10,
    name: "without graceMs an old key is dead in the same instant",
    async check({ store, clock }) {
      const old = record(clock);
      await store.create(old);
      const how = { expectedVersion: 1, ending: ending(clock, "rotated") };
      await store.replace(byKey(old), rotated(old), how);
      ended(await store.read(byKey(old)), { why: "rotated" });
    },
  },
  {
    law: 10,
    name: "in the grace time update, touch, end and consume through the old key reach the new record",
    async check({ store, clock }) {
      const olds = [record(clock), record(clock)] as const;
      await createAll(store, olds);
      const nexts = [rotated(olds[0]), rotated(olds[1])] as const;
      const how = { expectedVersion: 1, ending: ending(clock, "rotated"), graceMs: 5_000 };
      await store.replace(byKey(olds[0]), nexts[0], how);
      await store.replace(byKey(olds[1]), nexts[1], how);
      clock.advance(4_999);
      const change = { payload: "through", seenAt: clock.now(), expiresAt: clock.now() + IDLE };
      const updated = status(await store.update(byKey(olds[0]), change, 2), "updated").record;
      assert.deepEqual({ ...updated }, { ...nexts[0], ...change, version: 3 });
      assert.equal(await store.touch(byKey(olds[0]), clock.now() + 1, 0), true);
      assert.equal(alive(await store.read(byKey(nexts[0]))).seenAt, clock.now() + 1);
      await store.end(byKey(olds[0]), ending(clock, "logout"));
      ended(await store.read(byKey(nexts[0])), { why: "logout" });
      assert.deepEqual({ ...(await store.consume(byKey(olds[1]))) }, nexts[1]);
      assert.equal(await store.read(byKey(nexts[1])), null);
    },
  },
  {
    law: 10,
    name: "in the grace time a replace through the old key gets the new record, and changes nothing",
    async check({ store, clock }) {
      const old = record(clock);
      await store.create(old);
      const next = rotated(old);
      const how = { expectedVersion: 1, ending: ending(clock, "rotated"), graceMs: 5_000 };
      await store.replace(byKey(old), next, how);
      const second = rotated(old);
      const moved = status(await store.replace(byKey(old), second, how), "moved");
      assert.deepEqual({ ...moved.record }, next);
      assert.equal(await store.read(byKey(second)), null);
      clock.advance(5_000);
      status(await store.replace(byKey(old), second, how), "gone");
    },
  },
  {
    law: 10,
    name: "follows 3 rotations within one grace time, each key by its own window",
    async check({ store, clock }) {
      const first = record(clock);
      await store.create(first);
      const chain = [first];
      for (let round = 0; round < 3; round += 1) {
        const current = chain.at(-1) ?? assert.fail();
        const next = rotated(current);
        const why = ending(clock, "rotated");
        const how = { expectedVersion: current.version, ending: why, graceMs: 10_000 };
        status(await store.replace(byKey(current), next, how), "replaced");
        chain.push(next);
        clock.advance(3_000);
      }
      const newest = chain[3] ?? assert.fail();
      for (const each of chain) {
        assert.deepEqual({ ...alive(await store.read(byKey(each))) }, newest);
      }
      clock.advance(1_000);
      ended(await store.read(byKey(first)), { why: "rotated" });
      assert.deepEqual({ ...alive(await store.read(byKey(chain[1] ?? assert.fail()))) }, newest);
    },
  },
  {
    law: 10,
    name: "a session that ended in the grace time is ended through its old key too",
    async check({ store, clock }) {
      const old = record(clock, { user: "ada" });
      await store.create(old);
      const how = { expectedVersion: 1, ending: ending(clock, "rotated"), graceMs: 10_000 };
      await store.replace(byKey(old), rotated(old), how);
      await store.endOwner(KIND, owner("ada"), ending(clock, "revoked"));
      ended(await store.read(byKey(old)), { why: "revoked" });
      assert.equal(await store.touch(byKey(old), clock.now(), clock.now() + IDLE), false);
      assert.equal(await store.consume(byKey(old)), null);
    },
  },
];
