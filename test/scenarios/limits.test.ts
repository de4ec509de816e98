/** G3: at most so many sessions of a user, at every instant. */
import { setImmediate as turn } from "node:timers/promises";
import type { OnLimit, Sessions } from "@sojourn/core";
import { expect, test } from "vitest";
import { everywhere, HOUR, MINUTE, SECOND } from "./matrix.ts";

/** Counts a user's sessions all the time; `stop` tells the most that it ever saw. */
function watch(sessions: Sessions, user: string): { stop: () => Promise<number> } {
  const watching = { isOver: false };
  const most = (async () => {
    let seen = 0;
    while (!watching.isOver) {
      seen = Math.max(seen, (await sessions.list(user)).items.length);
      await turn();
    }
    return seen;
  })();
  return {
    stop() {
      watching.isOver = true;
      return most;
    },
  };
}

const policies: readonly OnLimit[] = ["evict-oldest", "evict-idle", "reject"];

everywhere(({ open }) => {
  for (const policy of policies) {
    test(`[G3] [B-05] [E-16] ASVS 7.1.2 limit 3, ${policy}, 50 parallel logins on 2 nodes: never more than 3, in the end exactly 3, 20 rounds`, async () => {
      const world = await open({ options: { max: 3, onLimit: policy } });
      const apps = [world.app, await world.node()];
      world.probe.jitter();
      for (let round = 0; round < 20; round++) {
        const user = `user${round}`;
        const observer = watch(world.sessions, user);
        const clients = Array.from({ length: 50 }, (_, index) => world.client({}, apps[index % 2]));
        const answers = await Promise.all(
          clients.map((client) => client.post(`/login?user=${user}`)),
        );
        expect(await observer.stop()).toBeLessThanOrEqual(3);
        expect((await world.sessions.list(user)).items).toHaveLength(3);

        const admitted = answers.filter(({ status }) => status === 200).length;
        const refused = answers.filter(({ status }) => status === 409).length;
        expect([admitted, refused]).toEqual(policy === "reject" ? [3, 47] : [50, 0]);
        if (round > 1) continue;
        const views = await Promise.all(clients.map((client) => client.get("/private")));
        expect(views.filter(({ status }) => status === 200)).toHaveLength(3);
      }
    });
  }

  test("[B-07] [G3] OWASP-logons an evicted browser learns why once, and the event tells who took its place", async () => {
    const world = await open({ options: { max: 1 } });
    const first = await world.loggedIn("ada");
    const { handle } = (await first.get("/me")).body;
    const second = await world.loggedIn("ada");
    const successor = (await second.get("/me")).body["handle"];

    const told = (await first.get("/me")).body;
    expect(told).toMatchObject({
      principal: null,
      ending: { why: "evicted", reason: "limit", successor, at: world.clock.now() },
    });
    expect(first.cookie).toBe("");
    expect((await first.get("/me")).body["ending"]).toBeNull();
    expect(world.eventsOf("evicted")).toMatchObject([
      { handle, principal: "ada", ending: { why: "evicted", successor } },
    ]);
    await first.post("/login?user=bob");
    expect((await first.get("/me")).body).toMatchObject({ principal: "bob", ending: null });
  });

  test.for([
    ["evict-oldest", 0],
    ["evict-idle", 1],
  ] as const)(
    "[B-05] '%s' ends the session that it names: number %i of 3",
    async ([policy, loser]) => {
      const world = await open({ options: { max: 3, onLimit: policy } });
      const clients = [];
      for (let index = 0; index < 3; index++) {
        clients.push(await world.loggedIn("ada"));
        world.clock.advance(2 * MINUTE);
      }
      await clients[0]?.get("/me");
      await world.loggedIn("ada");
      const statuses = await Promise.all(
        clients.map(async (client) => (await client.get("/private")).status),
      );
      expect(statuses).toEqual([0, 1, 2].map((index) => (index === loser ? 401 : 200)));
    },
  );

  test("[B-06] without a limit, or with 0, 20 logins are 20 sessions", async () => {
    const world = await open();
    for (let index = 0; index < 20; index++) await world.loggedIn("ada");
    for (let index = 0; index < 20; index++) await world.loggedIn("bob", "max=0");
    expect((await world.sessions.list("ada")).items).toHaveLength(20);
    expect((await world.sessions.list("bob")).items).toHaveLength(20);
  });

  test("[B-05] 3 sessions that expired by themselves do not count against a limit of 3", async () => {
    const world = await open({ options: { max: 3, onLimit: "reject" } });
    for (let index = 0; index < 3; index++) await world.loggedIn("ada", "idle=60s");
    const late = world.client();
    expect((await late.post("/login?user=ada")).status).toBe(409);
    world.clock.advance(60 * SECOND);
    for (let index = 0; index < 3; index++) await world.loggedIn("ada");
    expect((await late.post("/login?user=ada")).status).toBe(409);
    expect((await world.sessions.list("ada")).items).toHaveLength(3);
  });

  test("[B-05] [G5] a second login in the same browser replaces its own session, never another's", async () => {
    const world = await open({ options: { max: 2, onLimit: "reject" } });
    const [one, two] = [await world.loggedIn("ada"), await world.loggedIn("ada")];
    for (let index = 0; index < 3; index++) {
      world.clock.advance(HOUR / 4);
      expect((await one.post("/login?user=ada")).status).toBe(200);
      expect((await two.get("/private")).status).toBe(200);
    }
    expect((await world.sessions.list("ada")).items).toHaveLength(2);
  });
});
