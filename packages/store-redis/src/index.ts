/** A session store in Redis or Valkey: standalone, Sentinel, Cluster. */
export { redisStore } from "./store.ts";
export { DEFAULTS } from "./options.ts";
export type { NearOptions, RedisClient, RedisStoreOptions } from "./options.ts";
