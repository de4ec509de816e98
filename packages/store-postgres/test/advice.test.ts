/** [B-19] Start-up advice: what is said of a server's settings. */
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import type pg from "pg";
import { systemClock } from "@sojourn/core/store";
import type { Advice } from "@sojourn/core/store";
import { recordOf } from "../../../test/support/records.ts";
import { eventually, rejection } from "../../../test/support/waiting.ts";
import { postgresStore } from "../src/index.ts";
import type { PostgresStoreOptions } from "../src/index.ts";
import { startDurableServer, startReplica, startServer } from "./support/server.ts";
import type { Server } from "./support/server.ts";

const topics = (advice: readonly Advice[]): string[] => advice.map(({ topic }) => topic);

async function advised(options: PostgresStoreOptions): Promise<readonly Advice[]> {
  const store = postgresStore(options);
  try {
    return (await store.advise?.()) ?? [];
  } finally {
    await store.close();
  }
}

describe("a durable server", () => {
  let server: Server;
  const pools: pg.Pool[] = [];
  const poolOf = (config: pg.PoolConfig): pg.Pool => {
    const pool = server.pool(config);
    pools.push(pool);
    return pool;
  };
  beforeAll(async () => {
    server = await startDurableServer("max_connections=30");
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await Promise.all(pools.splice(0).map((pool) => pool.end()));
  });
  afterAll(() => server.stop());

  test("[B-19] nothing is said of it", async () => {
    expect(await advised({ url: server.url })).toEqual([]);
    expect(await advised({ pool: poolOf({}) })).toEqual([]);
  });

  test.each([
    ["-c synchronous_commit=off", "durability", "synchronous_commit = on"],
    ["-c default_transaction_read_only=on", "replica", "primary"],
    ["-c default_transaction_isolation=serializable", "isolation", '"serializable"'],
  ])("[B-19] %s: %s", async (options, topic, words) => {
    const advice = await advised({ pool: poolOf({ options }) });
    expect(topics(advice)).toEqual([topic]);
    expect(advice[0]?.message).toContain(words);
  });

  test.each([
    [1, ["connections"]],
    [2, []],
    [25, []],
    [26, ["connections"]],
  ])("[B-18] [B-19] a pool of %i of 30 connections: %j", async (max, wanted) => {
    expect(topics(await advised({ pool: poolOf({ max }) }))).toEqual(wanted);
  });

  test("[B-19] an index that is missing or invalid", async () => {
    await server.query("DROP INDEX sojourn_owner");
    const advice = await advised({ url: server.url });
    expect(topics(advice)).toEqual(["index"]);
    expect(advice[0]?.message).toContain("1 of the 4");
    await server.clear();
  });

  test("[B-19] a database that is not UTF8", async () => {
    await server.query("CREATE DATABASE latin ENCODING LATIN1 TEMPLATE template0 LOCALE 'C'");
    const url = server.url.replace(/postgres$/, "latin");
    expect(topics(await advised({ url }))).toEqual(["encoding"]);
    const store = postgresStore({ url });
    const record = recordOf(systemClock, "漢");
    expect(await rejection(store.create(record))).toMatchObject({ code: "SOJOURN_DATA_INVALID" });
    const latin = recordOf(systemClock, "ü");
    await store.create(latin);
    expect(await store.read(latin)).toEqual(latin);
    await store.close();
  });

  test.each([
    [5_000, "behind"],
    [-5_000, "ahead of"],
  ])("[B-19] a clock that is %i ms away", async (ms, words) => {
    const now = Date.now.bind(Date);
    vi.spyOn(Date, "now").mockImplementation(() => now() + ms);
    const advice = await advised({ url: server.url });
    expect(topics(advice)).toEqual(["clock"]);
    expect(advice[0]?.message).toContain(words);
  });

  test("[B-19] an injected clock is not compared", async () => {
    expect(await advised({ url: server.url, clock: { now: () => 0 } })).toEqual([]);
  });
});

test("[B-19] fsync off, and a replica of such a server", async () => {
  const primary = await startServer("synchronous_commit=on");
  expect(topics(await advised({ url: primary.url }))).toEqual(["durability"]);
  const server = await startReplica(primary);
  await eventually(async () => {
    const advice = await advised({ url: server.url }).catch(() => []);
    return advice.length > 0;
  });
  expect(topics(await advised({ url: server.url }))).toEqual(["replica", "durability"]);
  await server.stop();
  await primary.stop();
}, 60_000);

test("[B-20] a server that is away: SOJOURN_STORE_UNAVAILABLE", async () => {
  const error = await rejection(advised({ url: "postgres://ada:secret@127.0.0.1:1/app" }));
  expect(error).toMatchObject({ code: "SOJOURN_STORE_UNAVAILABLE" });
});
