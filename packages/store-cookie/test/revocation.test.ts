/** Revocation: who dies, who is spared, what it costs, and what happens while the ledger is away. */
import { createSessionManager, memoryStore } from "@sojourn/core";
import { describe, expect, test } from "vitest";
import {
  Browser,
  DAY,
  failureCode,
  HandClock,
  SECOND,
  SECRET,
  watched,
  world,
} from "./support/world.ts";
import type { World } from "./support/world.ts";

const handleOf = async (browser: Browser): Promise<string> =>
  (await browser.copy().open()).session.handle ?? "";

const alive = (...browsers: Browser[]): Promise<boolean[]> =>
  Promise.all(browsers.map(async (browser) => (await browser.principal()) !== null));

describe("endings", () => {
  test("[X-09] [E-10] the browser is told once why its session ended, and every cookie is cleared", async () => {
    const { loggedIn, sessions } = world();
    const ada = await loggedIn("ada");
    await sessions.revoke(await handleOf(ada), "lost in the train");
    const { session, close } = await ada.open();
    expect(session.ending).toMatchObject({
      why: "revoked",
      reason: "lost in the train",
      principal: "ada",
    });
    await close();
    expect(ada.jar.size).toBe(0);
    expect((await ada.open()).session.ending).toBeNull();
  });

  test("[X-09] revoke() is true once, and explain() knows that it ended", async () => {
    const { loggedIn, sessions } = world();
    const handle = await handleOf(await loggedIn("ada"));
    expect(await sessions.explain(handle)).toEqual({ status: "unknown" });
    expect(await sessions.revoke(handle, "stolen")).toBe(true);
    expect(await sessions.revoke(handle, "again")).toBe(false);
    expect(await sessions.explain(handle)).toMatchObject({
      status: "ended",
      ending: { reason: "stolen" },
    });
    expect(await sessions.get(handle)).toBeNull();
  });

  test("[X-09] revokeAll() ends all of one user, and nobody else's, whoever shares the page", async () => {
    const made = world();
    const users = Array.from({ length: 40 }, (_, index) => `user${index}`);
    const browsers = await Promise.all(users.map((user) => made.loggedIn(user)));
    await made.sessions.revokeAll("user7");
    expect(await alive(...browsers)).toEqual(users.map((user) => user !== "user7"));
  });

  test("[X-09] a login in the same millisecond as a revocation, after it, lives; one before it is dead", async () => {
    const made = world();
    for (let round = 0; round < 3; round += 1) {
      const before = await made.loggedIn("ada");
      await made.sessions.revokeAll("ada");
      const after = await made.loggedIn("ada");
      expect(await alive(before, after)).toEqual([false, true]);
      await made.sessions.revokeEveryone();
      const later = await made.loggedIn("ada");
      expect(await alive(after, later)).toEqual([false, true]);
    }
  });

  test("[X-09] clocks that differ by an hour change nothing in who is revoked", async () => {
    const clock = new HandClock();
    const ledger = watched(memoryStore({ clock }));
    const [early, late] = [new HandClock(), new HandClock()];
    late.advance(3_600 * SECOND);
    const [slow, fast] = [world({ ledger, clock: early }), world({ ledger, clock: late })];
    const created = await fast.loggedIn("ada");
    await slow.sessions.revokeAll("ada");
    const again = await slow.loggedIn("ada");
    await fast.sessions.revokeAll("bob");
    expect(await alive(created, again)).toEqual([false, true]);
  });

  test("[X-09] revokeOthers() spares the one that asks, also when it has rotated since, and no dead one", async () => {
    const made = world();
    const [phone, laptop] = [await made.loggedIn("ada"), await made.loggedIn("ada")];
    const thief = phone.copy();
    expect(await laptop.visit((session) => session.revokeOthers())).toBe(0);
    expect(await alive(phone, laptop)).toEqual([false, true]);
    await laptop.visit((session) => session.rotate());
    await laptop.visit((session) => session.revokeOthers());
    expect(await alive(laptop)).toEqual([true]);

    const { session } = await thief.open();
    expect(await failureCode(session.revokeOthers())).toBe("SOJOURN_NOT_LOGGED_IN");
    await made.sessions.revokeOthers("ada", await handleOf(laptop));
    expect(await alive(laptop)).toEqual([true]);
  });

  test("[X-09] to spare a session that a revocation ended does not bring it back, by a request or from outside", async () => {
    const made = world();
    const ada = await made.loggedIn("ada");
    const handle = await handleOf(ada);
    const under = await ada.copy().open();
    await made.sessions.revokeAll("ada");
    expect(await failureCode(under.session.revokeOthers())).toBe("SOJOURN_SESSION_ENDED");
    await made.sessions.revokeOthers("ada", handle);
    await made.sessions.revokeOthers("ada", handle);
    expect(await alive(ada)).toEqual([false]);
    const bob = await made.loggedIn("bob");
    await made.sessions.revokeOthers("ada", await handleOf(bob));
    expect(await alive(bob)).toEqual([true]);
  });

  test("[X-09] of two sessions that end each other at once one is left, 20 rounds", async () => {
    for (let round = 0; round < 20; round += 1) {
      const made = world();
      const devices = [await made.loggedIn("ada"), await made.loggedIn("ada")];
      const visits = await Promise.all(devices.map((device) => device.open()));
      await Promise.allSettled(visits.map(({ session }) => session.revokeOthers()));
      expect((await alive(...devices)).filter(Boolean)).toHaveLength(1);
    }
  });

  test("[X-09] two rotations at once by one browser: one new token, and the session goes on", async () => {
    const made = world();
    const ada = await made.loggedIn("ada");
    const visits = await Promise.all([ada.open(), ada.open()]);
    await Promise.all(visits.map(({ session }) => session.rotate()));
    const plans = await Promise.all(visits.map(({ close }) => close()));
    expect(plans.filter(({ cookie }) => cookie !== null)).toHaveLength(1);
    expect(await alive(ada)).toEqual([true]);
  });

  test("[X-09] an approval is good once, for a copied session too", async () => {
    const made = world();
    const ada = await made.loggedIn("ada");
    await ada.visit((session) => session.approve("transfer", { to: "bob" }));
    const uses = await Promise.all(
      Array.from({ length: 10 }, async () =>
        (await ada.copy().open()).session.useApproval("transfer", { to: "bob" }),
      ),
    );
    expect(uses.filter(Boolean)).toHaveLength(1);
  });
});

describe("the ledger", () => {
  const pages = async ({ ledger: { store } }: World) => {
    const found = [];
    for await (const record of store.scan("epoch:session")) found.push(record);
    return found;
  };

  test("[X-09] a request asks it twice at once and writes nothing; a visitor without a session asks nothing", async () => {
    const made = world();
    const ada = await made.loggedIn("ada");
    made.ledger.calls = [];
    let waiting = 0;
    let most = 0;
    made.ledger.around = async (_, call) => {
      most = Math.max(most, (waiting += 1));
      const answer = await call();
      waiting -= 1;
      return answer;
    };
    await ada.visit(({ principal }) => principal);
    expect(made.ledger.calls).toEqual(["read", "read"]);
    expect(most).toBe(2);
    made.ledger.calls = [];
    await made.browser().visit(({ principal }) => principal);
    const forged = ada.copy();
    forged.jar.set(forged.parts[0] ?? "", "1forged");
    await forged.visit(({ principal }) => principal);
    expect(made.ledger.calls).toEqual([]);
  });

  test("[X-09] everyoneEvery saves one read; then revokeEveryone() is noticed elsewhere so much later, here at once", async () => {
    const store = { everyoneEvery: "5s" };
    const made = world({ store });
    const other = world({ store, clock: made.clock, ledger: made.ledger });
    const ada = await made.loggedIn("ada");
    const elsewhere = ada.copy(other);
    expect(await alive(ada, elsewhere)).toEqual([true, true]);
    made.ledger.calls = [];
    expect(await alive(elsewhere)).toEqual([true]);
    expect(made.ledger.calls).toEqual(["read"]);
    await made.sessions.revokeEveryone();
    expect(await alive(ada, elsewhere)).toEqual([false, true]);
    const after = await made.loggedIn("ada");
    expect(await alive(after.copy(other))).toEqual([true]);
    made.clock.advance(5 * SECOND);
    expect(await alive(ada, elsewhere, after, after.copy(other))).toEqual([
      false,
      false,
      true,
      true,
    ]);
  });

  test("[X-09] everyoneEvery: a rotation within that time does not carry a session over", async () => {
    const store = { everyoneEvery: "5s" };
    const made = world({ store });
    const other = world({ store, clock: made.clock, ledger: made.ledger });
    const ada = (await made.loggedIn("ada")).copy(other);
    expect(await alive(ada)).toEqual([true]);
    await made.sessions.revokeEveryone();
    await ada.visit((session) => session.rotate());
    expect(ada.jar.size).toBe(2);
    made.clock.advance(5 * SECOND);
    expect(await alive(ada)).toEqual([false]);
  });

  test("[X-09] 50 revocations of one page at once lose none, from 2 nodes", async () => {
    const made = world();
    const other = world({ clock: made.clock, ledger: made.ledger });
    const browsers = await Promise.all(Array.from({ length: 50 }, () => made.loggedIn("ada")));
    const handles = await Promise.all(browsers.map(handleOf));
    made.ledger.around = async (_, call) => {
      for (let turns = Math.floor(Math.random() * 4); turns > 0; turns -= 1)
        await new Promise(setImmediate);
      return call();
    };
    const ended = await Promise.all(
      handles.map((handle, index) => (index % 2 ? made : other).sessions.revoke(handle)),
    );
    expect(ended).toEqual(handles.map(() => true));
    expect(await alive(...browsers)).toEqual(handles.map(() => false));
  });

  test("[X-09] is bounded: an ending is forgotten when its session would be dead anyway, 400 days for one unknown", async () => {
    const made = world();
    const size = async () => Math.max(...(await pages(made)).map(({ payload }) => payload.length));
    const round = async () => {
      for (let logins = 0; logins < 20; logins += 1) {
        const ada = await made.loggedIn("ada");
        await ada.visit((session) => session.rotate());
        await ada.visit((session) => session.logout());
      }
      return size();
    };
    const first = await round();
    made.clock.advance(DAY + 10 * SECOND);
    expect(await round()).toBeLessThan(first + 20);
    await made.sessions.revokeAll("ada");
    const [page] = (await pages(made)).filter(({ payload }) => payload.includes('ada"'));
    made.clock.advance(400 * DAY + 10 * SECOND);
    const ada = await made.loggedIn("ada");
    await ada.visit((session) => session.logout());
    const [later] = (await pages(made)).filter(({ key }) => key === page?.key);
    expect(later?.payload).not.toContain('ada"');
    expect(await pages(made)).toHaveLength(2);
  });

  test("[X-09] a session that was reauthenticated outlives the first deadline, and so does its ending", async () => {
    const made = world({ options: { idle: null } });
    const ada = await made.loggedIn("ada");
    const old = await ada.copy().open();
    made.clock.advance(DAY - SECOND);
    await ada.visit((session) => session.reauthenticate());
    await old.session.logout();
    made.clock.advance(20 * SECOND);
    await (await made.loggedIn("ada")).visit((session) => session.logout());
    expect(await alive(ada)).toEqual([false]);
  });

  test("[X-09] pages of the ledger stay when the store is full: nobody's sessions go first", async () => {
    const clock = new HandClock();
    const ledger = watched(memoryStore({ clock, maxRecords: 5 }));
    const made = world({ clock, ledger });
    const ada = await made.loggedIn("ada");
    await made.sessions.revokeAll("ada");
    clock.advance(SECOND);
    const others = createSessionManager({ secret: SECRET, logger: false, store: ledger.store });
    for (let visitors = 0; visitors < 20; visitors += 1)
      await new Browser(others).visit((session) => {
        session["cart"] = ["book"];
      });
    expect(await alive(ada)).toEqual([false]);
    expect(await pages(made)).toHaveLength(2);
  });

  test("[X-09] T-RES2 one that was lost, or is another one, opens no session of before", async () => {
    const made = world();
    const ada = await made.loggedIn("ada");
    const fresh = world({ clock: made.clock });
    expect(await alive(ada.copy(fresh))).toEqual([false]);
    const bob = await fresh.loggedIn("bob");
    expect(await alive(ada.copy(fresh), bob)).toEqual([false, true]);
    await fresh.sessions.revokeEveryone();
    expect(await alive(ada.copy(fresh), bob)).toEqual([false, false]);
  });

  test.for([
    ["not JSON", "{", "SOJOURN_STORE_CORRUPT"],
    ["null", "null", "SOJOURN_STORE_CORRUPT"],
    [
      "entries that are none",
      '{"v":1,"ended":[["a",{}]],"owners":[],"everyone":null}',
      "SOJOURN_STORE_CORRUPT",
    ],
    ["a newer format", '{"v":2}', "SOJOURN_STORE_NEWER_FORMAT"],
  ] as const)(
    "[X-09] a page that is %s lets nobody in, and stays as it is",
    async ([, payload, code]) => {
      const made = world();
      const ada = await made.loggedIn("ada");
      const [record] = await pages(made);
      if (!record) throw new Error("there is no page");
      const { kind, key, version, seenAt, expiresAt } = record;
      await made.ledger.store.update({ kind, key }, { payload, seenAt, expiresAt }, version);
      expect(await failureCode(ada.open())).toBe(code);
      expect(await failureCode(made.sessions.revokeEveryone())).toBe(code);
      expect((await pages(made))[0]?.payload).toBe(payload);
    },
  );
});

describe("while the ledger is away", () => {
  const down = (made: World): void => {
    made.ledger.around = async () => {
      throw new Error("connection refused");
    };
  };

  test("[X-09] [G7] a session is not believed: 503 for its request, for a login, a logout and a revocation", async () => {
    const made = world({ options: { breaker: false } });
    const ada = await made.loggedIn("ada");
    const { session } = await ada.open();
    down(made);
    const codes = await Promise.all(
      [
        () => ada.open(),
        () => session.logout(),
        () => session.login("bob"),
        () => session.revokeOthers(),
        () => made.loggedIn("bob"),
        () => made.sessions.revokeAll("ada"),
        () => made.sessions.revokeEveryone(),
      ].map((work) => failureCode(work)),
    );
    expect(new Set(codes)).toEqual(new Set(["SOJOURN_STORE_UNAVAILABLE"]));
    expect(await made.sessions.health()).toMatchObject({ status: "down", store: "cookie" });
  });

  test("[X-09] [G7] a ledger that never answers is an error within the deadline", async () => {
    const made = world({ options: { storeDeadline: "50ms" } });
    const ada = await made.loggedIn("ada");
    made.ledger.around = () => new Promise(() => {});
    const began = performance.now();
    expect(await failureCode(ada.open())).toBe("SOJOURN_STORE_TIMEOUT");
    expect(performance.now() - began).toBeLessThan(1_000);
  });

  test("[X-09] with onStoreError 'anonymous' the request goes on without the session, and the cookies stay", async () => {
    const made = world({ options: { onStoreError: "anonymous", breaker: false } });
    const ada = await made.loggedIn("ada");
    const { around } = made.ledger;
    down(made);
    const before = ada.cookie;
    expect(await ada.visit(({ principal, degraded }) => [principal, degraded])).toEqual([
      null,
      "anonymous",
    ]);
    expect(ada.cookie).toBe(before);
    made.ledger.around = around;
    expect(await alive(ada)).toEqual([true]);
  });
});
