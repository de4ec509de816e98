/** Near caches in tests: whether they are used, and what they cost the server. */
import type { Redis } from "ioredis";
import type { Clock, Store, StoredRecord } from "@sojourn/core/store";
import { recordOf } from "../../../../test/support/records.ts";
import { eventually } from "../../../../test/support/waiting.ts";

/** Waits until the near cache of a store is sure, so that it serves what it has. */
export async function sure(store: Store): Promise<void> {
  const probe = recordOf(store.clock, null, { kind: "probe" });
  await store.create(probe);
  await eventually(async () => (await store.read(probe)) === (await store.read(probe)));
  await store.consume(probe);
}

/** A session that a store has read, so that its near cache has it. */
export async function kept(store: Store, clock: Clock, user: string): Promise<StoredRecord> {
  const record = recordOf(clock, user);
  await store.create(record);
  await eventually(async () => (await store.read(record)) === (await store.read(record)));
  return record;
}

/** How many scripts a server has been sent. */
export async function scriptsOf(client: Redis): Promise<number> {
  const calls = /cmdstat_evalsha:calls=(\d+)/.exec(await client.info("commandstats"));
  return Number(calls?.[1] ?? 0);
}
