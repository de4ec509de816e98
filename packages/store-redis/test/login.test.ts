/** G3: what a login costs however many sessions its user has, and that it ends exactly those that have to go. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Redis } from "ioredis";
import { memoryStore } from "@sojourn/core";
import { CLOCK_TOLERANCE, tagOf } from "@sojourn/core/store";
import type { Admission, Handle, Store, StoredRecord } from "@sojourn/core/store";
import { manualClock } from "@sojourn/store-conformance";
import type { ManualClock } from "@sojourn/store-conformance";
import { ownerOf, recordOf } from "../../../test/support/records.ts";
import { redisStore } from "../src/index.ts";
import { commandsOf } from "./support/commands.ts";
import { indexOf, nameOf } from "./support/names.ts";
import { runningServer } from "./support/running.ts";
import type { RunningServer } from "./support/running.ts";
import { clusterClient, startCluster, startServer } from "./support/server.ts";

const KIND = "session";
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const FIVE_MINUTES = 300_000;
const REVOKED = { why: "revoked", at: 0 } as const;

const evicting = (max: number): Admission => ({ max, onLimit: "evict-oldest" });
const rejecting = (max: number): Admission => ({ max, onLimit: "reject" });

/** The handles of those that a creation evicted. */
async function evictedBy(
  store: Store,
  record: StoredRecord,
  admission: Admission,
): Promise<readonly Handle[]> {
  const outcome = await store.create(record, admission);
  if (outcome.status !== "created") throw new Error(`it was ${outcome.status}`);
  return outcome.evicted.map(({ handle }) => handle);
}

/** Sessions of a user, each a second younger than the one before; `fields` for what else they are. */
async function sessionsOf(
  store: Store,
  user: string,
  number: number,
  fields: (n: number) => Partial<StoredRecord> = () => ({}),
): Promise<readonly StoredRecord[]> {
  const now = store.clock.now();
  const records = Array.from({ length: number }, (_, n) =>
    recordOf(store.clock, user, { createdAt: now + (n - number) * 1_000, ...fields(n) }),
  );
  for (const record of records) await store.create(record);
  return records;
}

const handlesOf = (records: readonly StoredRecord[]): readonly Handle[] =>
  records.map(({ handle }) => handle);

/** Counts, owners and the list tell the same of a user who is the only one of the kind. */
async function isAlone(store: Store, user: string, active: number): Promise<void> {
  expect(await store.listOwner(KIND, ownerOf(user))).toHaveLength(active);
  expect(await store.count(KIND)).toMatchObject({ active, principals: Math.min(1, active) });
}

/** The commands of one login, when the user has so many sessions. */
async function costOf(
  store: Store,
  servers: readonly Redis[],
  number: number,
  how: "limited" | "unlimited" | "oldest lives longest",
): Promise<number> {
  const user = `${how} ${number}`;
  const expiresAt = (n: number): number => store.clock.now() + HOUR - n * 1_000;
  const admission = how === "unlimited" ? undefined : evicting(number);
  const lives =
    how === "oldest lives longest" ? (n: number) => ({ expiresAt: expiresAt(n) }) : undefined;
  await sessionsOf(store, user, number, lives);
  await store.create(recordOf(store.clock, user, { expiresAt: expiresAt(number) }), admission);
  const next = recordOf(store.clock, user, { expiresAt: expiresAt(number + 1) });
  const commands = await commandsOf(servers, () => store.create(next, admission));
  expect(commands.get("evalsha")).toBe(1);
  for (const name of ["config|resetstat", "info"]) commands.delete(name);
  return [...commands.values()].reduce((sum, calls) => sum + calls, 0);
}

describe.each(["a server", "a cluster of 3"])("on %s", (place) => {
  const clock = manualClock();
  let store: Store;
  let servers: readonly Redis[];
  let stop: () => Promise<unknown>;
  beforeAll(async () => {
    const cluster = place === "a server" ? null : await startCluster();
    const alone = cluster ? [] : [await startServer()];
    servers = [...(cluster?.servers ?? []), ...alone].map((server) => server.client());
    const client = cluster ? clusterClient(cluster) : servers[0];
    if (!client) throw new Error("no client");
    store = redisStore({ client, clock });
    stop = async () => {
      await store.close();
      for (const each of new Set([client, ...servers])) each.disconnect();
      for (const each of [...alone, ...(cluster ? [cluster] : [])]) await each.stop();
    };
  }, FIVE_MINUTES);
  afterAll(() => stop());

  test.each(["limited", "unlimited", "oldest lives longest"] as const)(
    "[B-05] a login calls no more commands at 1,000 sessions of its user than at 10: %s",
    async (how) => {
      const few = await costOf(store, servers, 10, how);
      const many = await costOf(store, servers, 1_000, how);
      expect(few).toBeGreaterThan(10);
      expect(few).toBeLessThan(100);
      expect(many).toBeLessThanOrEqual(few);
    },
    FIVE_MINUTES,
  );
});

describe("who is evicted", () => {
  let admin: Redis;
  let storeOf: RunningServer["storeOf"];
  let clock: ManualClock;
  let store: Store;
  beforeAll(async () => {
    const running = await runningServer();
    ({ admin, storeOf } = running);
    return running.stop;
  });
  /** A server without data, and a clock for it. */
  async function fresh(rememberExpired: string = "1h"): Promise<void> {
    await admin.flushall();
    clock = manualClock();
    store = storeOf({ clock, rememberExpired });
  }

  test("[B-05] of 30 created in the same millisecond, those that came first", async () => {
    await fresh();
    const mine = Array.from({ length: 30 }, () => recordOf(clock, "ada"));
    for (const record of mine) await store.create(record);
    const first = await evictedBy(store, recordOf(clock, "ada"), evicting(20));
    expect(first).toEqual(handlesOf(mine.slice(0, 11)));
  });

  test("[B-05] the oldest by creation, also when it came last, was created before 1970, or lives longest", async () => {
    await fresh();
    const mine = await sessionsOf(store, "ada", 12);
    const late = recordOf(clock, "ada", { createdAt: clock.now() - HOUR });
    const early = recordOf(clock, "ada", { createdAt: -1 });
    for (const record of [late, early]) await store.create(record);
    await store.touch(late, clock.now(), clock.now() + 2 * HOUR);
    const next = recordOf(clock, "ada", { createdAt: clock.now() + 0.5 });
    expect(await evictedBy(store, next, evicting(12))).toEqual(
      handlesOf([early, late, ...mine.slice(0, 1)]),
    );
    await isAlone(store, "ada", 12);
  });

  test("[B-05] nobody for 300 that expired; they are taken from the user once, and later logins cost as ever", async () => {
    await fresh();
    await sessionsOf(store, "ada", 300);
    clock.advance(20 * MINUTE);
    const young = await sessionsOf(store, "ada", 5);
    const login = (): Promise<unknown> => store.create(recordOf(clock, "ada"), evicting(8));
    const cost = async (): Promise<number> => {
      const commands = await commandsOf([admin], login);
      return (commands.get("zrem") ?? 0) + (commands.get("zadd") ?? 0);
    };
    clock.advance(15 * MINUTE);
    expect(await cost()).toBeGreaterThan(600);
    expect(await cost()).toBeLessThan(10);
    expect(await cost()).toBeLessThan(10);
    const left = handlesOf(await store.listOwner(KIND, ownerOf("ada")));
    expect(left.slice(0, 5)).toEqual(handlesOf(young));
    expect(left).toHaveLength(8);
    const [oldest] = young;
    expect(await evictedBy(store, recordOf(clock, "ada"), evicting(8))).toEqual([oldest?.handle]);
  });

  test("[B-05] an hour after they expired nothing is left of them in the indexes, and they are remembered until then", async () => {
    await fresh();
    const [old] = await sessionsOf(store, "ada", 3);
    clock.advance(31 * MINUTE);
    await store.create(recordOf(clock, "ada"), evicting(1));
    const byHandle = { kind: KIND, handle: old?.handle ?? ("" as Handle) };
    expect(await store.read(byHandle)).toMatchObject({ ending: { why: "idle" } });
    clock.advance(62 * MINUTE);
    const last = recordOf(clock, "ada");
    await store.create(last);
    expect(await store.read(byHandle)).toBeNull();
    const [waiting, alive] = [1, 1];
    expect(await admin.zcard(indexOf(last, "i"))).toBe(waiting + alive);
    expect(await admin.zcard(indexOf(last, "n"))).toBe(waiting + 2 * alive);
  });

  test("[B-05] nobody for the oldest whose records were taken away behind the store's back; the others have their places", async () => {
    await fresh();
    const mine = await sessionsOf(store, "ada", 9);
    const [first, second, third, fourth] = mine;
    await admin.del(...[first, third].map((record) => nameOf(record ?? recordOf(clock, "ada"))));
    expect(await evictedBy(store, recordOf(clock, "ada"), evicting(9))).toEqual([]);
    expect(await evictedBy(store, recordOf(clock, "ada"), evicting(9))).toEqual([second?.handle]);
    expect(await evictedBy(store, recordOf(clock, "ada"), evicting(9))).toEqual([]);
    expect(await evictedBy(store, recordOf(clock, "ada"), evicting(9))).toEqual([fourth?.handle]);
    await isAlone(store, "ada", 9);
  });

  test("[B-05] the oldest before the one that is replaced and before those of its millisecond", async () => {
    await fresh();
    const now = clock.now();
    const ages = [4, 3, 3, 3, 3, 2, 1];
    const mine = await sessionsOf(store, "ada", ages.length, (n) => ({
      createdAt: now - (ages[n] ?? 0) * 1_000,
    }));
    const [replaced] = mine;
    const next = recordOf(clock, "ada");
    const outcome = await store.replace(replaced ?? next, next, {
      expectedVersion: 1,
      ending: { why: "rotated", at: now },
      admission: evicting(5),
    });
    const evicted = "evicted" in outcome ? outcome.evicted : [];
    expect(evicted.map(({ handle }) => handle)).toEqual(handlesOf(mine.slice(1, 3)));
    await isAlone(store, "ada", 5);
  });

  test("[B-05] nobody for 50 of the oldest that were taken away, and nobody is refused for 50 anywhere", async () => {
    await fresh();
    const mine = await sessionsOf(store, "ada", 100);
    await admin.del(...mine.slice(0, 50).map(nameOf));
    expect(await evictedBy(store, recordOf(clock, "ada"), evicting(60))).toEqual([]);
    const others = await sessionsOf(store, "bob", 100);
    await admin.del(...others.filter((_, n) => n % 2 === 1).map(nameOf));
    const next = recordOf(clock, "bob");
    expect(await store.create(next, rejecting(51))).toMatchObject({ status: "created" });
    const refused = await store.create(recordOf(clock, "bob"), rejecting(51));
    expect(refused).toEqual({ status: "refused", active: 51 });
  });

  test("[B-05] the user of 150 is counted once while those that live longest are taken away and evicted", async () => {
    await fresh();
    const lives = (n: number) => ({ expiresAt: clock.now() + HOUR - n * 1_000 });
    const mine = await sessionsOf(store, "ada", 150, lives);
    await admin.del(...mine.slice(0, 1).map(nameOf));
    expect(await evictedBy(store, recordOf(clock, "ada"), evicting(150))).toEqual([]);
    await isAlone(store, "ada", 150);
    const next = recordOf(clock, "ada");
    expect(await evictedBy(store, next, evicting(150))).toEqual([mine[1]?.handle]);
    await isAlone(store, "ada", 150);
    clock.advance(31 * MINUTE);
    await isAlone(store, "ada", 148);
  });

  test("[B-05] nobody for those that endOwner or endAll ended, also where an index had lost them", async () => {
    await fresh();
    const mine = await sessionsOf(store, "ada", 40);
    const [spared] = mine;
    const lost = mine.slice(5, 25);
    for (const { key, handle } of lost) {
      const name = `h${handle.slice(3)}\0${key.slice(4, 26)}`;
      expect(await admin.zrem(indexOf(mine[0] ?? recordOf(clock, "ada"), "n"), name)).toBe(1);
    }
    await store.endOwner(KIND, ownerOf("ada"), { ...REVOKED, at: clock.now() }, spared?.handle);
    const [lead, entry] = [1, 1];
    expect(await admin.zcard(indexOf(mine[0] ?? recordOf(clock, "ada"), "n"))).toBe(lead + entry);
    for (let n = 0; n < 9; n += 1) {
      const admission = n % 2 === 0 ? evicting(10) : rejecting(10);
      expect(await evictedBy(store, recordOf(clock, "ada"), admission)).toEqual([]);
    }
    const next = recordOf(clock, "ada", { createdAt: clock.now() + 1 });
    expect(await evictedBy(store, next, evicting(10))).toEqual([spared?.handle]);
    await store.endAll(KIND, { ...REVOKED, at: clock.now() });
    expect(await evictedBy(store, recordOf(clock, "ada"), evicting(1))).toEqual([]);
    await isAlone(store, "ada", 1);
  });

  test("[B-05] a session that a fast clock took for expired is its user's again when it is touched by a slow one", async () => {
    await fresh();
    const fast = manualClock(clock.now() + CLOCK_TOLERANCE);
    const ahead = storeOf({ clock: fast });
    const [kept] = await sessionsOf(store, "ada", 3);
    for (const each of [clock, fast]) each.advance(30 * MINUTE - 1);
    expect(await evictedBy(ahead, recordOf(fast, "ada"), evicting(1))).toEqual([]);
    const record = kept ?? recordOf(clock, "ada");
    expect(await store.touch(record, clock.now(), clock.now() + HOUR)).toBe(true);
    expect(await store.listOwner(KIND, ownerOf("ada"))).toHaveLength(2);
    expect(await evictedBy(store, recordOf(clock, "ada"), evicting(2))).toEqual([record.handle]);
    await isAlone(store, "ada", 2);
  });

  test("[B-05] a session is counted once that none of 120 was counted by, for a fast clock took them all for expired", async () => {
    await fresh();
    const fast = manualClock(clock.now() + CLOCK_TOLERANCE);
    const ahead = storeOf({ clock: fast });
    const mine = await sessionsOf(store, "ada", 120);
    const [longest, kept] = mine;
    if (!longest || !kept) throw new Error("no sessions");
    await store.touch(longest, clock.now(), clock.now() + HOUR);
    for (const each of [clock, fast]) each.advance(30 * MINUTE - 1);
    await ahead.end(longest, { why: "logout", at: fast.now() });
    expect(await store.touch(kept, clock.now(), clock.now() + HOUR)).toBe(true);
    clock.advance(1);
    for (const max of [2, 3])
      expect(await evictedBy(store, recordOf(clock, "ada"), evicting(max))).toEqual([]);
    await isAlone(store, "ada", 3);
    expect(await evictedBy(store, recordOf(clock, "ada"), evicting(3))).toEqual([kept.handle]);
  });

  test(
    "[B-05] as the memory store does, in 2,000 random steps of 3 users, one of them with 150 sessions",
    async () => {
      await fresh("10s");
      const model = memoryStore({ clock });
      const both = async <T>(act: (each: Store) => Promise<T>): Promise<T> => {
        const [ours, theirs] = [await act(store), await act(model)];
        expect(ours).toEqual(theirs);
        return theirs;
      };
      const random = randomly(7);
      const tag = tagOf(ownerOf("ada"));
      const made: StoredRecord[] = [];
      const limits = [3, 12, 150];
      let most = 0;
      for (let step = 0; step < 2_000; step += 1) {
        const user = Math.min(2, random(5));
        const owner = `${tag}.user ${user}` as StoredRecord["owner"];
        const now = clock.now();
        const expiresAt = now + 1 + random(120) * 1_000;
        const fields = {
          createdAt: now - random(40) * 500,
          expiresAt,
          seenAt: now - random(1_000),
        };
        const next = { ...recordOf(clock, "ada"), ...fields, owner };
        const some = made[made.length - 1 - random(Math.min(made.length, 200) || 1)];
        const what = random(100);
        if (what < 55 || !some) {
          const onLimit = (["evict-oldest", "evict-oldest", "evict-idle", "reject"] as const)[
            random(4)
          ];
          const max = limits[user] ?? 1;
          const admission = onLimit && what < 50 ? { max, onLimit } : undefined;
          await both((each) => each.create(next, admission));
          made.push(next);
        } else if (what < 75) {
          await both((each) => each.touch(some, now, expiresAt));
        } else if (what < 82) {
          await both((each) => each.end(some, { why: "logout", at: now }));
        } else if (what < 90) {
          const ending = { why: "rotated", at: now } as const;
          const how = { expectedVersion: 1, ending, admission: evicting(limits[user] ?? 1) };
          const { status } = await both((each) => each.replace(some, next, how));
          if (status === "replaced") made.push(next);
        } else if (what < 91) {
          const ending = { why: "revoked", at: now } as const;
          const spare = random(2) === 0 ? some.handle : undefined;
          await both((each) => each.endOwner(KIND, owner ?? ownerOf("ada"), ending, spare));
        } else {
          clock.advance(random(6) * 300);
        }
        if (step % 10 !== 0) continue;
        const sums = await both(async (each) => {
          const { active, principals } = await each.count(KIND);
          return { active, principals };
        });
        expect(sums.principals).toBeLessThanOrEqual(3);
        const list = await both(async (each) =>
          handlesOf(await each.listOwner(KIND, owner ?? ownerOf("ada"))),
        );
        most = Math.max(most, list.length);
      }
      expect(most).toBeGreaterThan(100);
      await model.close();
    },
    FIVE_MINUTES,
  );
});

/** Whole numbers below a bound, the same ones every time (mulberry32). */
function randomly(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  };
}
