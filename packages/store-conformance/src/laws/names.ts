/** Law 11: names such as `__proto__` are data. */
import assert from "node:assert/strict";
import type { RecordKey } from "@sojourn/core/store";
import { tagOf } from "@sojourn/core/store";
import type { Check } from "../case.ts";
import { alive, createAll, ended, scanned } from "../expect.ts";
import { byHandle, byKey, ending, handlesOf, KIND, owner, record } from "../records.ts";

const NAMES = ["__proto__", "constructor", "hasOwnProperty", "toString", "0", "a,b:c{d}*?[e]\n"];
const USERS = [...NAMES, "", " ", "Ünï 漢字 👩‍👧", "a\u0000b", "null", "x".repeat(1_000)];

export const names: readonly Check[] = [
  {
    law: 11,
    name: "any string is a kind of its own: the same key and handle in 6 kinds are 6 records",
    async check({ store, clock }) {
      const base = record(clock, { user: "ada" });
      const given = NAMES.map((kind) => ({ ...base, kind, payload: kind }));
      for (const { kind } of given) assert.equal((await store.count(kind)).active, 0);
      await createAll(store, given);
      for (const each of given) {
        assert.deepEqual({ ...alive(await store.read(byKey(each))) }, each);
        assert.deepEqual(handlesOf(await scanned(store, each.kind)), [each.handle]);
        assert.equal((await store.listOwner(each.kind, owner("ada"))).length, 1);
      }
      const [first, ...rest] = given;
      await store.end(byHandle(first ?? assert.fail()), ending(clock, "logout"));
      await store.endAll(NAMES[1] ?? "", ending(clock, "revoked"));
      for (const each of rest.slice(1)) alive(await store.read(byHandle(each)));
      assert.equal((await store.count(KIND)).active, 0);
    },
  },
  {
    law: 11,
    name: "any string is an owner: empty, __proto__, NUL, commas, unicode, 1,000 characters",
    async check({ store, clock }) {
      await createAll(
        store,
        USERS.map((user) => record(clock, { user })),
      );
      for (const user of USERS) {
        assert.equal((await store.listOwner(KIND, owner(user))).length, 1, JSON.stringify(user));
      }
      const { owners, cursor } = await store.owners(KIND);
      assert.equal(cursor, null);
      assert.deepEqual(new Set(owners.map((each) => each.owner)), new Set(USERS.map(owner)));
      const why = ending(clock, "revoked", { reason: "__proto__, ü 👩‍👧 \u0000" });
      assert.equal(await store.endOwner(KIND, owner("__proto__"), why), 1);
      assert.equal((await store.count(KIND)).principals, USERS.length - 1);
    },
  },
  {
    law: 11,
    name: "keys and handles that end in __proto__ or constructor are data",
    async check({ store, clock }) {
      for (const name of ["__proto__", "constructor", "prototype"]) {
        const plain = record(clock, { user: name });
        const key = `${tagOf(plain.key)}.${name}`.padEnd(47, "_");
        const given = { ...plain, key: key as RecordKey };
        assert.equal(await store.read(byKey(given)), null);
        await store.create(given);
        assert.deepEqual({ ...alive(await store.read(byKey(given))) }, given);
        ended(await store.end(byKey(given), ending(clock, "logout")), { why: "logout" });
      }
      assert.equal(Reflect.get({}, "payload"), undefined);
    },
  },
];
