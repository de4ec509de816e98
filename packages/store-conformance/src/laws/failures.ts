/** Laws 7, 8, 9 and 12: failures are typed rejections, nothing is overwritten, nothing leaks. */
import assert from "node:assert/strict";
import { isSojournError } from "@sojourn/core/store";
import type { Store } from "@sojourn/core/store";
import type { Bench, Check } from "../case.ts";
import { alive, createAll, ended, rejects, scanned, scattered } from "../expect.ts";
import { byHandle, byKey, ending, IDLE, KIND, owner, record, rotated } from "../records.ts";

type Operation = readonly [string, (store: Store) => unknown];

function everyOperation({ clock }: Bench): readonly Operation[] {
  const given = record(clock, { user: "ada" });
  const change = { payload: "", seenAt: 0, expiresAt: 0 };
  const how = { expectedVersion: 1, ending: ending(clock, "rotated") };
  return [
    ["read", (store) => store.read(byKey(given))],
    ["create", (store) => store.create(given)],
    ["update", (store) => store.update(byKey(given), change, 1)],
    ["touch", (store) => store.touch(byKey(given), 0, 0)],
    ["replace", (store) => store.replace(byKey(given), rotated(given), how)],
    ["end", (store) => store.end(byKey(given), ending(clock, "logout"))],
    ["endOwner", (store) => store.endOwner(KIND, owner("ada"), ending(clock, "logout"))],
    ["endAll", (store) => store.endAll(KIND, ending(clock, "logout"))],
    ["consume", (store) => store.consume(byKey(given))],
    ["listOwner", (store) => store.listOwner(KIND, owner("ada"))],
    ["scan", (store) => scanned(store, KIND)],
    ["count", (store) => store.count(KIND)],
    ["owners", (store) => store.owners(KIND)],
    ["flush", (store) => store.flush()],
  ];
}

export const failures: readonly Check[] = [
  {
    law: 7,
    name: "flush resolves after 100 unawaited writes, and all 100 are there",
    async check({ store, clock }) {
      const given = Array.from({ length: 100 }, () => record(clock));
      const writes = given.map((each) => store.create(each));
      await store.flush();
      await Promise.all(writes);
      for (const each of given) alive(await store.read(byKey(each)));
    },
  },
  {
    law: 7,
    name: "every write that races close resolves, or rejects with SOJOURN_STORE_CLOSED",
    async check({ store, clock }) {
      const creates = Array.from({ length: 50 }, () => async () => store.create(record(clock)));
      const outcomes = await scattered<unknown>([
        ...creates.map((create) => async () => {
          return create().catch((error: unknown) => error);
        }),
        () => store.close(),
      ]);
      for (const outcome of outcomes) {
        if (outcome instanceof Error) {
          assert.ok(isSojournError(outcome) && outcome.code === "SOJOURN_STORE_CLOSED");
        }
      }
    },
  },
  {
    law: 8,
    name: "create refuses a key or a handle that a record has, and leaves that record as it was",
    async check({ store, clock }) {
      const given = record(clock, { user: "ada" });
      await store.create(given);
      const sameKey = record(clock, { key: given.key });
      const sameHandle = record(clock, { handle: given.handle });
      await rejects(store.create(sameKey), "SOJOURN_RECORD_EXISTS");
      await rejects(store.create(sameHandle), "SOJOURN_RECORD_EXISTS");
      assert.deepEqual({ ...alive(await store.read(byKey(given))) }, given);
      assert.deepEqual({ ...alive(await store.read(byHandle(given))) }, given);
      assert.equal(await store.read(byKey(sameHandle)), null);
      assert.equal((await store.count(KIND)).active, 1);
    },
  },
  {
    law: 8,
    name: "create refuses a key or a handle that a tombstone has, ended or expired",
    async check({ store, clock }) {
      const [loggedOut, idle] = [record(clock), record(clock)];
      await createAll(store, [loggedOut, idle]);
      await store.end(byKey(loggedOut), ending(clock, "logout"));
      clock.advance(IDLE);
      for (const { key, handle } of [loggedOut, idle]) {
        await rejects(store.create(record(clock, { key })), "SOJOURN_RECORD_EXISTS");
        await rejects(store.create(record(clock, { handle })), "SOJOURN_RECORD_EXISTS");
      }
      ended(await store.read(byKey(loggedOut)), { why: "logout" });
      ended(await store.read(byHandle(idle)), { why: "idle" });
    },
  },
  {
    law: 8,
    name: "replace refuses a key or a handle of another record, and ends nothing",
    async check({ store, clock }) {
      const [old, other] = [record(clock), record(clock, { user: "ada" })];
      await createAll(store, [old, other]);
      const how = { expectedVersion: 1, ending: ending(clock, "rotated") };
      const admission = { max: 1, onLimit: "evict-oldest" } as const;
      for (const taken of [{ key: other.key }, { handle: other.handle }]) {
        const next = record(clock, { user: "ada", ...taken });
        const replacing = store.replace(byKey(old), next, { ...how, admission });
        await rejects(replacing, "SOJOURN_RECORD_EXISTS");
      }
      assert.deepEqual({ ...alive(await store.read(byKey(old))) }, old);
      assert.deepEqual({ ...alive(await store.read(byKey(other))) }, other);
    },
  },
  {
    law: 8,
    name: "lets exactly 1 of 20 parallel creates of one key win, 20 rounds",
    async check({ store, clock, race }) {
      await race(20, async () => {
        const { key } = record(clock);
        const given = Array.from({ length: 20 }, () => record(clock, { key }));
        const outcomes = await scattered<unknown>(
          given.map((each) => async () => store.create(each).catch((error: unknown) => error)),
        );
        const lost = outcomes.filter((each) => isSojournError(each));
        assert.equal(lost.length, 19);
        for (const error of lost) assert.equal(error.code, "SOJOURN_RECORD_EXISTS");
      });
    },
  },
  {
    law: 9,
    name: "no tombstone and no error shows the payload or the key of a record",
    async check({ store, clock }) {
      const secret = "hunter2-hunter2";
      const given = record(clock, { payload: secret });
      await store.create(given);
      const error: unknown = await store.create(given).catch((caught: unknown) => caught);
      assert.ok(isSojournError(error));
      const told = `${error.message} ${JSON.stringify(error.details)}`;
      assert.ok(!told.includes(secret) && !told.includes(given.key));
      await store.end(byKey(given), ending(clock, "logout"));
      assert.ok(!JSON.stringify(await store.read(byKey(given))).includes(secret));
    },
  },
  {
    law: 12,
    name: "every operation after close rejects with SOJOURN_STORE_CLOSED; close itself resolves",
    async check(bench) {
      const { store, clock } = bench;
      await store.create(record(clock));
      await store.close();
      for (const [name, operation] of everyOperation(bench)) {
        const closed = operation(store);
        await rejects(closed, "SOJOURN_STORE_CLOSED").catch((cause: unknown) => {
          throw new assert.AssertionError({ message: `${name}: ${String(cause)}` });
        });
      }
      await Promise.all([store.close(), store.close()]);
    },
  },
  {
    law: 12,
    name: "open can be called again, and all operations work on an empty store",
    async check(bench) {
      await Promise.all([bench.store.open?.(), bench.store.open?.()]);
      for (const [, operation] of everyOperation(bench)) await operation(bench.store);
      assert.equal(typeof bench.store.name, "string");
    },
  },
];
