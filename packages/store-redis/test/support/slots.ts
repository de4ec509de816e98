/** Moves slots of a cluster between its masters, step by step. */
import type { Redis } from "ioredis";

/** Opens a slot at both ends. */
export async function beginMove(from: Redis, to: Redis, slot: number): Promise<void> {
  await to.call("CLUSTER", "SETSLOT", slot, "IMPORTING", await idOf(from));
  await from.call("CLUSTER", "SETSLOT", slot, "MIGRATING", await idOf(to));
}

/** Moves at most so many keys of an open slot. */
export async function moveKeys(from: Redis, to: Redis, slot: number, most: number): Promise<void> {
  const keys = (await from.call("CLUSTER", "GETKEYSINSLOT", slot, most)) as string[];
  if (keys.length === 0) return;
  const { host, port } = to.options;
  await from.call("MIGRATE", host ?? "", port ?? 0, "", 0, 5_000, "KEYS", ...keys);
}

/** Moves what is left, and tells every master whose the slot is. */
export async function endMove(
  masters: readonly Redis[],
  from: Redis,
  to: Redis,
  slot: number,
): Promise<void> {
  await moveKeys(from, to, slot, 1_000);
  const id = await idOf(to);
  const others = masters.filter((master) => master !== to);
  for (const master of [to, ...others]) await master.call("CLUSTER", "SETSLOT", slot, "NODE", id);
}

/** All of it. */
export async function moveSlot(
  masters: readonly Redis[],
  from: Redis,
  to: Redis,
  slot: number,
): Promise<void> {
  await beginMove(from, to, slot);
  await endMove(masters, from, to, slot);
}

async function idOf(master: Redis): Promise<string> {
  return String(await master.call("CLUSTER", "MYID"));
}
