/** Servers under a load: where the processes find them, and what stops them. */
import { Cluster, Redis } from "ioredis";
import { MASTER, sentinelClient } from "../../packages/store-redis/test/support/sentinel.ts";
import type { Sentinels } from "../../packages/store-redis/test/support/sentinel.ts";
import type { Server as Postgres } from "../../packages/store-postgres/test/support/server.ts";
import { startServer } from "../../packages/store-redis/test/support/server.ts";
import type { ClusterOfThree, Server } from "../../packages/store-redis/test/support/server.ts";
import { PROCESSES } from "./words.ts";
import type { Place } from "./words.ts";

/** Servers, and clients of them. */
export interface Site {
  /** Where each process finds its server. */
  readonly places: readonly Place[];
  /** The driver's own client, for its controls; never through a proxy. Null: no other server takes over. */
  readonly client: Redis | Cluster | null;
  stop(): Promise<void>;
}

/** Nothing is sent twice: a control that went to another server would prove nothing. */
const ONCE = {
  autoResendUnfulfilledCommands: false,
  commandTimeout: 1_000,
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  retryStrategy: (): number => 50,
} as const;

/** A server that loses nothing that it has acknowledged. */
export function startDurable(): Promise<Server> {
  return startServer("--appendonly", "yes", "--appendfsync", "always");
}

/** Another way to a server, for one process. */
export interface Detour {
  readonly process: number;
  readonly port: number;
}

/** One Redis. */
export function standalone(server: Server, detour?: Detour): Site {
  const client = quiet(new Redis(server.url, ONCE));
  const places = portsTo(server, detour).map((port, index) => {
    const nodes = [{ host: "127.0.0.1", port }];
    return { layout: ownOr("client", index), nodes, url: `redis://${hosts(nodes)}` };
  });
  return { places, client, stop: stopping(client, server) };
}

/** One Postgres. */
export function onPostgres(server: Postgres, detour?: Detour): Site {
  const places = portsTo(server, detour).map((port, index) => {
    const url = server.url.replace(`:${server.port}/`, `:${port}/`);
    return { layout: ownOr("client", index), nodes: [], url };
  });
  return { places, client: null, stop: () => server.stop() };
}

/** A master with replicas and sentinels. */
export function watched(sentinels: Sentinels): Site {
  const client = quiet(sentinelClient(sentinels, ONCE));
  const { addresses: nodes } = sentinels;
  const url = `redis+sentinel://${hosts(nodes)}/${MASTER}`;
  return { places: everywhere("sentinel", nodes, url), client, stop: stopping(client, sentinels) };
}

/** A cluster. */
export function clustered(cluster: ClusterOfThree): Site {
  const { commandTimeout, autoResendUnfulfilledCommands } = ONCE;
  const redisOptions = { commandTimeout, autoResendUnfulfilledCommands };
  const { nodes } = cluster;
  const client = quiet(new Cluster([...nodes], { redisOptions }));
  const url = `redis+cluster://${hosts(nodes)}`;
  return { places: everywhere("cluster", nodes, url), client, stop: stopping(client, cluster) };
}

function portsTo({ port }: { readonly port: number }, detour?: Detour): number[] {
  return Array.from({ length: PROCESSES }, (_, index) =>
    index === detour?.process ? detour.port : port,
  );
}

function everywhere(layout: Place["layout"], nodes: Place["nodes"], url: string): Place[] {
  return Array.from({ length: PROCESSES }, (_, index) => ({
    layout: ownOr(layout, index),
    nodes,
    url,
  }));
}

/** Every other process makes a client of its own, the others leave that to the store. */
function ownOr(layout: Place["layout"], index: number): Place["layout"] {
  return index % 2 === 0 ? layout : "url";
}

function hosts(nodes: Place["nodes"]): string {
  return nodes.map(({ host, port }) => `${host}:${port}`).join(",");
}

function quiet<T extends Redis | Cluster>(client: T): T {
  client.on("error", () => {});
  return client;
}

function stopping(
  client: Redis | Cluster,
  servers: { stop(): Promise<void> },
): () => Promise<void> {
  return async () => {
    client.disconnect();
    await servers.stop();
  };
}
