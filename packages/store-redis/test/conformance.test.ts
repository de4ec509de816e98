/** D-20: the Redis store keeps every law, through ioredis 6 and 5, on a server and on a cluster. */
import { afterAll, beforeAll, describe, test } from "vitest";
import { Cluster, Redis } from "ioredis";
import { Cluster as Cluster5, Redis as Redis5 } from "ioredis5";
import { conformance } from "@sojourn/store-conformance";
import type { Clock, Store } from "@sojourn/core/store";
import { redisStore } from "../src/index.ts";
import type { RedisClient } from "../src/index.ts";
import { startCluster, startServer } from "./support/server.ts";
import type { ClusterOfThree, Server } from "./support/server.ts";

const FIVE_MINUTES = 300_000;
/** Asks all 16,384 tags hundreds of times: run through one client of the cluster only. */
const SWEEPS = /law (?:4|11|12):|brute-force/;
const NONE = /^$/;
let serial = 0;

function suite(name: string, client: () => unknown, maxRaces: number, skip: RegExp = NONE): void {
  const prefixes = new WeakMap<Store, string>();
  const at = (prefix: string, clock: Clock): Store => {
    const store = redisStore({ client: client() as RedisClient, prefix, clock });
    prefixes.set(store, prefix);
    return store;
  };
  const cases = conformance({
    name,
    maxRaces,
    open: async (clock) => {
      serial += 1;
      return at(`${name} ${serial}`, clock);
    },
    reopen: async (closed, clock) => at(prefixes.get(closed) ?? "", clock),
  });
  const chosen = cases.filter(({ name: title }) => !skip.test(title));
  for (const each of chosen) test(`D-20 ${each.name}`, each.run, FIVE_MINUTES);
}

describe("on a server", () => {
  let server: Server;
  let six: Redis;
  let five: Redis5;
  let piped: Redis;
  beforeAll(async () => {
    server = await startServer();
    six = new Redis(server.url);
    five = new Redis5(server.url);
    piped = new Redis(server.url, { enableAutoPipelining: true, keyPrefix: "mine:" });
  });
  afterAll(async () => {
    for (const each of [six, five, piped]) each.disconnect();
    await server.stop();
  });
  suite("ioredis 6", () => six, 200);
  suite("ioredis 5", () => five, 20);
  suite("auto-pipelining with a keyPrefix", () => piped, 20);
});

describe("on a cluster of 3", () => {
  let cluster: ClusterOfThree;
  let six: Cluster;
  let five: Cluster5;
  beforeAll(async () => {
    cluster = await startCluster();
    six = new Cluster([...cluster.nodes], { enableAutoPipelining: true });
    five = new Cluster5([...cluster.nodes]);
  }, FIVE_MINUTES);
  afterAll(async () => {
    for (const each of [six, five]) each.disconnect();
    await cluster.stop();
  });
  suite("cluster", () => six, 20);
  suite("cluster of ioredis 5", () => five, 5, SWEEPS);
});
