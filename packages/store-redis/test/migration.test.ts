/** A slot on its way from one master to another: nobody takes the half that has arrived for all. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Cluster, Redis } from "ioredis";
import { systemClock } from "@sojourn/core/store";
import type { Store } from "@sojourn/core/store";
import { ownerOf, recordOf } from "../../../test/support/records.ts";
import { rejection } from "../../../test/support/waiting.ts";
import { redisStore } from "../src/index.ts";
import { clusterClient, startCluster } from "./support/server.ts";
import type { ClusterOfThree } from "./support/server.ts";

const DEADLINE = 2_000;
const MOVE_WITHIN = 5_000;
const LIMIT = { max: 1, onLimit: "reject" } as const;
const REVOKED = { why: "revoked", at: systemClock.now() } as const;
const record = recordOf(systemClock, "ada");

let cluster: ClusterOfThree;
let client: Cluster;
let store: Store;
let masters: Redis[];
let ids: string[];
let slot: number;
beforeAll(async () => {
  cluster = await startCluster();
  client = clusterClient(cluster);
  store = redisStore({ client });
  masters = cluster.servers.map((server) => server.client());
  ids = await Promise.all(masters.map(async (each) => String(await each.call("CLUSTER", "MYID"))));
  slot = Number(await masters[0]?.call("CLUSTER", "KEYSLOT", `{${record.key.slice(0, 3)}}`));
  await store.create(record, LIMIT);
}, 60_000);
afterAll(async () => {
  await store.close();
  for (const each of [client, ...masters]) each.disconnect();
  await cluster.stop();
});

const setSlot = (master: number, ...state: string[]): Promise<unknown> | undefined =>
  masters[master]?.call("CLUSTER", "SETSLOT", slot, ...state);
const keysOn = async (master: number): Promise<string[]> =>
  (await masters[master]?.call("CLUSTER", "GETKEYSINSLOT", slot, 100)) as string[];
const move = async (from: number, to: number, key: string): Promise<unknown> =>
  masters[from]?.migrate("127.0.0.1", cluster.servers[to]?.port ?? 0, key, 0, MOVE_WITHIN);

test("[B-18] [X-10] every operation on a slot under way is refused in time, and then all is there", async () => {
  const from = Math.floor((slot * 3) / 16_384);
  const to = (from + 1) % 3;
  await setSlot(to, "IMPORTING", ids[from] ?? "");
  await setSlot(from, "MIGRATING", ids[to] ?? "");
  const keys = await keysOn(from);
  expect(keys.length).toBeGreaterThan(2);
  const half = Math.floor(keys.length / 2);
  for (const moved of [keys.slice(0, half), keys.slice(half)]) {
    await refusesAll();
    for (const key of moved) await move(from, to, key);
  }
  await refusesAll();
  for (const master of [to, from, 3 - from - to]) await setSlot(master, "NODE", ids[to] ?? "");
  expect(await store.read(record)).toEqual(record);
  expect(await store.listOwner("session", ownerOf("ada"))).toEqual([record]);
  const second = await store.create(recordOf(systemClock, "ada"), LIMIT);
  expect(second).toEqual({ status: "refused", active: 1 });
  expect(await store.end(record, REVOKED)).not.toBeNull();
}, 60_000);

async function refusesAll(): Promise<void> {
  const operations = [
    () => store.read(record),
    () => store.listOwner("session", ownerOf("ada")),
    () => store.create(recordOf(systemClock, "ada"), LIMIT),
    () => store.update(record, { ...record, payload: "late" }, 1),
    () => store.end(record, REVOKED),
    () => store.endOwner("session", ownerOf("ada"), REVOKED),
  ];
  const startedAt = performance.now();
  const errors = await Promise.all(
    operations.map((operation) => rejection(Promise.resolve(operation()))),
  );
  expect(performance.now() - startedAt).toBeLessThan(DEADLINE);
  for (const error of errors) {
    expect(error).toMatchObject({ code: "SOJOURN_STORE_UNAVAILABLE" });
    expect(String(error)).toContain("a slot is being moved");
  }
}
