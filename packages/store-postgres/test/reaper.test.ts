/** [C-09] [D-17] The reaper: what is over goes away in batches, by several processes, in nobody's way. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type pg from "pg";
import { manualClock } from "@sojourn/store-conformance";
import type { ManualClock } from "@sojourn/store-conformance";
import type { Store, StoredRecord } from "@sojourn/core/store";
import { ownerOf, recordOf } from "../../../test/support/records.ts";
import { eventually, rejection } from "../../../test/support/waiting.ts";
import { Connection } from "../src/connection.ts";
import { postgresStore } from "../src/index.ts";
import { parseOptions } from "../src/options.ts";
import { Reaper } from "../src/reaper.ts";
import { statementsFor } from "../src/statements.ts";
import { startServer } from "./support/server.ts";
import type { Server } from "./support/server.ts";

const MINUTE = 60_000;
const IDLE = 30 * MINUTE;
const DAY = 86_400_000;
const LOGOUT = { why: "logout", at: 1 } as const;
let server: Server;
let pool: pg.Pool;
let clock: ManualClock;
let store: Store;
let connections: Connection[];
beforeAll(async () => {
  server = await startServer();
  pool = server.pool();
});
afterAll(async () => {
  await pool.end();
  await server.stop();
});
beforeEach(async () => {
  await server.clear();
  clock = manualClock();
  connections = [];
  store = postgresStore({ pool, clock, connectWithin: "1m" });
  await store.open?.();
});
afterEach(async () => {
  await store.close();
  await Promise.all(connections.map((connection) => connection.close()));
});

/** A reaper of a process of its own, that runs when it is told. */
function reaperOf(): Reaper {
  const connection = new Connection(parseOptions({ pool, clock }));
  connections.push(connection);
  const statement = statementsFor(connection.names).reap;
  return new Reaper(connection, { statement, clock, every: MINUTE });
}

const rows = (what = "count(*)::int AS n"): Promise<Record<string, unknown>[]> =>
  server.query(`SELECT ${what} FROM sojourn_records`);
const create = async (users: readonly string[]): Promise<StoredRecord[]> => {
  const records = users.map((user) => recordOf(clock, user));
  await Promise.all(records.map((record) => store.create(record)));
  return records;
};

test("[C-09] an expired record loses its data a minute later, and reads as before until its absolute timeout", async () => {
  const [record] = (await create(["ada"])) as [StoredRecord];
  const reaper = reaperOf();
  clock.advance(IDLE);
  const idle = await store.read(record);
  expect(idle).toMatchObject({ ending: { why: "idle", seenAt: record.seenAt } });
  clock.advance(MINUTE - 1);
  expect(await reaper.round()).toBe(0);
  expect(await rows("payload")).toEqual([{ payload: record.payload }]);
  clock.advance(1);
  expect(await reaper.round()).toBe(1);
  expect(await rows("payload")).toEqual([{ payload: null }]);
  expect(await store.read(record)).toEqual(idle);
  expect(await reaper.round()).toBe(0);
  clock.advance(DAY - IDLE - MINUTE - 1);
  expect(await store.read(record)).toEqual(idle);
  clock.advance(1);
  expect(await store.read(record)).toBeNull();
  expect(await reaper.round()).toBe(0);
  clock.advance(MINUTE);
  expect(await reaper.round()).toBe(1);
  expect(await rows()).toEqual([{ n: 0 }]);
});

test("[C-09] a record that was touched or written to since is left alive, with its data", async () => {
  const [touched, written] = (await create(["ada", "bob"])) as [StoredRecord, StoredRecord];
  const reaper = reaperOf();
  clock.advance(IDLE - 1);
  const later = { seenAt: clock.now(), expiresAt: clock.now() + IDLE };
  await store.touch(touched, later.seenAt, later.expiresAt);
  await store.update(written, { ...later, payload: "new" }, 1);
  clock.advance(MINUTE + 1);
  expect(await reaper.round()).toBe(2);
  expect(await reaper.round()).toBe(0);
  expect(await store.read(touched)).toEqual({ ...touched, ...later });
  expect(await store.read(written)).toEqual({ ...written, ...later, payload: "new", version: 2 });
  clock.advance(IDLE);
  expect(await reaper.round()).toBe(2);
  expect(await rows("payload")).toEqual([{ payload: null }, { payload: null }]);
});

test("[C-09] tombstones, moved keys and what endAll ended are forgotten in time, and nothing else", async () => {
  const [ended, rotated, everyone] = await create(["ada", "bob", "cid"]);
  if (!ended || !rotated || !everyone) throw new Error("three");
  const reaper = reaperOf();
  await store.end(ended, LOGOUT);
  const next = { ...rotated, key: recordOf(clock, "bob").key, version: 2 };
  const why = { why: "rotated", at: clock.now() } as const;
  await store.replace(rotated, next, { expectedVersion: 1, ending: why, graceMs: 10_000 });
  await store.endAll("session", { why: "revoked", at: clock.now() });
  const [late] = (await create(["dan"])) as [StoredRecord];
  const absolute = DAY;
  clock.advance(IDLE + MINUTE);
  expect(await reaper.round(), "all but what has no data any more").toBe(4);
  expect(await store.read(rotated)).toBeNull();
  expect(await store.read(next)).toMatchObject({ ending: { why: "revoked" } });
  expect(await store.read(everyone)).toMatchObject({ ending: { why: "revoked" } });
  expect(await store.read(late)).toMatchObject({ ending: { why: "idle" } });
  expect(await rows("payload")).toEqual(Array.from({ length: 4 }, () => ({ payload: null })));
  clock.advance(absolute - IDLE);
  expect(await reaper.round()).toBe(4);
  expect(await rows()).toEqual([{ n: 0 }]);
});

test("[C-09] a key or a handle that is forgotten is free, also before the reaper came", async () => {
  const [one, two, old] = await create(["ada", "bob", "cid"]);
  if (!one || !two || !old) throw new Error("three");
  await store.end(two, LOGOUT);
  clock.advance(DAY);
  const again = { ...recordOf(clock, "ada"), key: one.key };
  expect(await store.create(again)).toEqual({ status: "created", evicted: [] });
  const named = { ...recordOf(clock, "bob"), handle: two.handle };
  expect(await store.create(named)).toEqual({ status: "created", evicted: [] });
  expect(await store.read({ kind: named.kind, handle: two.handle })).toEqual(named);
  const both = { ...recordOf(clock, "cid"), key: old.key, handle: old.handle };
  expect(await store.create(both)).toEqual({ status: "created", evicted: [] });
  expect(await rows()).toEqual([{ n: 3 }]);
});

test("[C-09] that an owner's sessions were ended is remembered for 400 days", async () => {
  const reaper = reaperOf();
  const ending = { why: "revoked", at: clock.now() } as const;
  await store.endOwner("session", ownerOf("ada"), ending);
  const old = recordOf(clock, "ada", { absoluteExpiresAt: 1e15, expiresAt: 1e15 });
  clock.advance(400 * DAY + MINUTE - 1);
  await reaper.round();
  expect(await store.adopt(old)).toEqual({ status: "ended", ending });
  clock.advance(1);
  await reaper.round();
  expect(await server.query("SELECT count(*)::int AS n FROM sojourn_endings")).toEqual([{ n: 0 }]);
});

test("[D-17] 3 reapers share 5,000 rows: each is looked at once, while sessions are used", async () => {
  const users = Array.from({ length: 5_000 }, (_, index) => `user ${index % 100}`);
  await create(users);
  clock.advance(IDLE + MINUTE);
  const alive = await create(["eve", "eve", "eve"]);
  const reapers = [reaperOf(), reaperOf(), reaperOf()];
  const using = Promise.all(
    Array.from({ length: 50 }, async () => {
      for (const record of alive) {
        await store.touch(record, clock.now(), clock.now() + IDLE);
        expect(await store.read(record)).not.toBeNull();
      }
    }),
  );
  const looked = await Promise.all(reapers.map((reaper) => reaper.round()));
  await using;
  const left = await reapers[0]?.round();
  expect(looked.reduce((sum, each) => sum + each, 0) + (left ?? 0)).toBe(5_000);
  const [counts] = await rows("count(*)::int AS n, count(payload)::int AS alive");
  expect(counts).toEqual({ n: 5_003, alive: 3 });
});

test("[D-17] a row that somebody holds is passed by, and taken the next time", async () => {
  const [held] = await create(["ada", "bob"]);
  clock.advance(IDLE + MINUTE);
  const other = await pool.connect();
  await other.query("BEGIN");
  await other.query("SELECT FROM sojourn_records WHERE key = $1 FOR UPDATE", [held?.key]);
  const reaper = reaperOf();
  expect(await reaper.round()).toBe(1);
  await other.query("COMMIT");
  other.release();
  expect(await reaper.round()).toBe(1);
});

test("[C-09] it runs by itself, again after a failure, and stops with the store", async () => {
  await server.query("ALTER TABLE sojourn_records RENAME TO hidden");
  const running = postgresStore({ pool, clock, reapEvery: "20ms" });
  await running.open?.();
  const [record] = [recordOf(clock, "ada")];
  expect(await rejection(running.create(record))).toMatchObject({
    code: "SOJOURN_STORE_UNAVAILABLE",
  });
  await new Promise((resolve) => {
    setTimeout(resolve, 100);
  });
  await server.query("ALTER TABLE hidden RENAME TO sojourn_records");
  await create(["ada"]);
  clock.advance(IDLE + MINUTE);
  await eventually(async () => (await rows("payload"))[0]?.["payload"] === null);
  await running.close();
  await create(["bob"]);
  clock.advance(IDLE + MINUTE);
  await new Promise((resolve) => {
    setTimeout(resolve, 100);
  });
  expect(await rows("count(payload)::int AS n")).toEqual([{ n: 1 }]);
});
