/** Where a process of the application keeps its sessions. */
import { Cluster, Redis } from "ioredis";
import type { Store } from "@sojourn/core/store";
import { postgresStore } from "@sojourn/store-postgres";
import { redisStore } from "@sojourn/store-redis";
import type { RedisClient } from "@sojourn/store-redis";
import { poolAt } from "../../packages/store-postgres/test/support/server.ts";
import { MASTER } from "../../packages/store-redis/test/support/sentinel.ts";
import type { Place } from "./words.ts";

/** A store with its defaults, on a client of its own or on the application's. */
export function storeAt(place: Place): Store {
  return place.url.startsWith("postgres:") ? inPostgres(place) : inRedis(place);
}

function inPostgres({ layout, url }: Place): Store {
  return postgresStore(layout === "url" ? { url } : { pool: poolAt(url) });
}

function inRedis({ layout, nodes, url }: Place): Store {
  if (layout === "url") return redisStore({ url });
  return redisStore({ client: clientAt(layout, nodes) });
}

/** A client as an application makes it that leaves everything to ioredis. */
function clientAt(layout: Place["layout"], nodes: Place["nodes"]): RedisClient {
  const [first] = nodes;
  const client =
    layout === "cluster"
      ? new Cluster([...nodes])
      : new Redis(layout === "sentinel" ? { sentinels: [...nodes], name: MASTER } : { ...first });
  client.on("error", () => {});
  return client;
}
