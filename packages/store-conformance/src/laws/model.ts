/** Law 3 by brute force: random histories, compared with a list that is searched from end to end. */
import assert from "node:assert/strict";
import type { OwnerKey, Store, StoredRecord } from "@sojourn/core/store";
import type { Bench, Check } from "../case.ts";
import type { ManualClock } from "../clock.ts";
import { scanned } from "../expect.ts";
import {
  byHandle,
  byKey,
  ending,
  handlesOf,
  IDLE,
  KIND,
  owner,
  record,
  rotated,
} from "../records.ts";

/** The alive records, as the simplest possible store would keep them. */
class Model {
  readonly #clock: ManualClock;
  #records: StoredRecord[] = [];

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  alive(): StoredRecord[] {
    return this.#records.filter(({ expiresAt }) => this.#clock.now() < expiresAt);
  }

  of(wanted: OwnerKey | null): StoredRecord[] {
    return this.alive().filter((each) => each.owner === wanted);
  }

  put(added: StoredRecord): void {
    this.remove(added);
    this.#records.push(added);
  }

  remove({ handle }: Pick<StoredRecord, "handle">): void {
    this.#records = this.#records.filter((each) => each.handle !== handle);
  }
}

/** One random operation on the records of one user, on the store and on the model. */
async function step({ store, clock }: Bench, model: Model, user: string): Promise<void> {
  const [target] = model.of(owner(user)).toSorted(() => Math.random() - 0.5);
  const dice = Math.random();
  if (target === undefined || dice < 0.4) {
    const life = 1 + Math.floor(Math.random() * IDLE);
    const created = record(clock, { user, expiresAt: clock.now() + life });
    const outcome = await store.create(created, { max: 4, onLimit: "evict-idle" });
    assert.ok(outcome.status === "created");
    for (const evicted of outcome.evicted) model.remove(evicted);
    model.put(created);
  } else if (dice < 0.55) {
    const expiresAt = clock.now() + 1 + Math.floor(Math.random() * IDLE);
    await store.touch(byKey(target), clock.now(), expiresAt);
    const later = Math.max(target.expiresAt, expiresAt);
    model.put({ ...target, seenAt: clock.now(), expiresAt: later });
  } else if (dice < 0.7) {
    const next = rotated(target);
    const how = { expectedVersion: target.version, ending: ending(clock, "rotated") };
    assert.equal((await store.replace(byHandle(target), next, how)).status, "replaced");
    model.put(next);
  } else if (dice < 0.85) {
    assert.ok((await store.end(byKey(target), ending(clock, "logout"))) !== null);
    model.remove(target);
  } else if (dice < 0.95) {
    assert.ok((await store.consume(byHandle(target))) !== null);
    model.remove(target);
  } else {
    const mine = model.of(owner(user));
    const why = ending(clock, "revoked");
    assert.equal(await store.endOwner(KIND, owner(user), why), mine.length);
    for (const each of mine) model.remove(each);
  }
}

function sortedHandles(records: readonly StoredRecord[]): string[] {
  return handlesOf(records).toSorted();
}

async function compare(store: Store, model: Model): Promise<void> {
  const alive = model.alive();
  const active = new Map<string, number>();
  for (const each of alive) {
    if (each.owner !== null) active.set(each.owner, (active.get(each.owner) ?? 0) + 1);
  }
  const counts = await store.count(KIND);
  assert.deepEqual([counts.active, counts.principals], [alive.length, active.size]);
  const { owners } = await store.owners(KIND, null, 10_000);
  assert.deepEqual(new Map(owners.map((each) => [each.owner, each.active])), active);
  assert.deepEqual(sortedHandles(await scanned(store, KIND)), sortedHandles(alive));
  for (const name of owners.slice(0, 20)) {
    const listed = await store.listOwner(KIND, name.owner);
    const expected = model.of(name.owner);
    assert.deepEqual(sortedHandles(listed), sortedHandles(expected));
    for (const each of expected) assert.deepEqual({ ...(await store.read(byKey(each))) }, each);
  }
}

export const modelled: readonly Check[] = [
  {
    law: 3,
    name: "count, owners, scan and listOwner agree with a brute-force model after 4,000 operations",
    async check(bench) {
      const model = new Model(bench.clock);
      const users = Array.from({ length: 400 }, (_, index) => `user ${index}`);
      for (let round = 0; round < 20; round += 1) {
        const chosen = users.toSorted(() => Math.random() - 0.5).slice(0, 200);
        await Promise.all(chosen.map((user) => step(bench, model, user)));
        bench.clock.advance(Math.floor((Math.random() * IDLE) / 8));
        await compare(bench.store, model);
      }
    },
  },
];
