/** Law 6: `consume` has one winner. */
import assert from "node:assert/strict";
import type { Check } from "../case.ts";
import { createAll, scattered } from "../expect.ts";
import { byHandle, byKey, ending, IDLE, KIND, owner, record } from "../records.ts";

export const consume: readonly Check[] = [
  {
    law: 6,
    name: "gives a record to exactly 1 of 100 parallel consumers, 20 rounds",
    async check({ store, clock, race }) {
      await race(20, async () => {
        const given = record(clock, { kind: "grant", user: "ada" });
        await store.create(given);
        const refs = Array.from({ length: 100 }, (_, index) =>
          index % 2 === 0 ? byKey(given) : byHandle(given),
        );
        const got = await scattered(refs.map((ref) => () => store.consume(ref)));
        const winners = got.filter((each) => each !== null);
        assert.deepEqual(
          winners.map((each) => ({ ...each })),
          [given],
        );
        assert.equal(await store.read(byKey(given)), null);
        assert.deepEqual(await store.listOwner("grant", owner("ada")), []);
      });
    },
  },
  {
    law: 6,
    name: "gives nothing at expiresAt, and the record 1 ms before",
    async check({ store, clock }) {
      const [early, late] = [record(clock), record(clock)];
      await createAll(store, [early, late]);
      clock.advance(IDLE - 1);
      assert.deepEqual({ ...(await store.consume(byKey(early))) }, early);
      clock.advance(1);
      assert.equal(await store.consume(byKey(late)), null);
    },
  },
  {
    law: 6,
    name: "lets consume or end win, never both, 100 rounds",
    async check({ store, clock, race }) {
      await race(100, async () => {
        const given = record(clock);
        await store.create(given);
        const [taken, tombstone] = await scattered<unknown>([
          () => store.consume(byKey(given)),
          () => store.end(byKey(given), ending(clock, "revoked")),
        ]);
        assert.equal((taken === null) !== (tombstone === null), true);
      });
    },
  },
  {
    law: 6,
    name: "leaves every other record alone",
    async check({ store, clock }) {
      const [taken, other] = [record(clock, { user: "ada" }), record(clock, { user: "ada" })];
      await createAll(store, [taken, other]);
      await store.consume(byHandle(taken));
      assert.equal(await store.read(byHandle(taken)), null);
      assert.deepEqual({ ...(await store.read(byKey(other))) }, other);
      assert.equal((await store.count(KIND)).active, 1);
    },
  },
];
