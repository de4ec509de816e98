/** In a cluster: a login from one slot to another, and a master that dies. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Cluster } from "ioredis";
import { randomTag, systemClock } from "@sojourn/core/store";
import type { Handle, RecordKey, Store, StoredRecord } from "@sojourn/core/store";
import { ownerOf, recordOf } from "../../../test/support/records.ts";
import { eventually, rejection } from "../../../test/support/waiting.ts";
import { redisStore } from "../src/index.ts";
import { clusterClient, startCluster } from "./support/server.ts";
import type { ClusterOfThree } from "./support/server.ts";

let cluster: ClusterOfThree;
let client: Cluster;
let store: Store;
const now = systemClock.now();
const how = { expectedVersion: 1, ending: { why: "rotated", at: now } } as const;
beforeAll(async () => {
  cluster = await startCluster();
  client = clusterClient(cluster);
  store = redisStore({ client });
}, 60_000);
afterAll(async () => {
  await store.close();
  client.disconnect();
  await cluster.stop();
});

async function leavesNothing(mine: StoredRecord, user: string): Promise<void> {
  expect(await store.read(mine)).toBeNull();
  expect(await store.read({ kind: mine.kind, handle: mine.handle })).toBeNull();
  expect(await store.listOwner("session", ownerOf(user))).toEqual([]);
}

test("an old session that has ended: gone, and the new one is taken back without a trace", async () => {
  const [visitor, mine] = [recordOf(systemClock, null), recordOf(systemClock, "gone")];
  await store.create(visitor);
  await store.end(visitor, { why: "revoked", at: now });
  const outcome = await store.replace(visitor, mine, how);
  expect(outcome).toMatchObject({ status: "gone", tombstone: { ending: { why: "revoked" } } });
  await leavesNothing(mine, "gone");
});

test("an old session that was written meanwhile: conflict with it, and no new one", async () => {
  const [visitor, mine] = [recordOf(systemClock, null), recordOf(systemClock, "late")];
  await store.create(visitor);
  const change = { payload: "newer", seenAt: now, expiresAt: visitor.expiresAt };
  await store.update(visitor, change, 1);
  const outcome = await store.replace(visitor, mine, how);
  expect(outcome).toMatchObject({ status: "conflict", record: { payload: "newer", version: 2 } });
  await leavesNothing(mine, "late");
});

test("an old key in its grace time: moved, and no new one", async () => {
  const [visitor, mine] = [recordOf(systemClock, null), recordOf(systemClock, "moved")];
  await store.create(visitor);
  const tag = visitor.key.slice(0, 3);
  const next = { ...visitor, key: `${tag}.${"n".repeat(43)}` as RecordKey, version: 2 };
  await store.replace(visitor, next, { ...how, graceMs: 60_000 });
  expect(await store.replace(visitor, mine, how)).toEqual({ status: "moved", record: next });
  await leavesNothing(mine, "moved");
});

test("1 of 20 parallel logins from one session wins, the others leave nothing", async () => {
  const visitor = recordOf(systemClock, null);
  await store.create(visitor);
  const mine = Array.from({ length: 20 }, () => recordOf(systemClock, "twenty"));
  const outcomes = await Promise.all(mine.map((each) => store.replace(visitor, each, how)));
  expect(outcomes.filter(({ status }) => status === "replaced")).toHaveLength(1);
  expect(await store.listOwner("session", ownerOf("twenty"))).toHaveLength(1);
});

test("a handle of another slot than its key leads to the session, and is taken once", async () => {
  const record = recordOf(systemClock, null, {
    handle: `${randomTag()}${"h".repeat(16)}` as Handle,
  });
  await store.create(record);
  expect(await store.read({ kind: "session", handle: record.handle })).toEqual(record);
  const other = recordOf(systemClock, null, { handle: record.handle });
  expect(await rejection(store.create(other))).toMatchObject({ code: "SOJOURN_RECORD_EXISTS" });
  expect(await store.read(other)).toBeNull();
  expect(await store.end({ kind: "session", handle: record.handle }, how.ending)).not.toBeNull();
});

test("a cluster that loses a master: SOJOURN_STORE_UNAVAILABLE, and well when it is back", async () => {
  client.on("error", () => {});
  const records = Array.from({ length: 60 }, () => recordOf(systemClock, null));
  await Promise.all(records.map((record) => store.create(record)));
  await cluster.servers[1]?.kill();
  const outcomes = await Promise.allSettled(records.map(async (record) => store.read(record)));
  const errors = outcomes.flatMap((each) => (each.status === "rejected" ? [each.reason] : []));
  expect(errors.length).toBeGreaterThan(0);
  for (const error of errors)
    expect(error).toEqual(expect.objectContaining({ code: "SOJOURN_STORE_UNAVAILABLE" }));
  await cluster.servers[1]?.start();
  await eventually(async () => {
    const reads = await Promise.allSettled(records.map(async (record) => store.read(record)));
    return reads.every(({ status }) => status === "fulfilled");
  }, 20_000);
}, 60_000);
