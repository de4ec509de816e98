/** Law 3: an index entry lives at least as long as its record, and a dead one is never returned. */
import assert from "node:assert/strict";
import type { StoredRecord } from "@sojourn/core/store";
import type { Check } from "../case.ts";
import { alive, createAll, ended, scanned, scattered, status } from "../expect.ts";
import { byHandle, byKey, ending, handlesOf, IDLE, KIND, owner, record } from "../records.ts";
import { rotated } from "../records.ts";

export const indexTruth: readonly Check[] = [
  {
    law: 3,
    name: "lists an owner's records in order of creation, whatever the order of writing",
    async check({ store, clock }) {
      const now = clock.now();
      const ages = [30, 10, 50, 20, 40];
      const given = ages.map((age) => record(clock, { user: "ada", createdAt: now - age }));
      await createAll(store, [...given, record(clock, { user: "bob" }), record(clock)]);
      const listed = await store.listOwner(KIND, owner("ada"));
      assert.deepEqual(
        listed.map(({ createdAt }) => now - createdAt),
        [50, 40, 30, 20, 10],
      );
    },
  },
  {
    law: 3,
    name: "drops a record from listOwner, owners, scan and count at the ms it expires, not before",
    async check({ store, clock }) {
      const short = record(clock, { user: "ada", expiresAt: clock.now() + 1_500 });
      const long = record(clock, { user: "bob" });
      await createAll(store, [short, long]);
      clock.advance(1_499);
      assert.equal((await store.listOwner(KIND, owner("ada"))).length, 1);
      assert.equal((await store.count(KIND)).principals, 2);
      clock.advance(1);
      assert.deepEqual(await store.listOwner(KIND, owner("ada")), []);
      assert.deepEqual((await store.owners(KIND)).owners, [{ owner: owner("bob"), active: 1 }]);
      assert.deepEqual(handlesOf(await scanned(store, KIND)), [long.handle]);
      const { active, principals } = await store.count(KIND);
      assert.deepEqual({ active, principals }, { active: 1, principals: 1 });
    },
  },
  {
    law: 3,
    name: "lists a record for as long as touches keep it alive, past its first deadline",
    async check({ store, clock }) {
      const given = record(clock, { user: "ada" });
      await createAll(store, [given, record(clock, { user: "ada" })]);
      for (let round = 0; round < 5; round += 1) {
        clock.advance(IDLE - 1);
        assert.equal(await store.touch(byKey(given), clock.now(), clock.now() + IDLE), true);
      }
      assert.deepEqual(handlesOf(await store.listOwner(KIND, owner("ada"))), [given.handle]);
    },
  },
  {
    law: 3,
    name: "endOwner ends every record of the owner whatever its timeout, and no other",
    async check({ store, clock }) {
      const now = clock.now();
      const lives = [1_000, 60_000, IDLE, 80_000_000];
      const make = (user: string): StoredRecord[] =>
        lives.map((life) => record(clock, { user, expiresAt: now + life }));
      const [adas, bobs] = [make("ada"), make("bob")];
      await createAll(store, [...adas, ...bobs, record(clock)]);
      clock.advance(1_000);
      const why = ending(clock, "revoked", { reason: "password changed" });
      assert.equal(await store.endOwner(KIND, owner("ada"), why), 3);
      for (const each of adas.slice(1)) ended(await store.read(byHandle(each)), why);
      ended(await store.read(byKey(adas[0] ?? assert.fail())), { why: "idle", at: now + 1_000 });
      assert.equal((await store.listOwner(KIND, owner("bob"))).length, 3);
      assert.equal((await store.count(KIND)).active, 4);
    },
  },
  {
    law: 3,
    name: "endOwner spares one handle, also after the session has been rotated",
    async check({ store, clock }) {
      const given = [1, 2, 3].map(() => record(clock, { user: "ada" }));
      await createAll(store, given);
      const spared = given[1] ?? assert.fail();
      const how = { expectedVersion: 1, ending: ending(clock, "rotated") };
      await store.replace(byKey(spared), rotated(spared), how);
      const why = ending(clock, "revoked");
      assert.equal(await store.endOwner(KIND, owner("ada"), why, spared.handle), 2);
      assert.deepEqual(handlesOf(await store.listOwner(KIND, owner("ada"))), [spared.handle]);
    },
  },
  {
    law: 3,
    name: "endOwner that races 30 creates leaves none that was acknowledged before it began",
    async check({ store, clock, race }) {
      await race(20, async (round) => {
        const user = `racer ${round}`;
        const before = Array.from({ length: 10 }, () => record(clock, { user }));
        await createAll(store, before);
        const during = Array.from({ length: 20 }, () => record(clock, { user }));
        await scattered<unknown>([
          ...during.map((each) => () => store.create(each)),
          () => store.endOwner(KIND, owner(user), ending(clock, "revoked")),
        ]);
        for (const each of before) ended(await store.read(byKey(each)), { why: "revoked" });
        for (const each of await store.listOwner(KIND, owner(user))) {
          assert.deepEqual(await store.read(byKey(each)), each);
        }
      });
    },
  },
  {
    law: 3,
    name: "endAll ends every record of its kind at once, spares later ones and other kinds",
    async check({ store, clock }) {
      const users = ["ada", "ada", "bob", undefined];
      const given = users.map((user) => record(clock, user === undefined ? {} : { user }));
      const other = record(clock, { kind: "grant", user: "ada" });
      const loggedOut = record(clock, { user: "ada" });
      await createAll(store, [...given, other, loggedOut]);
      await store.end(byKey(loggedOut), ending(clock, "logout"));
      const why = ending(clock, "revoked", { reason: "breach" });
      await store.endAll(KIND, why);
      assert.equal((await store.count(KIND)).active, 0);
      const later = record(clock, { user: "ada" });
      assert.deepEqual(await store.create(later, { max: 1, onLimit: "reject" }), {
        status: "created",
        evicted: [],
      });
      for (const each of given) {
        ended(await store.read(byKey(each)), why);
        ended(await store.read(byHandle(each)), why);
      }
      ended(await store.read(byKey(loggedOut)), { why: "logout" });
      alive(await store.read(byKey(other)));
      assert.deepEqual(handlesOf(await scanned(store, KIND)), [later.handle]);
      const { active, principals } = await store.count(KIND);
      assert.deepEqual({ active, principals }, { active: 1, principals: 1 });
    },
  },
  {
    law: 3,
    name: "a handle leads to the newest record through 5 rotations, and the old keys are dead",
    async check({ store, clock }) {
      let current = record(clock, { user: "ada" });
      await store.create(current);
      const keys = [byKey(current)];
      for (let round = 0; round < 5; round += 1) {
        const next = rotated(current, { payload: String(round) });
        const how = { expectedVersion: current.version, ending: ending(clock, "rotated") };
        status(await store.replace(byHandle(current), next, how), "replaced");
        current = next;
        keys.push(byKey(current));
      }
      assert.deepEqual({ ...alive(await store.read(byHandle(current))) }, current);
      for (const key of keys.slice(0, -1)) ended(await store.read(key), { why: "rotated" });
      assert.equal((await store.listOwner(KIND, owner("ada"))).length, 1);
    },
  },
  {
    law: 3,
    name: "a rotated session that endAll ended is ended by its handle too, also after more writes",
    async check({ store, clock }) {
      const old = record(clock, { user: "ada" });
      await store.create(old);
      const next = rotated(old);
      const how = { expectedVersion: 1, ending: ending(clock, "rotated") };
      status(await store.replace(byKey(old), next, how), "replaced");
      await store.endAll(KIND, ending(clock, "revoked"));
      await createAll(
        store,
        Array.from({ length: 10 }, () => record(clock, { user: "ada" })),
      );
      assert.equal(ended(await store.read(byHandle(old)), { why: "revoked" }).key, next.key);
      ended(await store.read(byKey(old)), { why: "rotated" });
    },
  },
  {
    law: 3,
    name: "a login moves a record from nobody to its owner, with a new handle",
    async check({ store, clock }) {
      const anonymous = record(clock);
      await store.create(anonymous);
      const mine = record(clock, { user: "ada", version: 9 });
      const why = ending(clock, "rotated", { successor: mine.handle });
      const how = { expectedVersion: 1, ending: why, graceMs: 10_000 };
      status(await store.replace(byKey(anonymous), mine, how), "replaced");
      ended(await store.read(byKey(anonymous)), why);
      ended(await store.read(byHandle(anonymous)), why);
      assert.deepEqual({ ...alive(await store.read(byHandle(mine))) }, mine);
      assert.deepEqual(handlesOf(await store.listOwner(KIND, owner("ada"))), [mine.handle]);
    },
  },
];
