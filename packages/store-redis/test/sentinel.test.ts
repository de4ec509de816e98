/** Behind Sentinel: a master that dies, one that hangs, a planned change, and an old master that is back. */
import { describe, expect, test } from "vitest";
import type { TestContext } from "vitest";
import type { Redis } from "ioredis";
import { systemClock } from "@sojourn/core/store";
import type { Ending, Store } from "@sojourn/core/store";
import { ownerOf, recordOf } from "../../../test/support/records.ts";
import { eventually, rejection } from "../../../test/support/waiting.ts";
import { redisStore } from "../src/index.ts";
import { MASTER, sentinelClient, startSentinels } from "./support/sentinel.ts";
import type { Sentinels } from "./support/sentinel.ts";
import { replicated, until } from "./support/server.ts";
import type { Server } from "./support/server.ts";

const unavailable = expect.objectContaining({ code: "SOJOURN_STORE_UNAVAILABLE" }) as Error;
const revoked = (): Ending => ({ why: "revoked", at: systemClock.now() });

/** A store behind servers of its own, and sessions that all of them have. */
class World {
  readonly servers: Sentinels;
  readonly client: Redis;
  readonly store: Store;
  readonly alive = Array.from({ length: 20 }, () => recordOf(systemClock, "ada"));
  readonly ended = Array.from({ length: 6 }, (_, index) =>
    recordOf(systemClock, index < 3 ? "ada" : "bob"),
  );

  private constructor(servers: Sentinels) {
    this.servers = servers;
    // Without the detector a client waits for a master that hangs for as long as its socket lasts.
    this.client = sentinelClient(servers, { failoverDetector: true });
    this.client.on("error", () => {});
    this.store = redisStore({ client: this.client });
  }

  static async open({ onTestFinished }: TestContext): Promise<World> {
    const world = new World(await startSentinels());
    onTestFinished(() => world.#close());
    await world.#fill();
    return world;
  }

  async #fill(): Promise<void> {
    const { alive, ended, store } = this;
    await Promise.all([...alive, ...ended].map((record) => store.create(record)));
    for (const record of ended.slice(0, 3)) await store.end(record, revoked());
    await store.endOwner("session", ownerOf("bob"), revoked());
    if ((await this.client.wait(2, 5_000)) < 2) throw new Error("the replicas do not follow");
  }

  /** Creates and reads until both work; what they rejected with, and the longest wait in ms. */
  async untilWell(): Promise<{ errors: unknown[]; longest: number }> {
    const errors: unknown[] = [];
    let longest = 0;
    const works = async (operation: () => Promise<unknown>): Promise<boolean> => {
      const began = performance.now();
      const failed = await operation().then(
        () => false,
        (error: unknown) => errors.push(error) > 0,
      );
      longest = Math.max(longest, performance.now() - began);
      return !failed;
    };
    await eventually(async () => {
      const record = recordOf(systemClock, null);
      const isCreated = await works(() => this.store.create(record));
      return isCreated && works(() => Promise.resolve(this.store.read(record)));
    }, 60_000);
    return { errors, longest };
  }

  async #close(): Promise<void> {
    await this.store.close();
    this.client.disconnect();
    await this.servers.stop();
  }
}

/** The detector may change over to the new master once more, when the last sentinel tells of it. */
async function isAsItWas(world: World): Promise<void> {
  await eventually(async () => {
    try {
      await look(world);
      return true;
    } catch (error) {
      expect(error).toEqual(unavailable);
      return false;
    }
  });
}

async function look({ alive, ended, store }: World): Promise<void> {
  for (const record of alive) expect(await store.read(record)).toEqual(record);
  for (const record of ended)
    expect(await store.read(record)).toMatchObject({ ending: { why: "revoked" } });
  expect(await store.listOwner("session", ownerOf("ada"))).toHaveLength(alive.length);
  expect(await store.listOwner("session", ownerOf("bob"))).toEqual([]);
}

/** Waits until a former master follows the new one, and has all of it. */
async function follows(former: Server): Promise<void> {
  await until(former, ["INFO", "replication"], /role:slave/);
  await replicated(former);
}

describe.concurrent("a store behind 3 sentinels", { timeout: 120_000 }, () => {
  test("[B-18] a master killed with -9: every answer within 2 s, then on by itself with all sessions and endings", async (context) => {
    const world = await World.open(context);
    const { master } = world.servers;
    await master.kill();
    const { errors, longest } = await world.untilWell();
    expect(errors.length).toBeGreaterThan(0);
    for (const error of errors) expect(error).toEqual(unavailable);
    expect(longest).toBeLessThan(2_000);
    await eventually(async () => (await world.servers.current()) !== master, 30_000);
    await isAsItWas(world);

    await master.start();
    await follows(master);
    await isAsItWas(world);
    const stale = redisStore({ url: master.url });
    const error = await rejection(stale.create(recordOf(systemClock, "ada")));
    await stale.close();
    expect(error).toEqual(unavailable);
    expect(String(error)).toContain("replica");
    await isAsItWas(world);
  });

  test("[B-18] a master that hangs is left at the failover, and harms nothing when it wakes", async (context) => {
    const world = await World.open(context);
    const { master } = world.servers;
    const hosts = world.servers.addresses.map(({ host, port }) => `${host}:${port}`).join(",");
    const byUrl = redisStore({ url: `redis+sentinel://${hosts}/${MASTER}` });
    await byUrl.open?.();
    master.signal("SIGSTOP");
    expect(await rejection(world.store.read(recordOf(systemClock, null)))).toEqual(unavailable);
    await world.untilWell();
    await eventually(
      () => byUrl.create(recordOf(systemClock, null)).then(Boolean, () => false),
      60_000,
    );
    await byUrl.close();
    await isAsItWas(world);
    master.signal("SIGCONT");
    await follows(master);
    await isAsItWas(world);
  });

  test("[B-19] a client that would stay with a master that hangs is told of, one that would not is not", async (context) => {
    const { servers, store } = await World.open(context);
    const topicsOf = async (each: Store) =>
      ((await each.advise?.()) ?? []).map(({ topic }) => topic);
    const client = sentinelClient(servers);
    expect(await topicsOf(redisStore({ client }))).toContain("failover-detector");
    expect(await topicsOf(store)).not.toContain("failover-detector");
    client.disconnect();
  });

  test("[B-18] a planned failover: an operation is done or answered clearly, and the store goes on", async (context) => {
    const world = await World.open(context);
    const { master, sentinels } = world.servers;
    const sentinel = sentinels[0]?.client();
    await sentinel?.call("SENTINEL", "FAILOVER", MASTER);
    sentinel?.disconnect();
    const errors: unknown[] = [];
    await eventually(async () => {
      const creation = world.store.create(recordOf(systemClock, null));
      await creation.catch((error) => errors.push(error));
      return (await world.servers.current()) !== master;
    }, 60_000);
    await follows(master);
    errors.push(...(await world.untilWell()).errors);
    for (const error of errors) expect(error).toEqual(unavailable);
    await isAsItWas(world);
  });
});
