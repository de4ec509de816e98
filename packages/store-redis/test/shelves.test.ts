/** Counts, owners and scans against brute force, and what they cost, also while slots are moved. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Cluster, Redis } from "ioredis";
import { tagOf } from "@sojourn/core/store";
import type { Clock, Handle, OwnerKey, Store, StoredRecord } from "@sojourn/core/store";
import { ownerOf, recordOf } from "../../../test/support/records.ts";
import { redisStore } from "../src/index.ts";
import { everyTag } from "../src/names.ts";
import { commandsOf } from "./support/commands.ts";
import { runningServer } from "./support/running.ts";
import { clusterClient, startCluster } from "./support/server.ts";
import { beginMove, endMove, moveKeys, moveSlot } from "./support/slots.ts";

const KIND = "session";
const RECORDS = 10_000;
const MINUTE = 60_000;
const FIVE_MINUTES = 300_000;
const LOGOUT = { why: "logout", at: 0 } as const;

class TestClock implements Clock {
  #now = 1_800_000_000_000;
  now = (): number => this.#now;
  advance(ms: number): void {
    this.#now += ms;
  }
}

/** What should be there: every third of nobody, the others of 2,000 users, some expired, some ended. */
async function fill(store: Store, clock: TestClock): Promise<StoredRecord[]> {
  const records = Array.from({ length: RECORDS }, (_, n) => {
    const minutes = n % 5 === 0 ? 5 : 60;
    const user = n % 3 === 0 ? null : `user ${(n * 7) % 2_000}`;
    return recordOf(clock, user, { expiresAt: clock.now() + minutes * MINUTE });
  });
  await inBatches(records, (record) => store.create(record));
  const ended = new Set(records.filter((_, n) => n % 7 === 0));
  await inBatches([...ended], (record) => store.end(record, { ...LOGOUT, at: clock.now() }));
  const touched = records.filter((record, n) => n % 10 === 0 && !ended.has(record));
  const expiresAt = clock.now() + 30 * MINUTE;
  await inBatches(touched, (record) => store.touch(record, clock.now(), expiresAt));
  clock.advance(10 * MINUTE);
  const late = new Set(touched);
  return records.filter(
    (record) => !ended.has(record) && (late.has(record) || record.expiresAt > clock.now()),
  );
}

async function inBatches<T>(items: readonly T[], act: (item: T) => Promise<unknown>) {
  for (let from = 0; from < items.length; from += 500) {
    await Promise.all(items.slice(from, from + 500).map(act));
  }
}

function byOwner(records: readonly StoredRecord[]): Map<OwnerKey, number> {
  const sums = new Map<OwnerKey, number>();
  for (const { owner } of records) {
    if (owner !== null) sums.set(owner, (sums.get(owner) ?? 0) + 1);
  }
  return sums;
}

async function everyOwner(store: Store, limit: number): Promise<Map<OwnerKey, number>> {
  const found = new Map<OwnerKey, number>();
  let cursor: string | null = null;
  do {
    const page = await store.owners(KIND, cursor, limit);
    expect(page.owners.length).toBeLessThanOrEqual(limit);
    for (const { owner, active } of page.owners) {
      expect(found.has(owner)).toBe(false);
      found.set(owner, active);
    }
    cursor = page.cursor;
  } while (cursor !== null);
  return found;
}

async function everyHandle(store: Store): Promise<Handle[]> {
  const found: Handle[] = [];
  for await (const { handle } of store.scan(KIND)) found.push(handle);
  return found.toSorted();
}

async function isTrue(store: Store, alive: readonly StoredRecord[]): Promise<void> {
  const sums = byOwner(alive);
  const counts = await store.count(KIND);
  expect(counts).toMatchObject({ active: alive.length, principals: sums.size });
  expect(await everyOwner(store, 150)).toEqual(sums);
  expect(await everyHandle(store)).toEqual(alive.map(({ handle }) => handle).toSorted());
}

const SCANNING = ["keys", "scan", "zscan", "hscan", "sscan"];

async function isCheap(store: Store, servers: readonly Redis[], most: number): Promise<void> {
  await store.count(KIND);
  await store.owners(KIND);
  const count = await commandsOf(servers, () => store.count(KIND));
  expect(count.get("evalsha")).toBeLessThanOrEqual(most);
  expect(count.get("zcount")).toBeLessThanOrEqual(2 * 2 * 16_384);
  const page = await commandsOf(servers, () => store.owners(KIND, null, 10));
  expect(page.get("evalsha")).toBeLessThanOrEqual(most);
  expect(page.get("zrangebylex")).toBeLessThan(2_000);
  for (const commands of [count, page]) {
    for (const name of SCANNING) expect(commands.has(name), name).toBe(false);
    expect(commands.has("get") ? commands.get("get") : 0).toBeLessThanOrEqual(2 * 16_384);
    for (const write of ["set", "zadd", "zrem", "del", "pexpire"]) {
      expect(commands.has(write), write).toBe(false);
    }
  }
}

describe("on a server", () => {
  const clock = new TestClock();
  let admin: Redis;
  let store: Store;
  beforeAll(async () => {
    const running = await runningServer();
    admin = running.admin;
    store = running.storeOf({ clock });
    return running.stop;
  });

  test(
    "[B-16] counts, owners and a scan are those of brute force on 10,000 records; 64 scripts a count",
    async () => {
      const alive = await fill(store, clock);
      await isTrue(store, alive);
      for (const owner of [ownerOf("user 7"), ownerOf("user 14")]) {
        const own = alive.filter((record) => record.owner === owner);
        expect(await store.listOwner(KIND, owner)).toHaveLength(own.length);
      }
      await isCheap(store, [admin], 64);
      clock.advance(60 * MINUTE);
      expect(await store.count(KIND)).toMatchObject({ active: 0, principals: 0 });
      expect((await store.owners(KIND)).owners).toEqual([]);
    },
    FIVE_MINUTES,
  );

  test("an owner is counted once by whichever of 5 sessions lives longest, and until it dies", async () => {
    const mine = Array.from({ length: 5 }, (_, n) =>
      recordOf(clock, "ada", { expiresAt: clock.now() + (n + 1) * MINUTE }),
    );
    for (const index of [2, 0, 4, 1, 3]) {
      const record = mine[index];
      if (record) await store.create(record);
      expect((await store.count(KIND)).principals).toBe(1);
    }
    await store.touch(mine[0] ?? never(), clock.now(), clock.now() + 10 * MINUTE);
    await store.end(mine[4] ?? never(), LOGOUT);
    clock.advance(9 * MINUTE);
    expect(await store.count(KIND)).toMatchObject({ active: 1, principals: 1 });
    await store.end(mine[0] ?? never(), LOGOUT);
    expect(await store.count(KIND)).toMatchObject({ active: 0, principals: 0 });
  });

  test("when the longest is ended, the next one counts; with the last one nobody does", async () => {
    const mine = [3, 2, 1].map((n) =>
      recordOf(clock, "bob", { expiresAt: clock.now() + n * MINUTE }),
    );
    for (const record of mine) await store.create(record);
    for (const [index, record] of mine.entries()) {
      expect((await store.count(KIND)).principals).toBe(1);
      expect((await store.owners(KIND)).owners).toEqual([
        { owner: ownerOf("bob"), active: mine.length - index },
      ]);
      await store.end(record, LOGOUT);
    }
    expect((await store.count(KIND)).principals).toBe(0);
  });

  test("revokeAll of 1,000 sessions, the longest-lived the oldest: some commands for each, not 1,000", async () => {
    const crowd = Array.from({ length: 1_000 }, (_, n) =>
      recordOf(clock, "fay", { createdAt: n, expiresAt: clock.now() + MINUTE + 1_000 - n }),
    );
    await inBatches(crowd, (record) => store.create(record));
    const commands = await commandsOf([admin], async () => {
      expect(await store.endOwner(KIND, ownerOf("fay"), LOGOUT)).toBe(crowd.length);
    });
    expect(commands.get("zscore")).toBeLessThan(5 * crowd.length);
  });

  test("what expired an hour ago is swept out of the indexes by the next creation under its tag", async () => {
    const mine = Array.from({ length: 10 }, () => recordOf(clock, "cid"));
    for (const record of mine) await store.create(record);
    clock.advance(30 * MINUTE + 62 * MINUTE);
    await store.create(recordOf(clock, "cid"));
    const base = `sojourn:{${tagOf(ownerOf("cid"))}}:${KIND}`;
    expect(await admin.zcard(`${base}/i0`)).toBe(1);
    expect(await admin.zcard(`${base}/n0`)).toBe(2);
    clock.advance(24 * 60 * MINUTE);
  });

  test("one owner with 3,000 sessions is counted over several steps, and is one entry of a page", async () => {
    const crowd = Array.from({ length: 3_000 }, () => recordOf(clock, "dan"));
    await inBatches([...crowd, recordOf(clock, "eve")], (record) => store.create(record));
    const sums = new Map([
      [ownerOf("dan"), 3_000],
      [ownerOf("eve"), 1],
    ]);
    expect(await everyOwner(store, 1)).toEqual(sums);
    expect(await everyOwner(store, 2)).toEqual(sums);
  }, 60_000);
});

describe("on a cluster of 3", () => {
  const clock = new TestClock();
  let servers: Redis[];
  let client: Cluster;
  let store: Store;
  let alive: StoredRecord[];
  let stop: () => Promise<unknown>;
  beforeAll(async () => {
    const cluster = await startCluster();
    client = clusterClient(cluster);
    servers = cluster.servers.map((server) => server.client());
    store = redisStore({ client, clock });
    alive = await fill(store, clock);
    stop = async () => {
      await store.close();
      client.disconnect();
      for (const server of servers) server.disconnect();
      await cluster.stop();
    };
  }, FIVE_MINUTES);
  afterAll(() => stop());

  test(
    "[B-16] counts, owners and a scan are those of brute force on 10,000 records; at most 100 scripts a count",
    async () => {
      await isTrue(store, alive);
      await isCheap(store, servers, 100);
    },
    FIVE_MINUTES,
  );

  test(
    "a scan meets each session once that is rotated meanwhile, and holds no more than a page",
    async () => {
      const met: Handle[] = [];
      for await (const record of store.scan(KIND)) {
        met.push(record.handle);
        if (met.length % 50 !== 0) continue;
        const [next] = await store.listOwner(KIND, record.owner ?? ownerOf("user 7"));
        if (!next) continue;
        const fresh = recordOf(clock, null);
        const key = `${tagOf(next.key)}.${fresh.key.slice(4)}` as typeof next.key;
        const ending = { why: "rotated", at: clock.now() } as const;
        const how = { expectedVersion: next.version, ending };
        const done = await store.replace(next, { ...next, key, version: next.version + 1 }, how);
        expect(done.status).toBe("replaced");
      }
      expect(met.toSorted()).toEqual(alive.map(({ handle }) => handle).toSorted());
    },
    FIVE_MINUTES,
  );

  test(
    "a slot that is being moved, half of its keys on either node: no answer misses them",
    async () => {
      const [source, target] = [servers[0] ?? never(), servers[1] ?? never()];
      const tag = everyTag().find((each) => each === tagOf(alive[0]?.key ?? never())) ?? "";
      const slot = Number(await source.call("CLUSTER", "KEYSLOT", `{${tag}}`));
      const from = await ownerOfSlot(servers, slot);
      const to = from === source ? target : source;
      await beginMove(from, to, slot);
      await moveKeys(from, to, slot, 2);
      const answers = Promise.all([
        store.count(KIND),
        everyHandle(store),
        everyOwner(store, 5_000),
        store.read(alive[0] ?? never()),
      ]);
      await new Promise((resolve) => {
        setTimeout(resolve, 500);
      });
      await endMove(servers, from, to, slot);
      const [counts, handles, sums, record] = await answers;
      expect(counts).toMatchObject({ active: alive.length, principals: byOwner(alive).size });
      expect(handles).toEqual(alive.map(({ handle }) => handle).toSorted());
      expect(sums).toEqual(byOwner(alive));
      expect(record).toMatchObject({ handle: alive[0]?.handle });
    },
    FIVE_MINUTES,
  );

  test(
    "after 40 slots went to other nodes, here and there: true again, at most 700 scripts a count",
    async () => {
      for (let slot = 100; slot < 16_384; slot += 409) {
        const from = await ownerOfSlot(servers, slot);
        await moveSlot(servers, from, servers.find((each) => each !== from) ?? never(), slot);
      }
      await isTrue(store, alive);
      const count = await commandsOf(servers, () => store.count(KIND));
      expect(count.get("evalsha")).toBeLessThanOrEqual(700);
    },
    FIVE_MINUTES,
  );

  test(
    "endAll: nobody is left, and who comes then is counted",
    async () => {
      await store.endAll(KIND, { why: "revoked", at: clock.now() });
      expect(await store.count(KIND)).toMatchObject({ active: 0, principals: 0 });
      expect(await everyHandle(store)).toEqual([]);
      const next = recordOf(clock, "user 7");
      await store.create(next);
      await isTrue(store, [next]);
      expect(await store.read({ kind: KIND, handle: alive[0]?.handle ?? never() })).toMatchObject({
        ending: { why: "revoked" },
      });
    },
    FIVE_MINUTES,
  );
});

async function ownerOfSlot(servers: readonly Redis[], slot: number): Promise<Redis> {
  const slots = (await servers[0]?.cluster("SLOTS")) ?? [];
  const port = slots.find(([from, to]) => from <= slot && slot <= to)?.[2]?.[1];
  return servers.find(({ options }) => options.port === port) ?? never();
}

function never(): never {
  throw new Error("not there");
}
