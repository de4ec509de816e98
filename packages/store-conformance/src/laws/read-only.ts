/** Law 4: reads, lists and counts change nothing. */
import assert from "node:assert/strict";
import type { Store, StoredRecord } from "@sojourn/core/store";
import type { Check } from "../case.ts";
import { alive, createAll, scanned, scattered, status } from "../expect.ts";
import { byHandle, byKey, ending, IDLE, KIND, owner, record, rotated } from "../records.ts";

async function readThese(store: Store, records: readonly StoredRecord[]): Promise<void> {
  for (const each of records) {
    await store.read(byKey(each));
    await store.read(byHandle(each));
  }
  await store.listOwner(KIND, owner("ada"));
}

async function readEverything(store: Store): Promise<void> {
  await readThese(store, await scanned(store, KIND));
  await store.listOwner("no such kind", owner("ada"));
  await store.owners(KIND, null, 1);
  await store.count(KIND);
  await store.count("no such kind");
}

export const readOnly: readonly Check[] = [
  {
    law: 4,
    name: "100 rounds of read and listOwner, ten of them with owners, scan and count, leave every field as it was",
    async check({ store, clock }) {
      const given = [record(clock, { user: "ada" }), record(clock, { user: "ada" }), record(clock)];
      await createAll(store, given);
      for (let round = 0; round < 100; round += 1) {
        clock.advance(10);
        // On a server, a scan takes hundreds of times as long as a read.
        if (round % 10 === 0) await readEverything(store);
        else await readThese(store, given);
      }
      for (const each of given) assert.deepEqual({ ...alive(await store.read(byKey(each))) }, each);
    },
  },
  {
    law: 4,
    name: "reading prolongs no life: a record read every second dies at its deadline",
    async check({ store, clock }) {
      const given = record(clock, { user: "ada", expiresAt: clock.now() + 5_000 });
      await store.create(given);
      for (let second = 0; second < 4; second += 1) {
        clock.advance(1_000);
        await readEverything(store);
        alive(await store.read(byKey(given)));
      }
      clock.advance(1_000);
      assert.deepEqual(await store.listOwner(KIND, owner("ada")), []);
    },
  },
  {
    law: 4,
    name: "reading an ending does not change it, and counts nothing twice",
    async check({ store, clock }) {
      const [loggedOut, expired] = [record(clock), record(clock, { user: "ada" })];
      await createAll(store, [loggedOut, expired]);
      await store.end(byKey(loggedOut), ending(clock, "logout"));
      clock.advance(IDLE);
      const tombstones = [await store.read(byKey(loggedOut)), await store.read(byKey(expired))];
      const counts = await store.count(KIND);
      await readEverything(store);
      clock.advance(1_000);
      const again = [await store.read(byKey(loggedOut)), await store.read(byKey(expired))];
      assert.deepEqual(again, tombstones);
      assert.deepEqual(await store.count(KIND), counts);
    },
  },
  {
    law: 4,
    name: "a scan yields each of 1,000 records once while 300 are removed and 300 are added",
    async check({ store, clock }) {
      const given = Array.from({ length: 1_000 }, (_, i) => record(clock, { user: `u${i % 97}` }));
      await createAll(store, given);
      const removed = given.filter((_, index) => index % 10 < 3);
      const seen = new Map<string, number>();
      let steps = 0;
      for await (const { handle } of store.scan(KIND)) {
        seen.set(handle, (seen.get(handle) ?? 0) + 1);
        if (steps === 100) {
          await scattered<unknown>([
            ...removed.map((each) => () => store.end(byKey(each), ending(clock, "revoked"))),
            ...removed.map(() => () => store.create(record(clock))),
          ]);
        }
        steps += 1;
      }
      for (const [handle, times] of seen) assert.equal(times, 1, handle);
      const stayed = given.filter((each) => !removed.includes(each));
      for (const { handle } of stayed) assert.equal(seen.get(handle), 1, "a record was left out");
      assert.equal(stayed.length, 700);
    },
  },
  {
    law: 4,
    name: "a scan yields each of 300 sessions once while all of them are rotated, some twice",
    async check({ store, clock }) {
      const given = Array.from({ length: 300 }, (_, i) => record(clock, { user: `u${i % 7}` }));
      await createAll(store, given);
      const seen = new Map<string, number>();
      const replace = async (old: StoredRecord): Promise<StoredRecord> => {
        const next = rotated(old);
        const how = { expectedVersion: old.version, ending: ending(clock, "rotated") };
        status(await store.replace(byKey(old), next, how), "replaced");
        return next;
      };
      let steps = 0;
      for await (const { handle } of store.scan(KIND)) {
        seen.set(handle, (seen.get(handle) ?? 0) + 1);
        steps += 1;
        if (steps !== 50) continue;
        const moved = await Promise.all(given.map(replace));
        await Promise.all(moved.slice(0, 100).map(replace));
      }
      assert.equal(seen.size, 300);
      for (const [handle, times] of seen) assert.equal(times, 1, handle);
    },
  },
  {
    law: 4,
    name: "a scan yields no record that ended or expired before its turn",
    async check({ store, clock }) {
      await createAll(
        store,
        Array.from({ length: 50 }, () => record(clock)),
      );
      const cut = Array.from({ length: 50 }, () => record(clock, { user: "ada" }));
      await createAll(store, cut);
      for await (const each of store.scan(KIND)) {
        if (clock.now() < each.expiresAt) clock.advance(IDLE);
        else assert.fail("an expired record was yielded");
      }
      assert.equal((await store.count(KIND)).active, 0);
    },
  },
  {
    law: 4,
    name: "owners pages through 250 owners, each once with its count, while others come and go",
    async check({ store, clock }) {
      const users = Array.from({ length: 250 }, (_, index) => `user ${index}`);
      const given = users.flatMap((user, index) =>
        Array.from({ length: 1 + (index % 3) }, () => record(clock, { user })),
      );
      await createAll(store, given);
      const seen = new Map<string, number>();
      let cursor: string | null = null;
      for (let page = 0; page === 0 || cursor !== null; page += 1) {
        const { owners, cursor: next } = await store.owners(KIND, cursor, 20);
        assert.ok(owners.length <= 20);
        for (const { owner: name, active } of owners) {
          assert.ok(!seen.has(name), "an owner came twice");
          seen.set(name, active);
        }
        cursor = next;
        await createAll(store, [record(clock, { user: `late ${page}` })]);
        await store.endOwner(KIND, owner(`late ${page - 1}`), ending(clock, "revoked"));
      }
      for (const [index, user] of users.entries()) {
        assert.equal(seen.get(owner(user)), 1 + (index % 3));
      }
    },
  },
  {
    law: 4,
    name: "owners gives 100 a page by default, and no cursor on a last page that is full",
    async check({ store, clock }) {
      const users = Array.from({ length: 200 }, (_, index) => record(clock, { user: `u${index}` }));
      await createAll(store, [...users, record(clock)]);
      const first = await store.owners(KIND);
      const second = await store.owners(KIND, first.cursor);
      assert.deepEqual([first.owners.length, second.owners.length], [100, 100]);
      assert.deepEqual([first.cursor === null, second.cursor], [false, null]);
      assert.deepEqual(await store.owners("empty"), { owners: [], cursor: null });
    },
  },
];
