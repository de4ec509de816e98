/** Redis under test: a server, and a cluster of three masters with replicas, shared by all scenarios. */
import { randomUUID } from "node:crypto";
import { Cluster, Redis } from "ioredis";
import { redisStore } from "@sojourn/store-redis";
import { afterAll, inject } from "vitest";
import type { Place, StoreKind } from "./stores.ts";

type Client = Redis | Cluster;

const host = "127.0.0.1";
const open: Client[] = [];
afterAll(() => {
  for (const client of open) client.disconnect();
});

function connected<Kind extends Client>(client: Kind): Kind {
  open.push(client);
  return client;
}

function kind(name: StoreKind["name"], connect: () => Client, near: boolean = false): StoreKind {
  let shared: Client | undefined;
  return {
    name,
    survives: true,
    totals: false,
    async place(clock) {
      shared ??= connect();
      const prefix = `scenario-${randomUUID()}`;
      let client: Client | null = null;
      return {
        async open() {
          client = client === null && shared !== undefined ? shared : connect();
          const store = redisStore({ client, prefix, clock, near });
          await store.open?.();
          return store;
        },
        bytes: () => textUnder(prefix, mastersOf(shared)),
        remove: () => removeUnder(prefix, mastersOf(shared)),
      } satisfies Place;
    },
  };
}

const mastersOf = (client: Client | undefined): readonly Redis[] =>
  client instanceof Cluster ? client.nodes("master") : client === undefined ? [] : [client];

/** Names of all keys that a store with this prefix has written. */
async function keysUnder(prefix: string, master: Redis): Promise<string[]> {
  const names: string[] = [];
  const options = { match: `*${prefix}*`, count: 10_000 };
  for await (const some of master.scanStream(options)) names.push(...(some as string[]));
  return names;
}

async function removeUnder(prefix: string, masters: readonly Redis[]): Promise<void> {
  for (const master of masters) {
    const batch = master.pipeline();
    for (const name of await keysUnder(prefix, master)) batch.unlink(name);
    await batch.exec();
  }
}

/** Names and values of these keys, each byte a character; values of any type. */
async function textUnder(prefix: string, masters: readonly Redis[]): Promise<string> {
  const pieces: string[] = [];
  for (const master of masters) {
    for (const name of await keysUnder(prefix, master)) {
      const value = await master.dumpBuffer(name); // uncompressed: see the servers' options
      pieces.push(name, value?.toString("latin1") ?? "");
    }
  }
  return pieces.join("\n");
}

/** Both ways to have Redis. */
export const redisKinds: readonly StoreKind[] = [
  kind("redis", toServer),
  kind("redis cluster", toCluster),
];

/** Both with a near cache. */
export const nearKinds: readonly StoreKind[] = [
  kind("redis", toServer, true),
  kind("redis cluster", toCluster, true),
];

function toServer(): Redis {
  return connected(new Redis(inject("redis").standalone, host));
}

function toCluster(): Cluster {
  return connected(new Cluster(inject("redis").cluster.map((port) => ({ host, port }))));
}
