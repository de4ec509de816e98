/** The options: one error for all problems, and no url in it; names are checked before they reach SQL. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { recordOf } from "../../../test/support/records.ts";
import { postgresSchema, postgresStore } from "../src/index.ts";
import { parseOptions } from "../src/options.ts";
import { startServer } from "./support/server.ts";
import type { Server } from "./support/server.ts";

const invalid = expect.objectContaining({ code: "SOJOURN_OPTIONS_INVALID" });
const url = "postgres://localhost/app";

test("[E-01] lists every problem with its option, and never the url", () => {
  const wrong = {
    pool: {},
    url: "http://me:hunter2@host",
    schema: "a-b",
    table: "1st",
    migrate: "yes",
    connectWithin: 1.5,
    clock: 1,
    reapEvery: 60,
    events: 1,
  };
  const options = { ...wrong, unknown: true };
  let error: unknown;
  try {
    postgresStore(options as never);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toEqual(invalid);
  for (const name of Object.keys(options)) expect(String(error)).toContain(name);
  expect(String(error)).not.toContain("hunter2");
});

test.each([
  undefined,
  null,
  {},
  { url: "" },
  { url: "mysql://localhost" },
  { url: "postgres://localhost:port" },
  { url, reapEvery: 0 },
  { url: undefined, pool: undefined },
])("[E-01] refuses %j", (options) => {
  expect(() => postgresStore(options as never)).toThrowError(invalid);
});

test("[E-01] refuses a pool and a url together", () => {
  const methods = ["connect", "on", "removeListener", "end"].map((name) => [name, () => {}]);
  const pool = Object.fromEntries(methods) as never;
  expect(() => postgresStore({ pool, url })).toThrowError(/either pool or url/);
});

test.each([
  'sojourn"; DROP TABLE users; --',
  "a.b",
  "a b",
  "",
  "ünïcode",
  "a\nb",
  "a\u0000b",
  "x".repeat(64),
])("[T-SQL] refuses the schema and the table %j", (name) => {
  for (const option of ["schema", "table"]) {
    expect(() => postgresStore({ url, [option]: name })).toThrowError(invalid);
    expect(() => postgresSchema({ [option]: name })).toThrowError(invalid);
  }
});

test("[E-01] reapEvery is a duration", () => {
  expect(parseOptions({ url, reapEvery: "2h" }).reapEvery).toBe(7_200_000);
});

describe("names that need quotes", () => {
  let server: Server;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.stop());

  test.each([
    ["Select", "User"],
    ["public", "x".repeat(40)],
    ["s".repeat(63), "_"],
  ])("[T-SQL] the schema %s and the table %s work", async (schema, table) => {
    const store = postgresStore({ url: server.url, schema, table });
    const record = recordOf(store.clock, "ada");
    await store.create(record, { max: 1, onLimit: "reject" });
    expect(await store.read(record)).toEqual(record);
    const names = await server.query(
      "SELECT tablename FROM pg_tables WHERE schemaname = $1 ORDER BY 1",
      [schema],
    );
    const wanted = ["endings", "generations", "meta", "records"].map((what) => `${table}_${what}`);
    expect(names.map(({ tablename }) => tablename)).toEqual(expect.arrayContaining(wanted));
    await store.close();
  });
});
