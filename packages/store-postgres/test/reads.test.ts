/** Reads of one turn of the event loop are asked at once, and told to each as if it had asked alone. */
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type pg from "pg";
import { systemClock as clock } from "@sojourn/core/store";
import type { Store, StoredRecord } from "@sojourn/core/store";
import { recordOf } from "../../../test/support/records.ts";
import { times } from "../../../test/support/times.ts";
import { outcome } from "../../../test/support/waiting.ts";
import { postgresStore } from "../src/index.ts";
import type { PostgresQuery } from "../src/index.ts";
import { notedPool } from "./support/noted.ts";
import { litePool } from "./support/pglite.ts";
import { startServer } from "./support/server.ts";
import type { Server } from "./support/server.ts";

let server: Server;
let pool: pg.Pool;
let asked: PostgresQuery[];
let store: Store;
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
  asked = [];
  store = postgresStore({
    pool: notedPool(pool, (query) => asked.push(query)),
    events: false,
    connectWithin: "1m",
  });
  await store.open?.();
  return async () => store.close();
});

async function kept(fields?: Partial<StoredRecord>): Promise<StoredRecord> {
  const record = recordOf(clock, null, fields);
  await store.create(record);
  return record;
}

const read = (record: StoredRecord) => outcome(store.read(record));

/** One of each kind that a read can meet. */
async function oneOfEach(): Promise<StoredRecord[]> {
  const [ended, corrupt, moved] = [await kept(), await kept(), await kept()];
  await store.end(ended, { why: "revoked", at: clock.now() });
  await store.end(corrupt, { why: "revoked", at: clock.now() });
  await server.query("UPDATE sojourn_records SET ending = '{' WHERE key = $1", [corrupt.key]);
  const next = recordOf(clock, null, { handle: moved.handle });
  const ending = { why: "rotated", at: clock.now(), successor: next.handle } as const;
  await store.replace(moved, next, { expectedVersion: 1, ending, graceMs: 60_000 });
  const odd = (key: string): StoredRecord => recordOf(clock, null, { key: key as never });
  const nul = await kept({ key: `${recordOf(clock, null).key}\0,"{}` as never });
  return [await kept(), ended, corrupt, recordOf(clock, null), moved, odd(""), nul, await kept()];
}

test("each is told what it would be told alone", async () => {
  const records = await oneOfEach();
  const alone: unknown[] = [];
  for (const record of records) alone.push(await read(record));
  asked = [];
  const together = await Promise.all(records.map(read));
  expect(asked).toHaveLength(1);
  expect(together).toEqual(alone);
  expect(together).toMatchObject([
    { key: records[0]?.key },
    { ending: { why: "revoked" } },
    "SOJOURN_STORE_CORRUPT",
    null,
    { handle: records[4]?.handle },
    null,
    { key: records[6]?.key },
    { key: records[7]?.key },
  ]);
});

test("sixteen are one statement, each key its own answer", async () => {
  const records: StoredRecord[] = [];
  for (const index of times(40, Number)) records.push(await kept({ payload: String(index) }));
  asked = [];
  const found = await Promise.all(records.map(read));
  expect(found.map((each) => (each as StoredRecord).payload)).toEqual(times(40, String));
  expect(asked).toHaveLength(3);
  const [first] = records;
  if (!first) throw new Error("forty were kept");
  expect(await Promise.all([read(first), read(first)])).toMatchObject([first, first]);
});

test("those of several kinds are told of their own", async () => {
  const one = await kept();
  const other = await kept({ kind: "other" });
  const records = [one, other, { ...one, kind: "other" }, { ...other, kind: "session" }];
  expect(await Promise.all(records.map(read))).toMatchObject([
    { kind: "session", key: one.key },
    { kind: "other", key: other.key },
    null,
    null,
  ]);
});

test("a statement that fails fails each of them, and none of the next turn", async () => {
  const records = [await kept(), await kept()];
  await server.query("ALTER TABLE sojourn_generations RENAME COLUMN at TO hidden");
  expect(await Promise.all(records.map(read))).toEqual(
    records.map(() => "SOJOURN_STORE_UNAVAILABLE"),
  );
  await server.query("ALTER TABLE sojourn_generations RENAME COLUMN hidden TO at");
  expect(await Promise.all(records.map(read))).toMatchObject(records.map(({ key }) => ({ key })));
});

test("a flush and a close wait for what was asked in their turn", async () => {
  const record = await kept();
  asked = [];
  const reading = read(record);
  await store.flush();
  expect(asked).toHaveLength(1);
  const last = read(record);
  await store.close();
  expect(await Promise.all([reading, last])).toMatchObject([record, record]);
});

test("on PGlite too", { timeout: 60_000 }, async () => {
  const lite = await litePool();
  store = postgresStore({ pool: lite, events: false, connectWithin: "1m" });
  const records = [await kept(), recordOf(clock, null), await kept()];
  expect(await Promise.all(records.map(read))).toMatchObject([records[0], null, records[2]]);
  await store.close();
  await lite.end();
});
