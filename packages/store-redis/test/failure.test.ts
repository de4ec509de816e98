/** A server that dies, is full, loads, is of the wrong kind: clear errors in time, and recovery. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Cluster, Redis } from "ioredis";
import { systemClock } from "@sojourn/core/store";
import type { Store } from "@sojourn/core/store";
import { Hearing, signalsIn } from "../../../test/support/hearing.ts";
import { ownerOf, recordOf } from "../../../test/support/records.ts";
import { eventually, rejection } from "../../../test/support/waiting.ts";
import { redisStore } from "../src/index.ts";
import { toSojournError } from "../src/errors.ts";
import { runningServer } from "./support/running.ts";
import { startCluster, startServer } from "./support/server.ts";
import type { Server } from "./support/server.ts";

const clock = systemClock;
const README = readFileSync(join(import.meta.dirname, "..", "README.md"), "utf8");
const LOGOUT = { why: "logout", at: 0 } as const;
const DEADLINE = 2_000;
const coded = (code: string): unknown => expect.objectContaining({ code });

async function inTime(answer: unknown, code: string): Promise<void> {
  const started = performance.now();
  expect(await rejection(answer)).toEqual(coded(code));
  expect(performance.now() - started).toBeLessThan(DEADLINE);
}

describe.each(["url", "client"])("a server that is killed and started again (%s)", (way) => {
  let server: Server;
  let client: Redis | null = null;
  let store: Store;
  beforeAll(async () => {
    server = await startServer("--appendonly", "yes", "--appendfsync", "always");
    if (way === "client") {
      client = new Redis(server.url);
      client.on("error", () => {});
    }
    store = redisStore(client === null ? { url: server.url } : { client: client });
  });
  afterAll(async () => {
    await store.close();
    client?.disconnect();
    await server.stop();
  });

  test("every operation is refused within the deadline, and works again without a restart", async () => {
    const kept = recordOf(clock, "ada");
    await store.create(kept);
    for (let round = 0; round < 2; round += 1) {
      const storm = Array.from({ length: 200 }, () => store.create(recordOf(clock, "bob")));
      const settled = Promise.allSettled(storm);
      await server.kill();
      for (const each of await settled) {
        if (each.status === "rejected") {
          expect(each.reason).toEqual(coded("SOJOURN_STORE_UNAVAILABLE"));
        }
      }
      await inTime(store.read(kept), "SOJOURN_STORE_UNAVAILABLE");
      await inTime(store.create(recordOf(clock, null)), "SOJOURN_STORE_UNAVAILABLE");
      await inTime(store.touch(kept, clock.now(), 0), "SOJOURN_STORE_UNAVAILABLE");
      await inTime(store.count("session"), "SOJOURN_STORE_UNAVAILABLE");
      await inTime(store.open?.() ?? Promise.resolve(), "SOJOURN_STORE_UNAVAILABLE");
      await server.start();
      await eventually(
        async () => (await Promise.resolve(store.read(kept)).catch(() => null)) !== null,
      );
      expect(await store.read(kept)).toEqual(kept);
      expect((await store.create(recordOf(clock, "bob"))).status).toBe("created");
    }
  });

  test("scripts that the server has forgotten are sent again", async () => {
    const admin = server.client();
    await admin.script("FLUSH");
    const record = recordOf(clock, null);
    await store.create(record);
    const both = await Promise.all([store.read(record), store.read(record)]);
    expect(both).toEqual([record, record]);
    admin.disconnect();
  });

  test("says so when the server is not there at the start", async () => {
    const nowhere = redisStore({ url: "redis://user:secret-word@127.0.0.1:1" });
    const error = await rejection(nowhere.read(recordOf(clock, null)));
    expect(error).toEqual(coded("SOJOURN_STORE_UNAVAILABLE"));
    expect(inspect(error)).toContain("ECONNREFUSED");
    expect(inspect(error)).not.toContain("secret-word");
    await nowhere.close();
  });
});

describe("what a server says", () => {
  let server: Server;
  let admin: Redis;
  let store: Store;
  beforeAll(async () => {
    const running = await runningServer();
    ({ server, admin } = running);
    store = running.storeOf();
    return running.stop;
  });

  test("out of memory: creations are SOJOURN_STORE_FULL, reads and endings go on", async () => {
    const record = recordOf(clock, "ada", { payload: "hunter2" });
    await store.create(record);
    await admin.config("SET", "maxmemory", "1");
    const error = await rejection(store.create(recordOf(clock, null, { payload: "hunter2" })));
    expect(error).toEqual(coded("SOJOURN_STORE_FULL"));
    expect(inspect(error, { depth: 9 })).not.toContain("hunter2");
    expect(await store.read(record)).toEqual(record);
    expect(await store.touch(record, clock.now() + 1, 0)).toBe(true);
    expect(await store.endOwner("session", ownerOf("ada"), LOGOUT)).toBe(1);
    await admin.config("SET", "maxmemory", "0");
  });

  test("a replica: SOJOURN_STORE_UNAVAILABLE, and well again as a master", async () => {
    await admin.call("REPLICAOF", "127.0.0.1", "1");
    const error = await rejection(store.create(recordOf(clock, null)));
    expect(error).toEqual(coded("SOJOURN_STORE_UNAVAILABLE"));
    expect(String(error)).toContain("replica");
    await admin.call("REPLICAOF", "NO", "ONE");
    await eventually(async () => {
      return store.create(recordOf(clock, null)).then(
        () => true,
        () => false,
      );
    });
  });

  test("an application's own client is not closed", async () => {
    const client = server.client();
    const second = redisStore({ client: client });
    await second.create(recordOf(clock, null));
    await second.close();
    expect(await client.ping()).toBe("PONG");
    expect(client.listenerCount("close")).toBe(0);
    client.disconnect();
  });

  test("a client for one server that meets a cluster is told to be a Cluster", async () => {
    const cluster = await startCluster();
    const alone = redisStore({ url: cluster.servers[0]?.url ?? "" });
    // Of those that leave together, some begin with a key of this server, some with another one's.
    const reads = Array.from({ length: 200 }, async () => alone.read(recordOf(clock, null)));
    const errors = (await Promise.allSettled(reads)).flatMap((each) =>
      each.status === "rejected" ? [String(each.reason)] : [],
    );
    expect(errors.length).toBeGreaterThan(0);
    for (const error of errors) expect(error).toContain("pass a Cluster of ioredis");
    await alone.close();
    await cluster.stop();
  });
});

describe("nothing is queued while Redis is away", { timeout: 60_000 }, () => {
  /** Commands that a client keeps for later, or waits for. */
  function queued(client: Redis | Cluster): number {
    const clients = client instanceof Cluster ? [client, ...client.nodes()] : [client];
    const lengths = clients.flatMap((each) =>
      ["offlineQueue", "commandQueue"].map(
        (name) => (Reflect.get(each, name) as { length: number } | undefined)?.length ?? 0,
      ),
    );
    return lengths.reduce((sum, length) => sum + length, 0);
  }

  async function refused(attempts: readonly Promise<unknown>[]): Promise<void> {
    for (const each of await Promise.allSettled(attempts)) {
      expect(each).toMatchObject({ reason: { code: "SOJOURN_STORE_UNAVAILABLE" } });
    }
  }

  test.each([
    ["ioredis's defaults", {}],
    ["enableOfflineQueue: false", { enableOfflineQueue: false }],
  ])("a client with %s: 10,000 creations are refused, and none happens later", async (_, own) => {
    const server = await startServer("--appendonly", "yes", "--appendfsync", "always");
    const client = new Redis(server.port, { ...own, retryStrategy: () => 50 });
    client.on("error", () => {});
    const store = redisStore({ client });
    const kept = recordOf(clock, null);
    await store.create(kept);
    await server.kill();
    await eventually(async () => client.status !== "ready");
    await refused(Array.from({ length: 10_000 }, () => store.create(recordOf(clock, "bob"))));
    expect(queued(client)).toBe(0);
    await server.start();
    await eventually(
      async () => (await Promise.resolve(store.read(kept)).catch(() => null)) !== null,
    );
    expect(await store.count("session")).toMatchObject({ active: 1, principals: 0 });
    await store.close();
    client.disconnect();
    await server.stop();
  });

  test("a cluster without one master: its creations are refused, and none happens later", async () => {
    const cluster = await startCluster();
    const client = new Cluster([...cluster.nodes]);
    client.on("error", () => {});
    const store = redisStore({ client });
    const records = Array.from({ length: 2_000 }, () => recordOf(clock, null));
    await store.create(recordOf(clock, null));
    await cluster.servers[0]?.kill();
    const outcomes = await Promise.allSettled(records.map((record) => store.create(record)));
    await eventually(async () => queued(client) === 0);
    await cluster.servers[0]?.start();
    await eventually(async () => {
      const reads = records.slice(0, 100).map(async (record) => store.read(record));
      return Promise.all(reads).then(
        () => true,
        () => false,
      );
    }, 30_000);
    const failed = outcomes.flatMap((each, index) =>
      each.status === "rejected"
        ? [{ reason: each.reason as unknown, record: records[index] }]
        : [],
    );
    expect(failed.length).toBeGreaterThan(100);
    for (const { reason, record } of failed) {
      expect(reason).toEqual(coded("SOJOURN_STORE_UNAVAILABLE"));
      if (record) expect(await store.read(record)).toBeNull();
    }
    await store.close();
    client.disconnect();
    await cluster.stop();
  });
});

describe("what else a server says", { timeout: 60_000 }, () => {
  test("LOADING: refused within the deadline, and well when it has loaded", async () => {
    const slowly = ["--key-load-delay", "500", "--loading-process-events-interval-bytes", "1024"];
    const server = await startServer(...slowly);
    const store = redisStore({ url: server.url });
    const record = recordOf(clock, null);
    await store.create(record);
    const admin = server.client();
    await admin.eval("for i = 1, 6000 do redis.call('SET', 'filler:' .. i, i) end", 0);
    await admin.save();
    admin.disconnect();
    await server.kill();
    const loaded = server.start();
    await inTime(store.read(record), "SOJOURN_STORE_UNAVAILABLE");
    await loaded;
    await eventually(
      async () => (await Promise.resolve(store.read(record)).catch(() => null)) !== null,
    );
    await store.close();
    await server.stop();
  });

  describe("while it is up", () => {
    let server: Server;
    let admin: Redis;
    let store: Store;
    const record = recordOf(clock, null);
    beforeAll(async () => {
      const running = await runningServer();
      ({ server, admin } = running);
      store = running.storeOf();
      await store.create(record);
      return running.stop;
    });

    test("NOREPLICAS: nothing is written that the operator wants replicated", async () => {
      await admin.config("SET", "min-replicas-to-write", "1");
      const error = await rejection(store.create(recordOf(clock, null)));
      await admin.config("SET", "min-replicas-to-write", "0");
      expect(error).toEqual(coded("SOJOURN_STORE_WRITE_FAILED"));
      expect(await store.read(record)).toEqual(record);
    });

    test("BUSY: somebody's endless script is named as the cause", async () => {
      await admin.config("SET", "busy-reply-threshold", "50");
      const endless = server.client();
      endless.eval("while true do end", 0).catch(() => {});
      await eventually(async () =>
        admin.ping().then(
          () => false,
          () => true,
        ),
      );
      expect(String(await rejection(store.read(record)))).toContain("SCRIPT KILL");
      await admin.script("KILL");
      endless.disconnect();
      await eventually(
        async () => (await Promise.resolve(store.read(record)).catch(() => null)) !== null,
      );
    });

    test("MASTERDOWN: a replica without its master says nothing old", async () => {
      await admin.config("SET", "replica-serve-stale-data", "no");
      await admin.call("REPLICAOF", "127.0.0.1", "1");
      const error = await rejection(store.read(record));
      await admin.call("REPLICAOF", "NO", "ONE");
      expect(error).toEqual(coded("SOJOURN_STORE_UNAVAILABLE"));
      expect(String(error)).toContain("replica");
      await eventually(
        async () => (await Promise.resolve(store.read(record)).catch(() => null)) !== null,
      );
    });

    test("NOPERM: the rights that are missing are named, and no password", async () => {
      await admin.call(
        "ACL",
        "SETUSER",
        "poor",
        "on",
        ">hunter2",
        "~*",
        "+@read",
        "+info",
        "+ping",
      );
      const poor = redisStore({ url: server.url.replace("//", "//poor:hunter2@") });
      const error = await rejection(poor.read(record));
      expect(error).toEqual(coded("SOJOURN_STORE_UNAVAILABLE"));
      expect(String(error)).toContain("EVALSHA");
      expect(inspect(error, { depth: 9 })).not.toContain("hunter2");
      const sent = await rejection(signalsIn(poor).send("session", "hello"));
      expect(sent).toEqual(coded("SOJOURN_STORE_UNAVAILABLE"));
      await poor.close();
    });
  });

  test("CLUSTERDOWN: refused in time, and well when every slot has its master again", async () => {
    const cluster = await startCluster();
    const store = redisStore({ url: `redis+cluster://127.0.0.1:${cluster.servers[0]?.port}` });
    const record = recordOf(clock, null);
    await store.create(record);
    const admins = cluster.servers.map((server) => server.client());
    const [from, to] = [0, Math.ceil(16_384 / 3) - 1];
    await Promise.all(admins.map((admin) => admin.call("CLUSTER", "DELSLOTSRANGE", from, to)));
    const error = await rejection(store.read(record));
    expect(error).toEqual(coded("SOJOURN_STORE_UNAVAILABLE"));
    expect(String(error)).toContain("CLUSTER INFO");
    await admins[0]?.call("CLUSTER", "ADDSLOTSRANGE", from, to);
    await eventually(
      async () => (await Promise.resolve(store.read(record)).catch(() => null)) !== null,
      30_000,
    );
    for (const admin of admins) admin.disconnect();
    await store.close();
    await cluster.stop();
  });

  test.each([
    ["LOADING Redis is loading the dataset in memory", "SOJOURN_STORE_UNAVAILABLE", "loading"],
    [
      "READONLY You can't write against a read only replica.",
      "SOJOURN_STORE_UNAVAILABLE",
      "replica",
    ],
    ["TRYAGAIN Multiple keys request during rehashing", "SOJOURN_STORE_UNAVAILABLE", "being moved"],
    [
      "Too many Cluster redirections. Last error: ReplyError: TRYAGAIN Multiple",
      "SOJOURN_STORE_UNAVAILABLE",
      "being moved",
    ],
    ["ASK 1 127.0.0.1:7001", "SOJOURN_STORE_UNAVAILABLE", "being moved"],
    ["MOVED 1 127.0.0.1:7001", "SOJOURN_STORE_UNAVAILABLE", "Cluster of ioredis"],
    [
      "MISCONF Redis is configured to save RDB snapshots",
      "SOJOURN_STORE_WRITE_FAILED",
      "INFO persistence",
    ],
    ["OOM command not allowed when used memory > 'maxmemory'.", "SOJOURN_STORE_FULL", "noeviction"],
    ["something new", "SOJOURN_STORE_UNAVAILABLE", "reconnects by itself"],
  ])("%s", (said, code, advice) => {
    const error = toSojournError("read", new Error(said));
    expect(error).toEqual(coded(code));
    expect(error.message).toContain(advice);
  });
});

describe.each(["one server", "a cluster"])("the rights of the README on %s", (layout) => {
  test("are enough for everything", { timeout: 60_000 }, async () => {
    const cluster = layout === "a cluster" ? await startCluster() : null;
    const servers = cluster?.servers ?? [await startServer("--appendonly", "yes")];
    const rights = [...README.matchAll(/^ACL SETUSER app on >\S+ (.*)$/gm)].map(
      ([, rules]) => rules,
    );
    const mine = (cluster ? rights[1] : rights[0])?.split(" ") ?? [];
    for (const server of servers) {
      const admin = server.client();
      await admin.call("ACL", "SETUSER", "app", "reset", "on", ">word", ...mine);
      admin.disconnect();
    }
    const scheme = cluster ? "redis+cluster" : "redis";
    const store = redisStore({ url: `${scheme}://app:word@127.0.0.1:${servers[0]?.port}` });
    const hearing = await new Hearing(store).open();
    await story(store);
    await signalsIn(store).send("session", "hello");
    await hearing.hears("hello");
    const topics = ((await store.advise?.()) ?? []).map(({ topic }) => topic);
    expect(topics).toEqual(cluster ? ["persistence"] : []);
    for (const server of servers) {
      const admin = server.client();
      expect(String(await admin.call("ACL", "LOG"))).toBe("");
      admin.disconnect();
    }
    await store.close();
    await Promise.all(servers.map((server) => server.stop()));
  });
});

/** Every operation of a store once. */
async function story(store: Store): Promise<void> {
  const [anonymous, ada] = [recordOf(clock, null), recordOf(clock, "ada")];
  const ending = { why: "rotated", at: clock.now() } as const;
  const now = clock.now();
  await store.create(anonymous);
  const admission = { max: 1, onLimit: "evict-oldest" } as const;
  await store.replace(anonymous, ada, { expectedVersion: 1, ending, admission });
  await store.create(recordOf(clock, "bob"), { max: 2, onLimit: "reject" });
  await store.update(ada, { payload: "{}", seenAt: now, expiresAt: now + 60_000 }, 1);
  await store.touch(ada, now + 1, now + 60_001);
  expect(await store.listOwner("session", ownerOf("ada"))).toHaveLength(1);
  expect(await store.count("session")).toMatchObject({ active: 2, principals: 2 });
  expect((await store.owners("session")).owners).toHaveLength(2);
  for await (const each of store.scan("session")) expect(each.owner).not.toBeNull();
  const grant = recordOf(clock, null, { kind: "grant" });
  await store.create(grant);
  expect(await store.consume(grant)).not.toBeNull();
  await store.adopt?.(recordOf(clock, "cyd"));
  await store.end(ada, LOGOUT);
  await store.endOwner("session", ownerOf("bob"), LOGOUT);
  await store.endAll("session", LOGOUT);
}
