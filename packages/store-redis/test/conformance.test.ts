/** D-20: the Redis store keeps every law, on Redis and Valkey, on a server and on a cluster, through ioredis 6 and 5. */
import { afterAll, beforeAll, describe, test } from "vitest";
import { Cluster, Redis } from "ioredis";
import { Cluster as Cluster5, Redis as Redis5 } from "ioredis5";
import { conformance } from "@sojourn/store-conformance";
import type { Clock, Store } from "@sojourn/core/store";
import { redisStore } from "../src/index.ts";
import type { RedisClient } from "../src/index.ts";
import { sure } from "./support/near.ts";
import { startCluster, startServer, startValkey } from "./support/server.ts";
import type { ClusterOfThree, Server } from "./support/server.ts";

const FIVE_MINUTES = 300_000;
/** `cluster-node-timeout` at which a busy machine causes no failover, in ms. */
const PATIENT = 30_000;
let serial = 0;

/** How a suite opens its stores. */
interface Manner {
  readonly maxRaces: number;
  /** With a near cache, which is sure before the case begins. */
  readonly near?: boolean;
}

function suite(name: string, client: () => unknown, { maxRaces, near = false }: Manner): void {
  const prefixes = new WeakMap<Store, string>();
  const at = (prefix: string, clock: Clock): Store => {
    const store = redisStore({ client: client() as RedisClient, prefix, clock, near });
    prefixes.set(store, prefix);
    return store;
  };
  const cases = conformance({
    name,
    maxRaces,
    open: async (clock) => {
      serial += 1;
      const store = at(`${name} ${serial}`, clock);
      if (near) await sure(store);
      return store;
    },
    reopen: async (closed, clock) => at(prefixes.get(closed) ?? "", clock),
  });
  for (const each of cases) test(`[D-20] ${each.name}`, each.run, FIVE_MINUTES);
}

describe("on a server", () => {
  let server: Server;
  let six: Redis;
  let five: Redis5;
  let piped: Redis;
  let pipedFive: Redis5;
  beforeAll(async () => {
    server = await startServer();
    six = new Redis(server.url);
    five = new Redis5(server.url);
    piped = new Redis(server.url, { enableAutoPipelining: true, keyPrefix: "mine:" });
    pipedFive = new Redis5(server.url, { keyPrefix: "ours:" });
  });
  afterAll(async () => {
    for (const each of [six, five, piped, pipedFive]) each.disconnect();
    await server.stop();
  });
  suite("ioredis 6", () => six, { maxRaces: 200 });
  suite("near cache, ioredis 6", () => six, { maxRaces: 20, near: true });
  suite("near cache, ioredis 5, a keyPrefix", () => pipedFive, { maxRaces: 20, near: true });
  suite("ioredis 5", () => five, { maxRaces: 20 });
  suite("auto-pipelining with a keyPrefix", () => piped, { maxRaces: 20 });
});

describe("on a Valkey 8", () => {
  let server: Server;
  let client: Redis;
  beforeAll(async () => {
    server = await startValkey();
    client = new Redis(server.url);
  });
  afterAll(async () => {
    client.disconnect();
    await server.stop();
  });
  suite("valkey", () => client, { maxRaces: 20 });
  suite("near cache, valkey", () => client, { maxRaces: 5, near: true });
});

describe("on a cluster of 3 masters with replicas", () => {
  let cluster: ClusterOfThree;
  let six: Cluster;
  let five: Cluster5;
  beforeAll(async () => {
    cluster = await startCluster({ replicas: 1, nodeTimeout: PATIENT });
    six = new Cluster([...cluster.nodes], { enableAutoPipelining: true });
    five = new Cluster5([...cluster.nodes]);
  }, FIVE_MINUTES);
  afterAll(async () => {
    for (const each of [six, five]) each.disconnect();
    await cluster.stop();
  });
  suite("cluster", () => six, { maxRaces: 20 });
  suite("near cache, cluster", () => six, { maxRaces: 5, near: true });
  suite("cluster of ioredis 5", () => five, { maxRaces: 5 });
});
