/** A server that dies, is full, loads, is of the wrong kind: clear errors in time, and recovery. */
import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Redis } from "ioredis";
import { systemClock } from "@sojourn/core/store";
import type { Store } from "@sojourn/core/store";
import { redisStore } from "../src/index.ts";
import { eventually, ownerOf, recordOf, rejection } from "./support/records.ts";
import { startCluster, startServer } from "./support/server.ts";
import type { Server } from "./support/server.ts";

const clock = systemClock;
const LOGOUT = { why: "logout", at: 0 } as const;
const DEADLINE = 2_000;
const coded = (code: string): unknown => expect.objectContaining({ code });

async function inTime(promise: Promise<unknown>, code: string): Promise<void> {
  const started = performance.now();
  expect(await rejection(promise)).toEqual(coded(code));
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
      await eventually(async () => (await store.read(kept).catch(() => null)) !== null);
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
    server = await startServer();
    admin = server.client();
    store = redisStore({ url: server.url });
  });
  afterAll(async () => {
    await store.close();
    admin.disconnect();
    await server.stop();
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

  test.each([
    ["a string", (name: string) => admin.set(name, "theirs")],
    ["a hash", (name: string) => admin.hset(name, "theirs", "1")],
    ["an unknown format", (name: string) => admin.hset(name, "f", "x")],
    ["half a record", (name: string) => admin.hset(name, "f", "1", "h", "x", "c", "1")],
    [
      "a broken ending",
      (name: string) => admin.hset(name, "f", "1", "h", "x", "c", "1", "e", "9e15", "d", "{"),
    ],
  ])(
    "%s where a record belongs: SOJOURN_STORE_CORRUPT, and left as it is",
    async (_what, write) => {
      const record = recordOf(clock, null);
      const name = `sojourn:{${record.key.slice(0, 3)}}:session:k:${record.key}`;
      await write(name);
      const before = await admin.dump(name);
      for (const operation of [() => store.read(record), () => store.consume(record)]) {
        const outcome = await operation().catch((error: unknown) => error);
        if (outcome !== null) expect(outcome).toEqual(coded("SOJOURN_STORE_CORRUPT"));
      }
      expect(await rejection(store.read(record))).toEqual(coded("SOJOURN_STORE_CORRUPT"));
      await rejection(store.create(record));
      expect(await admin.dump(name)).toBe(before);
    },
  );

  test("a record of a later format: SOJOURN_STORE_NEWER_FORMAT, and left as it is", async () => {
    const record = recordOf(clock, null);
    const name = `sojourn:{${record.key.slice(0, 3)}}:session:k:${record.key}`;
    await admin.hset(name, "f", "2", "h", record.handle);
    expect(await rejection(store.read(record))).toEqual(coded("SOJOURN_STORE_NEWER_FORMAT"));
    expect(await rejection(store.create(record))).toEqual(coded("SOJOURN_STORE_NEWER_FORMAT"));
    expect(await admin.hget(name, "f")).toBe("2");
  });

  test.each(["a", "p"])("an index %s of another type: nothing half-written", async (index) => {
    await admin.del(`sojourn:{*}:other:${index}`);
    await admin.set(`sojourn:{*}:other:${index}`, "theirs");
    const record = recordOf(clock, "ada", { kind: "other" });
    expect(await rejection(store.create(record))).toEqual(coded("SOJOURN_STORE_CORRUPT"));
    expect(await store.read(record)).toBeNull();
    await admin.del(`sojourn:{*}:other:${index}`);
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
    const reads = Array.from({ length: 30 }, () => alone.read(recordOf(clock, null)));
    const errors = (await Promise.allSettled(reads)).flatMap((each) =>
      each.status === "rejected" ? [String(each.reason)] : [],
    );
    expect(errors.length).toBeGreaterThan(0);
    for (const error of errors) expect(error).toContain("pass a Cluster of ioredis");
    await alone.close();
    await cluster.stop();
  });
});
