/** The tables: made once however many start, updated step by step, never touched when they are newer. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Store } from "@sojourn/core/store";
import { recordOf } from "../../../test/support/records.ts";
import { eventually, rejection } from "../../../test/support/waiting.ts";
import { postgresSchema, postgresStore } from "../src/index.ts";
import type { PostgresStoreOptions } from "../src/index.ts";
import { migrate } from "../src/migrate.ts";
import { namesFor } from "../src/names.ts";
import type { Names } from "../src/names.ts";
import { startServer } from "./support/server.ts";
import type { Server } from "./support/server.ts";

let server: Server;
const open: Store[] = [];
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());
beforeEach(async () => {
  await server.query("DROP SCHEMA IF EXISTS mine CASCADE");
  return async () => void (await Promise.all(open.splice(0).map((store) => store.close())));
});

/** A store with a pool of its own, as another process has. */
function storeOf(options: Partial<PostgresStoreOptions> = {}): Store {
  const store = postgresStore({ url: server.url, schema: "mine", ...options });
  open.push(store);
  return store;
}

const versions = (): Promise<Record<string, unknown>[]> =>
  server.query("SELECT version FROM mine.sojourn_meta ORDER BY 1");
const contents = async (): Promise<unknown> =>
  server.query(
    `SELECT relname AS name, xmin::text FROM pg_class WHERE relnamespace = 'mine'::regnamespace
     UNION ALL SELECT proname, xmin::text FROM pg_proc WHERE pronamespace = 'mine'::regnamespace ORDER BY 1, 2`,
  );

test("[B-01] 8 that start at once make the tables once, and all work", async () => {
  const stores = Array.from({ length: 8 }, () => storeOf());
  await Promise.all(stores.map(async (store) => store.open?.()));
  expect(await versions()).toEqual([{ version: 1 }]);
  const record = recordOf(stores[0]?.clock ?? { now: () => 0 }, "ada");
  await stores[0]?.create(record);
  for (const store of stores) expect(await store.read(record)).toEqual(record);
});

test("[B-01] opening again changes nothing, and data stays", async () => {
  const [first, second] = [storeOf(), storeOf()];
  const record = recordOf(first.clock, "ada");
  await first.create(record);
  const before = await contents();
  await second.open?.();
  expect(await contents()).toEqual(before);
  expect(await second.read(record)).toEqual(record);
});

test("[B-01] a newer format is SOJOURN_STORE_NEWER_FORMAT for every operation, and nothing is touched", async () => {
  const first = storeOf();
  await first.open?.();
  await server.query("INSERT INTO mine.sojourn_meta (version) VALUES (2)");
  const before = await contents();
  const older = storeOf();
  const newer = { code: "SOJOURN_STORE_NEWER_FORMAT", details: { version: 2, known: 1 } };
  expect(await rejection(older.open?.() ?? Promise.resolve())).toMatchObject(newer);
  const record = recordOf(older.clock, "ada");
  expect(await rejection(older.create(record))).toMatchObject(newer);
  expect(await rejection(older.read(record))).toMatchObject(newer);
  expect(await contents()).toEqual(before);
  expect(await server.query("SELECT count(*)::int AS n FROM mine.sojourn_records")).toEqual([
    { n: 0 },
  ]);
});

describe("migrate: false", () => {
  test("[B-01] without tables: SOJOURN_STORE_UNAVAILABLE that says what to run, and nothing is made", async () => {
    const store = storeOf({ migrate: false });
    const error = await rejection(store.open?.() ?? Promise.resolve());
    expect(error).toMatchObject({ code: "SOJOURN_STORE_UNAVAILABLE" });
    expect(String(error)).toContain("postgresSchema()");
    expect(await server.query("SELECT FROM pg_namespace WHERE nspname = 'mine'")).toEqual([]);
  });

  test("[B-01] with the SQL of postgresSchema() run by somebody else it works, without a restart", async () => {
    const store = storeOf({ migrate: false });
    await rejection(store.open?.() ?? Promise.resolve());
    await server.query(postgresSchema({ schema: "mine" }));
    const record = recordOf(store.clock, "ada");
    await store.create(record);
    expect(await store.read(record)).toEqual(record);
    await storeOf().open?.();
    expect(await versions()).toEqual([{ version: 1 }]);
  });
});

test("[B-01] a user that may only use the tables can, and one that may not make them is told", async () => {
  await server.query("DROP ROLE IF EXISTS app; CREATE ROLE app LOGIN");
  const url = server.url.replace("sojourn:secret", "app:secret");
  const store = storeOf({ url });
  const error = await rejection(store.open?.() ?? Promise.resolve());
  expect(error).toMatchObject({ code: "SOJOURN_STORE_UNAVAILABLE", cause: { code: "42501" } });
  await storeOf().open?.();
  await server.query(
    "GRANT USAGE ON SCHEMA mine TO app; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA mine TO app",
  );
  const record = recordOf(store.clock, "ada");
  await store.create(record, { max: 1, onLimit: "evict-oldest" });
  await store.endOwner("session", record.owner ?? ("" as never), { why: "logout", at: 0 });
  await store.endAll("session", { why: "logout", at: 0 });
  expect(await store.read(record)).toMatchObject({ ending: { why: "logout" } });
  await store.close();
  await server.query("DROP OWNED BY app; DROP ROLE app");
});

test("[B-01] tables that are dropped under a running store are made again", async () => {
  const store = storeOf();
  const record = recordOf(store.clock, "ada");
  await store.create(record);
  await server.query("DROP SCHEMA mine CASCADE");
  const error = await rejection(store.read(record));
  expect(error).toMatchObject({ code: "SOJOURN_STORE_UNAVAILABLE" });
  expect(await store.read(record)).toBeNull();
  await store.create(record);
  expect(await store.read(record)).toEqual(record);
});

test("[B-20] an operation does not wait for a migration that another process takes long for", async () => {
  const pool = server.pool();
  const other = await pool.connect();
  await other.query("BEGIN");
  await other.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [
    'sojourn migration "mine"."sojourn_meta"',
  ]);
  const store = storeOf();
  const opening = store.open?.();
  const record = recordOf(store.clock, "ada");
  const started = performance.now();
  expect(await rejection(store.create(record))).toMatchObject({
    code: "SOJOURN_STORE_UNAVAILABLE",
  });
  expect(performance.now() - started).toBeLessThan(2_000);
  await other.query("COMMIT");
  other.release();
  await pool.end();
  await opening;
  expect(await store.read(record)).toBeNull();
});

describe("the steps", () => {
  const names = namesFor("mine", "steps");
  const first = ({ at }: Names): string => `CREATE TABLE ${at("one")} (n int);`;
  const second = ({ at }: Names): string => `ALTER TABLE ${at("one")} ADD COLUMN m int;`;
  const broken = ({ at }: Names): string => `DROP TABLE ${at("one")}; SELECT 1 / 0;`;
  const run = async (...migrations: ((names: Names) => string)[]): Promise<void> => {
    const pool = server.pool();
    const client = await pool.connect();
    try {
      await migrate(client, { names, migrate: true, migrations });
    } finally {
      client.release();
      await pool.end();
    }
  };
  const columns = (): Promise<Record<string, unknown>[]> =>
    server.query(
      "SELECT attname FROM pg_attribute WHERE attrelid = 'mine.steps_one'::regclass AND attnum > 0 ORDER BY attnum",
    );

  test("[B-01] an older format is brought forward by the steps that it lacks, once", async () => {
    await run(first);
    await Promise.all(Array.from({ length: 4 }, () => run(first, second)));
    expect(await columns()).toEqual([{ attname: "n" }, { attname: "m" }]);
    expect(await server.query("SELECT version FROM mine.steps_meta ORDER BY 1")).toEqual([
      { version: 1 },
      { version: 2 },
    ]);
  });

  test("[B-01] an older release that waited while a newer one migrated is told, and touches nothing", async () => {
    const pool = server.pool();
    const newer = await pool.connect();
    await newer.query("CREATE SCHEMA mine");
    await newer.query("BEGIN");
    await newer.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [
      `sojourn migration ${names.at("meta")}`,
    ]);
    const older = rejection(run(first));
    const waiting = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
    await eventually(async () => (await server.query(waiting)).length === 1);
    await newer.query(`CREATE TABLE ${names.at("meta")} (version int)`);
    await newer.query(`INSERT INTO ${names.at("meta")} VALUES (1), (2)`);
    await newer.query("COMMIT");
    newer.release();
    await pool.end();
    expect(await older).toMatchObject({ code: "SOJOURN_STORE_NEWER_FORMAT" });
    expect(await server.query("SELECT FROM pg_tables WHERE schemaname = 'mine'")).toHaveLength(1);
  });

  test("[B-01] a step that fails leaves everything as it was", async () => {
    await run(first);
    expect(await rejection(run(first, broken))).toMatchObject({ code: "22012" });
    expect(await columns()).toEqual([{ attname: "n" }]);
    await run(first, second);
    expect(await columns()).toHaveLength(2);
  });
});
