/** Start-up advice: what is said of a server's settings, and that asking harms nothing. */
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { Redis } from "ioredis";
import { systemClock } from "@sojourn/core/store";
import type { Advice, Store } from "@sojourn/core/store";
import { eventually, rejection } from "../../../test/support/waiting.ts";
import { adviceFor } from "../src/advice.ts";
import { redisStore } from "../src/index.ts";
import type { RedisStoreOptions } from "../src/index.ts";
import { runningServer } from "./support/running.ts";
import { clusterClient, startCluster, startServer } from "./support/server.ts";
import type { Server } from "./support/server.ts";

const topics = (advice: readonly Advice[]): string[] => advice.map(({ topic }) => topic);
const adviceOf = async (store: Store): Promise<readonly Advice[]> => (await store.advise?.()) ?? [];

async function advised(options: RedisStoreOptions): Promise<readonly Advice[]> {
  const store = redisStore(options);
  try {
    return await adviceOf(store);
  } finally {
    await store.close();
  }
}

describe("one server", () => {
  let server: Server;
  let admin: Redis;
  beforeAll(async () => {
    const running = await runningServer("--appendonly", "yes");
    ({ server, admin } = running);
    return running.stop;
  });
  afterEach(() => vi.restoreAllMocks());

  test("[B-19] nothing is said of a durable server that throws nothing away", async () => {
    expect(await advised({ url: server.url })).toEqual([]);
  });

  test.each([
    ["noeviction", []],
    ["volatile-ttl", []],
    ["allkeys-lru", ["eviction-policy"]],
    ["allkeys-lfu", ["eviction-policy"]],
    ["allkeys-random", ["eviction-policy"]],
    ["volatile-lru", ["eviction-policy"]],
    ["volatile-lfu", ["eviction-policy"]],
    ["volatile-random", ["eviction-policy"]],
  ])("[B-19] maxmemory-policy %s: %j", async (policy, wanted) => {
    await admin.config("SET", "maxmemory-policy", policy);
    const advice = await advised({ url: server.url });
    await admin.config("SET", "maxmemory-policy", "noeviction");
    expect(topics(advice)).toEqual(wanted);
    for (const { message } of advice) {
      expect(message).toContain(`"${policy}"`);
      expect(message).toContain("CONFIG SET maxmemory-policy noeviction");
    }
  });

  test("no append-only file: what a crash costs, and how to have one", async () => {
    await admin.config("SET", "appendonly", "no");
    const [advice] = await advised({ url: server.url });
    await admin.config("SET", "appendonly", "yes");
    expect(advice?.topic).toBe("persistence");
    expect(advice?.message).toContain("CONFIG SET appendonly yes");
  });

  test("a replica is told, and what to connect to", async () => {
    await admin.call("REPLICAOF", "127.0.0.1", "1");
    const advice = await advised({ url: server.url });
    await admin.call("REPLICAOF", "NO", "ONE");
    expect(topics(advice)).toEqual(["replica"]);
  });

  test.each([
    [2_500, "behind"],
    [-2_500, "ahead of"],
  ])("a clock that differs by %i ms is told, and one of 500 ms is not", async (by, word) => {
    const now = vi.spyOn(Date, "now");
    const real = (): number => Math.round(performance.timeOrigin + performance.now());
    now.mockImplementation(() => real() + by);
    const [advice] = await advised({ url: server.url });
    now.mockImplementation(() => real() + by / 5);
    const none = await advised({ url: server.url });
    expect(advice?.topic).toBe("clock");
    expect(advice?.message).toMatch(new RegExp(`2\\.[45] s ${word}`));
    expect(none).toEqual([]);
  });

  test("a clock of the test's own is compared with nothing", async () => {
    expect(await advised({ url: server.url, clock: { now: () => 0 } })).toEqual([]);
  });

  test.each([
    ["-info", ["INFO"], ["TIME"]],
    ["-info -time", ["INFO", "TIME"], []],
    ["-time", ["TIME"], ["INFO"]],
  ])("an ACL with %s: says what it could not ask", async (rights, named, unnamed) => {
    const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
    const rules = ["reset", "on", ">word", "~*", "&*", "+@all", ...rights.split(" ")];
    await admin.call("ACL", "SETUSER", "narrow", ...rules);
    const advice = await advised({ url: server.url.replace("//", "//narrow:word@") });
    expect(topics(advice)).toEqual(["not-checked"]);
    for (const command of named)
      expect(advice[0]?.message).toMatch(new RegExp(`user.*${command}.*:`));
    for (const command of unnamed) expect(advice[0]?.message).not.toMatch(`user ${command}`);
    warned.mockRestore();
  });
});

test("a server that is away: rejects with what the store says of it", async () => {
  const server = await startServer();
  const store = redisStore({ url: server.url });
  await store.open?.();
  await server.kill();
  expect(await rejection(adviceOf(store))).toMatchObject({ code: "SOJOURN_STORE_UNAVAILABLE" });
  await store.close();
  await server.stop();
});

test("a cluster: every master is asked, and named where it matters", async () => {
  const cluster = await startCluster();
  const client = clusterClient(cluster);
  const [first, second, third] = cluster.servers;
  const admin = second?.client();
  await admin?.config("SET", "maxmemory-policy", "allkeys-lru");
  admin?.disconnect();
  const store = redisStore({ client });
  await eventually(async () => client.nodes("master").length === 3);
  const advice = await adviceOf(store);
  const of = (topic: string): string => advice.find((each) => each.topic === topic)?.message ?? "";
  expect(topics(advice).toSorted()).toEqual(["eviction-policy", "persistence"]);
  for (const { port } of [first, second, third].flatMap((each) => each ?? [])) {
    expect(of("persistence")).toContain(`:${port}`);
    expect(of("eviction-policy").includes(`:${port}`)).toBe(port === second?.port);
  }
  await store.close();
  client.disconnect();
  await cluster.stop();
});

describe("what other servers say of themselves", () => {
  const saying = (info: string): Redis =>
    Object.assign(new Redis({ lazyConnect: true }), {
      info: async () => info.replaceAll(" ", "\r\n"),
      time: async () => [Math.floor(Date.now() / 1_000), 0],
    });
  const right = "maxmemory_policy:noeviction aof_enabled:1 role:master";

  test.each([
    ["redis_version:6.2.14", ["version"]],
    ["redis_version:7.0.0", []],
    ["redis_version:10.1.0", []],
    ["server_name:valkey redis_version:7.2.4 valkey_version:9.0.0", []],
  ])("%s: %j", async (version, wanted) => {
    expect(topics(await adviceFor(saying(`${version} ${right}`), systemClock))).toEqual(wanted);
  });

  test("a service that hides its policy: not-checked", async () => {
    const found = await adviceFor(saying("redis_version:7.1.0 role:master"), systemClock);
    expect(topics(found)).toEqual(["not-checked"]);
  });
});
