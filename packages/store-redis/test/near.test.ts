/** the near cache serves reads without a round trip, and knows within milliseconds what others change. */
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isTombstone, systemClock, type Store, type StoredRecord } from "@sojourn/core/store";
import { Proxy } from "../../../test/faults/proxy.ts";
import { ownerOf, recordOf } from "../../../test/support/records.ts";
import { eventually, rejection } from "../../../test/support/waiting.ts";
import { redisStore } from "../src/index.ts";
import type { NearOptions } from "../src/index.ts";
import { kept, scriptsOf, sure } from "./support/near.ts";
import { clusterClient, startCluster, startServer, type Server } from "./support/server.ts";

const clock = systemClock;
const revoked = (): { why: "revoked"; at: number } => ({ why: "revoked", at: clock.now() });

describe("on a server", () => {
  let server: Server;
  const clients: Redis[] = [];
  const stores: Store[] = [];
  /** A process: a client and a store of its own. */
  function node(near: boolean | NearOptions): { store: Store; client: Redis } {
    const client = server.client();
    const store = redisStore({ client, near });
    clients.push(client);
    stores.push(store);
    return { store, client };
  }
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(async () => {
    await Promise.all(stores.map((store) => store.close()));
    for (const client of clients) client.disconnect();
    await server.stop();
  });

  test("[X-03] 1,000 reads of a session cost the server no script, and give one frozen record at once", async () => {
    const { store, client } = node(true);
    const record = await kept(store, clock, "ada");
    const before = await scriptsOf(client);
    for (let index = 0; index < 1_000; index += 1) expect(store.read(record)).toEqual(record);
    expect(await scriptsOf(client)).toBe(before);
    expect(Object.isFrozen(store.read(record))).toBe(true);
    await store.close();
    const refused = await rejection(store.read(record));
    expect(refused).toMatchObject({ code: "SOJOURN_STORE_CLOSED" });
  });

  test("[X-03] off by default, by handle and where asked for fresh: one script each", async () => {
    const [off, on] = [node(false), node(true)];
    const record = await kept(on.store, clock, "ada");
    const { kind, handle } = record;
    const before = await scriptsOf(on.client);
    for (let index = 0; index < 10; index += 1) {
      await off.store.read(record);
      await on.store.read({ kind, handle });
      await on.store.read(record, { fresh: true });
    }
    expect(await scriptsOf(on.client)).toBe(before + 30);
  });

  test("[X-03] what another process revokes is seen within milliseconds: median of 200", async () => {
    const [here, there] = [node(true), node(false)];
    await sure(here.store);
    const took: number[] = [];
    for (let index = 0; index < 200; index += 1) {
      const record = await kept(here.store, clock, `user ${index}`);
      await there.store.end(record, revoked());
      const began = performance.now();
      for (;;) {
        const found = await here.store.read(record);
        if (found && isTombstone(found)) break;
        await new Promise((resolve) => {
          setImmediate(resolve);
        });
      }
      took.push(performance.now() - began);
    }
    const sorted = took.toSorted((a, b) => a - b);
    const at = (share: number): string => (sorted[Math.floor(share * 199)] ?? 0).toFixed(2);
    console.log(`seen after ms: median ${at(0.5)}, 95 % ${at(0.95)}, longest ${at(1)}`);
  });

  test("[X-03] endOwner, endAll, update, touch and rotation elsewhere are seen; an eviction by Redis too", async () => {
    const [here, there] = [node(true), node(false)];
    const seen = async (
      change: (record: StoredRecord) => Promise<unknown>,
      isSeen: (found: Awaited<ReturnType<Store["read"]>>, record: StoredRecord) => boolean,
    ): Promise<void> => {
      const record = await kept(here.store, clock, "ada");
      await change(record);
      await eventually(async () => isSeen(await here.store.read(record), record), 2_000);
    };
    const isEnded = (found: Awaited<ReturnType<Store["read"]>>): boolean =>
      found !== null && isTombstone(found);
    await seen(() => there.store.endOwner("session", ownerOf("ada"), revoked()), isEnded);
    await seen(() => there.store.endAll("session", revoked()), isEnded);
    await seen(
      (record) => there.store.update(record, { ...record, payload: "new" }, 1),
      (found) => found !== null && "payload" in found && found.payload === "new",
    );
    await seen(
      (record) => there.store.touch(record, clock.now() + 5, record.expiresAt + 5),
      (found, { expiresAt }) => found !== null && found.expiresAt === expiresAt + 5,
    );
    await seen(
      (record) =>
        there.store.replace(
          record,
          { ...recordOf(clock, "ada"), handle: record.handle },
          {
            expectedVersion: 1,
            ending: { why: "rotated", at: clock.now() },
          },
        ),
      isEnded,
    );
    await seen(
      () => there.client.flushall(),
      (found) => found === null,
    );
  });

  test("[X-03] a process reads what it wrote itself, at once, 500 times", async () => {
    const { store } = node(true);
    const record = await kept(store, clock, "ada");
    for (let version = 1; version <= 500; version += 1) {
      await store.update(record, { ...record, payload: String(version) }, version);
      expect(await store.read(record)).toMatchObject({ payload: String(version) });
    }
    await store.end(record, revoked());
    expect(await store.read(record)).toMatchObject({ ending: { why: "revoked" } });
  });

  test("[X-03] a session is dead at its deadline though nobody tells of it", async () => {
    let now = clock.now();
    const client = server.client();
    const store = redisStore({ client, near: true, clock: { now: () => now } });
    const record = await kept(store, store.clock, "ada");
    now = record.expiresAt - 1;
    expect(await store.read(record)).toMatchObject({ payload: "{}" });
    now = record.expiresAt;
    expect(await store.read(record)).toMatchObject({ ending: { why: "idle" } });
    await store.close();
    client.disconnect();
  });

  test("[X-03] no more than `entries` are kept", async () => {
    const { store, client } = node({ entries: 3 });
    await sure(store);
    const records = [];
    for (let index = 0; index < 5; index += 1) records.push(await kept(store, clock, `u${index}`));
    const before = await scriptsOf(client);
    for (const record of records.toReversed()) await store.read(record);
    expect((await scriptsOf(client)) - before).toBe(2);
  });

  test("[X-03] records of several kinds under one key are each read as their own, and forgotten alone", async () => {
    const [near, elsewhere] = [node(true).store, node(false).store];
    const record = await kept(near, clock, "ada");
    const other: StoredRecord = { ...record, kind: "other", payload: "theirs" };
    await elsewhere.create(other);
    for (let index = 0; index < 10; index += 1) {
      expect(await near.read(record)).toEqual(record);
      expect(await near.read(other)).toEqual(other);
    }
    await elsewhere.end(record, revoked());
    await eventually(async () => isTombstone((await near.read(record)) ?? record));
    expect(await near.read(other)).toEqual(other);
    await elsewhere.end(other, revoked());
    await eventually(async () => isTombstone((await near.read(other)) ?? other));
  });

  test("[X-03] under a key that is no digest of ours nothing is kept: its changes may not be heard", async () => {
    const [near, elsewhere] = [node(true).store, node(false).store];
    await sure(near);
    for (const odd of ["a/zzz", "é"]) {
      const { key, ...rest } = recordOf(clock, "ada");
      const record = { ...rest, key: `${key.slice(0, 4)}${odd}${key.slice(9)}` as typeof key };
      await elsewhere.create(record);
      expect(await near.read(record)).toEqual(record);
      expect(await near.read(record)).toEqual(record);
      await elsewhere.end(record, revoked());
      expect(await near.read(record)).toMatchObject({ ending: { why: "revoked" } });
    }
  });

  test("[X-03] the channel falls silent: what it hides is served for `staleness` at most, then read again", async () => {
    const proxy = await Proxy.to(server.port);
    const client = server.client();
    const duplicate = client.duplicate.bind(client);
    Object.assign(client, {
      duplicate: (options: object) => duplicate({ ...options, port: proxy.port }),
    });
    const store = redisStore({ client, near: { staleness: "400ms" } });
    const { store: there } = node(false);
    const record = await kept(store, clock, "ada");
    proxy.cut();
    await there.end(record, revoked());
    const began = performance.now();
    let served = 0;
    for (;;) {
      const found = await store.read(record);
      if (found && isTombstone(found)) break;
      served = performance.now() - began;
      await sleep(2);
    }
    console.log(
      `served ${served.toFixed(0)} ms after it was revoked, with a silent channel and staleness 400 ms`,
    );
    expect(served).toBeLessThanOrEqual(400);
    const before = await scriptsOf(client);
    for (let index = 0; index < 10; index += 1) await store.read(record);
    expect((await scriptsOf(client)) - before).toBe(10);
    proxy.heal();
    const next = await kept(store, clock, "bob");
    expect(await store.read(next)).toMatchObject({ owner: ownerOf("bob") });
    await store.close();
    client.disconnect();
    await proxy.close();
  });

  test("[X-03] the channel is killed: nothing of before is served, and the cache works again", async () => {
    const { store, client } = node(true);
    const { store: there } = node(false);
    for (let round = 0; round < 5; round += 1) {
      const record = await kept(store, clock, `round ${round}`);
      await client.call("CLIENT", "KILL", "TYPE", "pubsub");
      await there.end(record, revoked());
      await eventually(async () => {
        const found = await store.read(record);
        return found !== null && isTombstone(found);
      }, 3_000);
    }
    await sure(store);
  });

  test("[X-03] what changes while it is being read is not kept", async () => {
    const { store } = node(true);
    const { store: there } = node(false);
    await sure(store);
    for (let round = 0; round < 200; round += 1) {
      const record = recordOf(clock, `racer ${round}`);
      await there.create(record);
      const reading = Promise.all([store.read(record), store.read(record)]);
      const ending = there.end(record, revoked());
      await Promise.all([reading, ending]);
      await eventually(async () => {
        const found = await store.read(record);
        return found !== null && isTombstone(found);
      }, 500);
    }
  });

  test("[X-03] the rights of the guide are enough; without them every read goes to Redis", async () => {
    const { client: admin } = node(false);
    const rights =
      "resetkeys ~sojourn:* resetchannels &sojourn:* -@all +evalsha +eval +@read +@write -@dangerous +info +time +ping +publish +subscribe +unsubscribe";
    const near = "+client|id +client|tracking &__redis__:invalidate";
    for (const [user, more] of [
      ["with", near],
      ["without", ""],
    ] as const) {
      await admin.call(
        "ACL",
        "SETUSER",
        user,
        "on",
        ">pw",
        ...`${rights} ${more}`.trim().split(" "),
      );
      const client = new Redis(server.port, "127.0.0.1", { username: user, password: "pw" });
      const store = redisStore({ client, near: true });
      const record = recordOf(clock, user);
      await store.create(record);
      const isServed = async (): Promise<boolean> =>
        (await store.read(record)) === (await store.read(record));
      if (user === "with") await eventually(isServed);
      else {
        await sleep(1_000);
        expect(await isServed()).toBe(false);
      }
      await store.close();
      client.disconnect();
    }
  });

  test("[X-03] a process that does not read any more asks for nothing", async () => {
    const { store, client } = node({ staleness: "200ms" });
    await sure(store);
    // The caches of the tests before fall asleep too.
    const sets = async (): Promise<number> =>
      Number(/cmdstat_set:calls=(\d+)/.exec(await client.info("commandstats"))?.[1] ?? 0);
    await sleep(1_200);
    const before = await sets();
    await sleep(500);
    expect(await sets()).toBe(before);
    await store.close();
  });
});

test("[X-03] on a cluster of 3: reads cost nothing, a revocation elsewhere is seen, a lost channel stops the serving", async () => {
  const cluster = await startCluster();
  const [client, other] = [clusterClient(cluster), clusterClient(cluster)];
  const here = redisStore({ client, near: { staleness: "400ms" } });
  const there = redisStore({ client: other });
  const users = Array.from({ length: 30 }, (_, index) => `user ${index}`);
  const masters = client.nodes("master");
  const scripts = async (): Promise<number> => {
    const counts = await Promise.all(masters.map((master) => scriptsOf(master)));
    return counts.reduce((sum, count) => sum + count, 0);
  };
  const records = [];
  for (const user of users) records.push(await kept(here, clock, user));
  const before = await scripts();
  for (const record of records) await here.read(record);
  expect(await scripts()).toBe(before);
  for (const record of records.slice(0, 10)) await there.end(record, revoked());
  for (const record of records.slice(0, 10)) {
    await eventually(async () => {
      const found = await here.read(record);
      return found !== null && isTombstone(found);
    }, 2_000);
  }
  await there.endAll("session", revoked());
  for (const record of records) {
    await eventually(async () => {
      const found = await here.read(record);
      return found !== null && isTombstone(found);
    }, 2_000);
  }
  for (const master of masters) {
    const record = await kept(here, clock, `after ${String(master.options.port)}`);
    await master.call("CLIENT", "KILL", "TYPE", "pubsub");
    await there.end(record, revoked());
    await eventually(async () => {
      const found = await here.read(record);
      return found !== null && isTombstone(found);
    }, 2_000);
  }
  await Promise.all([here.close(), there.close()]);
  client.disconnect();
  other.disconnect();
  await cluster.stop();
}, 60_000);
