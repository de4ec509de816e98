/** Whether a login costs more when its user has more sessions: on the store alone, with a limit that each login reaches. */
import { Redis } from "ioredis";
import { memoryStore } from "@sojourn/core";
import type { Store } from "@sojourn/core/store";
import { redisStore } from "@sojourn/store-redis";
import { ownerOf, recordOf } from "../records.ts";

const LOGINS = 500;
const OWNER = ownerOf(0);

/** µs of the memory store's process for one `create` that ends the user's oldest session. */
export async function memoryLogin(sessions: number): Promise<number> {
  const store = memoryStore();
  await logIn(store, { from: 0, times: sessions + LOGINS, max: sessions });
  const from = performance.now();
  await logIn(store, { from: sessions + LOGINS, times: LOGINS, max: sessions });
  const took = performance.now() - from;
  await store.close();
  return (took * 1_000) / LOGINS;
}

/** µs of Redis for the script of one such `create`. */
export async function redisLogin(url: string, sessions: number): Promise<number> {
  const store = redisStore({ url });
  const admin = new Redis(url);
  await admin.flushdb();
  await logIn(store, { from: 0, times: sessions + 1, max: sessions });
  await admin.config("RESETSTAT");
  await logIn(store, { from: sessions + 1, times: LOGINS, max: sessions });
  const stats = await admin.info("commandstats");
  admin.disconnect();
  await store.close();
  return Number(/cmdstat_evalsha:calls=\d+,usec=\d+,usec_per_call=([\d.]+)/.exec(stats)?.[1]);
}

interface Logins {
  readonly from: number;
  readonly times: number;
  readonly max: number;
}

/** Each a millisecond younger than the one before. */
async function logIn(store: Store, { from, times, max }: Logins): Promise<void> {
  const now = Date.now();
  for (let index = from; index < from + times; index += 1)
    await store.create(recordOf(index, OWNER, now + index), { max, onLimit: "evict-oldest" });
}
