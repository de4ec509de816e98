/** connect-redis 9, the Redis store of both express-session and @fastify/session, by either client. */
import { Redis } from "ioredis";
import { createClient } from "redis";
import { IDLE } from "../session-data.ts";
import { peer } from "./peers.ts";
import type { PeerStore } from "./peers.ts";

interface Library {
  readonly RedisStore: new (options: {
    readonly client: unknown;
    readonly ttl: number;
  }) => PeerStore;
}

async function connectRedis(client: unknown): Promise<PeerStore> {
  const { RedisStore } = await peer<Library>("connect-redis");
  return new RedisStore({ client, ttl: IDLE / 1_000 });
}

/** What of ioredis connect-redis calls, in the words of node-redis. */
function asNodeRedis(client: Redis): object {
  return {
    get: (key: string) => client.get(key),
    set: (key: string, value: string, how: { expiration: { value: number } }) =>
      client.set(key, value, "EX", how.expiration.value),
    expire: (key: string, seconds: number) => client.expire(key, seconds),
    del: (keys: string[]) => client.del(...keys),
  };
}

/** A store by connect-redis and ioredis, for which connect-redis 9 wants an interpreter. */
export const byIoredis = (url: string): Promise<PeerStore> =>
  connectRedis(asNodeRedis(new Redis(url)));

/** A store by connect-redis and node-redis. */
export async function byNodeRedis(url: string): Promise<PeerStore> {
  const client = createClient({ url });
  await client.connect();
  return connectRedis(client);
}
