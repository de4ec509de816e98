/** Law 1: values are copied in and out. */
import assert from "node:assert/strict";
import type { Check } from "../case.ts";
import { alive, createAll, scanned, status } from "../expect.ts";
import { ABSOLUTE, byHandle, byKey, ending, KIND, owner, record } from "../records.ts";

function spoil(object: object): void {
  for (const [key, value] of Object.entries(object)) {
    Reflect.set(object, key, typeof value === "number" ? value + 1 : "spoilt");
  }
}

export const copies: readonly Check[] = [
  {
    law: 1,
    name: "keeps the 10 fields of a record exactly, and no others",
    async check({ store, clock }) {
      const given = record(clock, { user: "ada", version: 7, payload: "x" });
      await createAll(store, [{ ...given, extra: 1 } as typeof given]);
      assert.deepEqual({ ...alive(await store.read(byKey(given))) }, given);
      assert.deepEqual({ ...alive(await store.read(byHandle(given))) }, given);
    },
  },
  {
    law: 1,
    name: "is not changed through a record that was given in",
    async check({ store, clock }) {
      const given = record(clock, { user: "ada" });
      const kept = { ...given };
      await store.create(given);
      spoil(given);
      assert.deepEqual({ ...alive(await store.read(byKey(kept))) }, kept);
    },
  },
  {
    law: 1,
    name: "is not changed through a record that was given out by read, listOwner, scan or update",
    async check({ store, clock }) {
      const given = record(clock, { user: "ada" });
      await store.create(given);
      const change = { payload: "new", seenAt: clock.now(), expiresAt: given.expiresAt };
      const updated = status(await store.update(byKey(given), change, 1), "updated").record;
      const expected = { ...given, payload: "new", version: 2 };
      const out = [updated, alive(await store.read(byKey(given)))];
      out.push(...(await store.listOwner(KIND, owner("ada"))), ...(await scanned(store, KIND)));
      assert.equal(out.length, 4);
      for (const each of out) assert.deepEqual({ ...each }, expected);
      for (const each of out) spoil(each);
      assert.deepEqual({ ...alive(await store.read(byKey(given))) }, expected);
    },
  },
  {
    law: 1,
    name: "copies an ending in and out",
    async check({ store, clock }) {
      const given = record(clock);
      await store.create(given);
      const why = ending(clock, "revoked", { reason: "stolen", successor: given.handle });
      const kept = { ...why };
      const tombstone = await store.end(byKey(given), why);
      spoil(why);
      assert.ok(tombstone !== null);
      spoil(tombstone.ending);
      spoil(tombstone);
      assert.deepEqual(structuredClone(await store.read(byKey(given))), {
        kind: KIND,
        key: given.key,
        handle: given.handle,
        owner: null,
        createdAt: given.createdAt,
        expiresAt: given.createdAt + ABSOLUTE,
        ending: kept,
      });
    },
  },
  {
    law: 1,
    name: "keeps payloads to the character: empty, unicode, commas, 0, false, null and 1 MB",
    async check({ store, clock }) {
      const nasty = "\u0000,;=%\r\n\"'\\ \u2028 ü 漢 👩‍👩‍👧 \u{10FFFF}";
      const payloads = ["", "0", "false", "null", " ", "{}", nasty, "ü".repeat(500_000)];
      const given = payloads.map((payload) => record(clock, { payload }));
      await createAll(store, given);
      for (const each of given) {
        assert.ok(alive(await store.read(byKey(each))).payload === each.payload);
      }
    },
  },
];
