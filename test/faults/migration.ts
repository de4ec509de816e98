/** Moves the slots of the users from master to master, key by key, as a re-sharding does. */
import { setTimeout as pause } from "node:timers/promises";
import type { Redis } from "ioredis";
import { ownerKey, tagOf } from "@sojourn/core/store";
import type { Server } from "../../packages/store-redis/test/support/server.ts";
import { USERS } from "./load.ts";

/** Between two keys, in ms: long enough for requests that meet half a slot. */
const BETWEEN_KEYS = 2;
const MOVE_WITHIN = 5_000;

/** Slots on the move. */
export class Migration {
  /** Slots that were moved. */
  moved = 0;
  readonly #servers: readonly Server[];
  #isOver = false;
  #failure: unknown = null;
  #moving: Promise<void> = Promise.resolve();

  constructor(servers: readonly Server[]) {
    this.#servers = servers;
  }

  async start(): Promise<void> {
    const masters = await Promise.all(this.#servers.map(masterAt));
    this.#moving = this.#moveAll(masters)
      .catch((error: unknown) => {
        this.#failure = error;
      })
      .finally(() => {
        for (const { client } of masters) client.disconnect();
      });
  }

  /** Resolves when the slot that is being moved has arrived; rejects with what a move failed of. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#moving;
    if (this.#failure !== null) throw this.#failure;
    if (this.moved === 0) throw new Error("no slot was moved");
  }

  async #moveAll(masters: readonly Master[]): Promise<void> {
    for (let round = 0; !this.#isOver; round += 1) {
      const user = USERS[round % USERS.length]?.name ?? "";
      const [first] = masters;
      const slot = Number(
        await first?.client.call("CLUSTER", "KEYSLOT", `{${tagOf(ownerKey("", user))}}`),
      );
      const from = masters.findIndex(({ slots }) => slots.has(slot));
      const [source, target] = [masters[from], masters[(from + 1) % masters.length]];
      if (source && target) await moveSlot(slot, source, target, masters);
      this.moved += 1;
    }
  }
}

interface Master {
  readonly id: string;
  readonly port: number;
  readonly client: Redis;
  readonly slots: Set<number>;
}

async function masterAt(server: Server): Promise<Master> {
  const client = server.client();
  const id = String(await client.call("CLUSTER", "MYID"));
  const shards = (await client.call("CLUSTER", "SLOTS")) as [number, number, [string, number]][];
  const own = shards.filter(([, , [, port]]) => port === server.port);
  const slots = own.flatMap(([from, to]) =>
    Array.from({ length: to - from + 1 }, (_, index) => from + index),
  );
  return { id, port: server.port, client, slots: new Set(slots) };
}

async function moveSlot(
  slot: number,
  source: Master,
  target: Master,
  all: readonly Master[],
): Promise<void> {
  await target.client.call("CLUSTER", "SETSLOT", slot, "IMPORTING", source.id);
  await source.client.call("CLUSTER", "SETSLOT", slot, "MIGRATING", target.id);
  for (;;) {
    const keys = (await source.client.call("CLUSTER", "GETKEYSINSLOT", slot, 10)) as string[];
    if (keys.length === 0) break;
    for (const key of keys) {
      await source.client.call("MIGRATE", "127.0.0.1", target.port, key, 0, MOVE_WITHIN);
      await pause(BETWEEN_KEYS);
    }
  }
  const owners = [target, source, ...all.filter((each) => each !== target && each !== source)];
  for (const { client } of owners) {
    await client.call("CLUSTER", "SETSLOT", slot, "NODE", target.id);
  }
  source.slots.delete(slot);
  target.slots.add(slot);
}
