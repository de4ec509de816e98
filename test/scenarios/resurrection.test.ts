/** G1: a session that ended stays ended, whatever slower requests had in their hands. */
import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import type { Client, Received } from "./client.ts";
import { everywhere, MINUTE } from "./matrix.ts";
import type { World } from "./matrix.ts";
import type { Probe } from "./probe.ts";
import { set } from "./shop.ts";

/** Lets every store call wait twice, before and after it works, and lets them go in random order. */
class Shuffle {
  readonly #random: () => number;
  readonly #probe: Probe;
  #waiting: (() => void)[] = [];

  constructor(probe: Probe, random: () => number) {
    this.#random = random;
    this.#probe = probe;
    probe.around = async (_operation, call) => {
      await this.#wait();
      const result = await call();
      await this.#wait();
      return result;
    };
  }

  /** Runs until all participants are done; `check` runs after every step. */
  async play(participants: readonly Promise<unknown>[], check: () => Promise<void>): Promise<void> {
    const game = { isOver: false };
    void Promise.allSettled(participants).then(() => {
      game.isOver = true;
    });
    while (!game.isOver) {
      for (let turns = 0; turns < 3; turns++) await turn();
      const index = Math.floor(this.#random() * this.#waiting.length);
      this.#waiting.splice(index, 1)[0]?.();
      await check();
    }
  }

  /** From now on nothing waits. */
  open(): void {
    this.#probe.around = (_operation, call) => call();
    for (const go of this.#waiting.splice(0)) go();
  }

  #wait(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }
}

/** Numbers from 0 to 1 that are the same in each run (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A read that is due to touch, writes of two kinds, three rotations. */
const SLOW: readonly ((client: Client) => Promise<Received>)[] = [
  (client) => client.get("/me"),
  (client) => client.post(set("late", true)),
  (client) => client.post("/increment"),
  (client) => client.post("/rotate"),
  (client) => client.post("/elevate"),
  (client) => client.post("/reauthenticate"),
];

/** Ends the session; true if it did, false where another request had replaced the token before. */
type End = (world: World, ada: Client, handle: string, seed: number) => Promise<boolean>;

const endings: Record<string, End> = {
  "a logout": async (_world, ada) => (await ada.post("/logout")).body["loggedOut"] === "ada",
  "a revocation": async ({ sessions }, _ada, handle, seed) => {
    const spared = await sessions.create({ principal: "ada" });
    const revocations = [
      () => sessions.revoke(handle),
      () => sessions.revokeAll("ada"),
      () => sessions.revokeOthers("ada", spared.session.handle),
      () => sessions.revokeEveryone(),
    ];
    await revocations[seed % 4]?.();
    return true;
  },
  "an eviction": async (world) => {
    await world.loggedIn("ada", "max=1");
    return true;
  },
  "the idle timeout": async ({ sessions, clock }) => {
    await sessions.count();
    clock.advance(30 * MINUTE);
    return true;
  },
};

async function isAlive({ probe }: World, handle: string): Promise<boolean> {
  const found = await probe.inner.read({ kind: "session", handle: handle as never });
  return found !== null && !("ending" in found) && found.expiresAt > probe.inner.clock.now();
}

async function race(world: World, seed: number, end: End): Promise<void> {
  const ada = await world.loggedIn("ada");
  const handle = String((await ada.get("/me")).body["handle"]);
  world.clock.advance(2 * MINUTE);
  const random = seeded(seed);
  const tabs = SLOW.map(() => ada.copy());
  const shuffle = new Shuffle(world.probe, random);
  let hasEnded = false;
  const slow = tabs.map(
    (tab, index) => SLOW[index]?.(tab) ?? Promise.reject(new Error("no request")),
  );
  const ending = end(world, ada.copy(), handle, seed).then((did) => {
    hasEnded = did;
  });
  try {
    await shuffle.play([...slow, ending], async () => {
      if (hasEnded) expect(await isAlive(world, handle), `seed ${seed}`).toBe(false);
    });
  } finally {
    shuffle.open();
  }

  await ending;
  const statuses = (await Promise.all(slow)).map(({ status }) => status);
  expect(statuses.filter((status) => ![200, 401, 409].includes(status))).toEqual([]);
  if (!hasEnded) return;
  expect(await isAlive(world, handle), `seed ${seed}`).toBe(false);
  const created = new Set<string>(world.eventsOf("created").map((event) => event.handle));
  const alive = (await world.sessions.list("ada")).items.map((session) => session.handle);
  expect(alive.filter((one) => one === handle || !created.has(one))).toEqual([]);
  for (const tab of [ada, ...tabs]) expect((await tab.get("/private")).status).toBe(401);
}

everywhere(({ open }) => {
  for (const [name, end] of Object.entries(endings)) {
    test(`[G1] [B-08] [B-14] T-RES1 ASVS 7.4.1 after ${name} no slow read, write, touch or rotation revives the session, 20 interleavings`, async () => {
      const world = await open();
      for (let seed = 1; seed <= 20; seed++) {
        await race(world, seed, end);
        await world.sessions.revokeAll("ada");
      }
    });
  }

  test.for(["elevate", "reauthenticate", "rotate"])(
    "[G1] T-RES1 a logout that a faster %s overtakes still ends the session",
    async (verb) => {
      const world = await open();
      const ada = await world.loggedIn("ada");
      const [leaving, other] = [ada.copy(), ada.copy()];
      const held = world.probe.hold("end");
      const logout = leaving.post("/logout");
      await held.reached;
      expect((await other.post(`/${verb}`)).status).toBe(200);
      held.release();
      expect((await logout).status).toBe(200);
      for (const tab of [ada, leaving, other]) expect((await tab.get("/private")).status).toBe(401);
      expect((await world.sessions.list("ada")).items).toEqual([]);
    },
  );

  test("[B-14] T-RES1 a session that expires between its read and its touch is not touched", async () => {
    const world = await open();
    const ada = await world.loggedIn("ada");
    world.clock.advance(2 * MINUTE);
    const held = world.probe.hold("touch");
    const slow = ada.get("/me");
    await held.reached;
    world.clock.advance(28 * MINUTE);
    held.release();
    expect((await slow).status).toBe(200);
    expect(world.eventsOf("touched")).toEqual([]);
    expect((await ada.get("/private")).status).toBe(401);
  });
});
