/** Reads of one turn of the event loop are asked at once, and told to each as if it had asked alone. */
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type pg from "pg";
import { systemClock as clock } from "@sojourn/core/store";
import type { Store, StoredRecord } from "@sojourn/core/store";
import { recordOf } from "../../../test/support/records.ts";
import { postgresStore } from "../src/index.ts";
import type { PostgresPool, PostgresQuery } from "../src/index.ts";
import { litePool } from "./support/pglite.ts";
import { STARTING, startServer } from "./support/server.ts";
import type { Server } from "./support/server.ts";

let server: Server;
let pool: pg.Pool;
let asked: string[];
let store: Store;
beforeAll(async () => {
  server = await startServer();
  pool = server.pool();
}, STARTING);
afterAll(async () => {
  await pool.end();
  await server.stop();
});
beforeEach(async () => {
  await server.query("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
  asked = [];
  store = postgresStore({ pool: noting(pool), events: false, connectWithin: "1m" });
  await store.open?.();
  return async () => store.close();
});

/** The pool, but that the text of every query is noted. */
function noting(real: pg.Pool): PostgresPool {
  return {
    on: (event, listener) => real.on(event, listener),
    removeListener: (event, listener) => real.removeListener(event, listener),
    end: () => real.end(),
    async connect() {
      const client = await real.connect();
      return {
        on: (event, listener) => client.on(event, listener),
        removeListener: (event, listener) => client.removeListener(event, listener),
        release: (isBroken) => client.release(isBroken),
        query(query: PostgresQuery) {
          asked.push(query.text);
          return client.query({ ...query });
        },
      };
    },
  };
}

const times = <T>(count: number, run: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => run(index));

async function kept(fields?: Partial<StoredRecord>): Promise<StoredRecord> {
  const record = recordOf(clock, null, fields);
  await store.create(record);
  return record;
}

/** What it came to: what was found, or the code of the error. */
async function outcome(record: StoredRecord): Promise<unknown> {
  try {
    return await store.read(record);
  } catch (error) {
    return (error as { readonly code: string }).code;
  }
}

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
  for (const record of records) alone.push(await outcome(record));
  asked = [];
  const together = await Promise.all(records.map(outcome));
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
  const found = await Promise.all(records.map(outcome));
  expect(found.map((each) => (each as StoredRecord).payload)).toEqual(times(40, String));
  expect(asked).toHaveLength(3);
  const [first] = records;
  if (!first) throw new Error("forty were kept");
  expect(await Promise.all([outcome(first), outcome(first)])).toMatchObject([first, first]);
});

test("those of several kinds are told of their own", async () => {
  const one = await kept();
  const other = await kept({ kind: "other" });
  const records = [one, other, { ...one, kind: "other" }, { ...other, kind: "session" }];
  expect(await Promise.all(records.map(outcome))).toMatchObject([
    { kind: "session", key: one.key },
    { kind: "other", key: other.key },
    null,
    null,
  ]);
});

test("a statement that fails fails each of them, and none of the next turn", async () => {
  const records = [await kept(), await kept()];
  await server.query("ALTER TABLE sojourn_generations RENAME COLUMN at TO hidden");
  expect(await Promise.all(records.map(outcome))).toEqual(
    records.map(() => "SOJOURN_STORE_UNAVAILABLE"),
  );
  await server.query("ALTER TABLE sojourn_generations RENAME COLUMN hidden TO at");
  expect(await Promise.all(records.map(outcome))).toMatchObject(
    records.map(({ key }) => ({ key })),
  );
});

test("a flush and a close wait for what was asked in their turn", async () => {
  const record = await kept();
  asked = [];
  const reading = outcome(record);
  await store.flush();
  expect(asked).toHaveLength(1);
  const last = outcome(record);
  await store.close();
  expect(await Promise.all([reading, last])).toMatchObject([record, record]);
});

test("on PGlite too", { timeout: STARTING }, async () => {
  const lite = await litePool();
  store = postgresStore({ pool: lite, events: false, connectWithin: "1m" });
  const records = [await kept(), recordOf(clock, null), await kept()];
  expect(await Promise.all(records.map(outcome))).toMatchObject([records[0], null, records[2]]);
  await store.close();
  await lite.end();
});
