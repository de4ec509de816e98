/** G5: login gives a new token, and the old one is dead in the same step. */
import { describe, expect, test } from "vitest";
import type { TestSession } from "./support/browser.ts";
import { principalOf } from "./support/browser.ts";
import { HOUR, MINUTE } from "./support/clock.ts";
import { settled } from "./support/intercept.ts";
import { loggedIn, parallel, world } from "./support/world.ts";

describe("G5 ASVS 7.2.4 the old token is dead", () => {
  const STEPS: [name: string, step: (session: TestSession) => Promise<void>][] = [
    ["login of the same principal", (session) => session.login("ada")],
    ["login of another principal", (session) => session.login("bob")],
    ["elevate", (session) => session.elevate()],
    ["reauthenticate", (session) => session.reauthenticate()],
    ["logout", (session) => session.logout()],
    ["regenerate", (session) => session.regenerate()],
  ];

  test.each(STEPS)("in the same tick after %s, before the response leaves", async (_, step) => {
    const { visitor } = await loggedIn();
    const thief = visitor.clone();
    const visit = await visitor.open();
    await step(visit.session);
    expect(await principalOf(thief)).toBeNull();
    await visit.close();
    expect(await principalOf(thief)).toBeNull();
    expect(visitor.cookie).not.toBe(thief.cookie);
  });

  test.each(STEPS)("for 100 requests that raced %s: none writes, none revives", async (_, step) => {
    const { visitor, sessions } = await loggedIn();
    const thief = visitor.clone();
    const racing = await parallel(100, () => thief.open());
    const visit = await visitor.open();
    await Promise.all([
      step(visit.session),
      ...racing.map(async ({ session }, index) => {
        await settled(index % 5);
        session.set(`stolen${index}`, true);
      }),
    ]);
    await visit.close();
    for (const { context } of racing) {
      const { cookie } = await thief.parts.pipeline.commit(context);
      expect(cookie).toBeNull();
    }
    expect(await principalOf(thief)).toBeNull();
    const keys = await visitor.visit((session) => Object.keys(session));
    expect(keys).toEqual([]);
    expect((await sessions.count()).active).toBeLessThanOrEqual(1);
  });
});

describe("E-04 fixation", () => {
  test("T-FIX1 the attacker's planted session is dead once the victim logged in with it", async () => {
    const { browser } = world();
    const attacker = browser();
    await attacker.visit((session) => void (session.a = "planted"));
    const victim = attacker.clone();
    await victim.visit((session) => session.login("ada"));
    expect(await principalOf(attacker)).toBeNull();
    expect(await principalOf(victim)).toBe("ada");
  });

  test("T-FIX1 the attacker's request that is still running reaches nothing of the victim's", async () => {
    const { browser, told } = world();
    const attacker = browser();
    await attacker.visit((session) => void (session.a = "planted"));
    const victim = attacker.clone();
    const running = await attacker.open();
    await victim.visit((session) => session.login("ada"));
    running.session.cart = ["evil"];
    await running.close();
    await victim.visit((session) => {
      expect(session.principal).toBe("ada");
      expect(session.cart).toBeUndefined();
    });
    expect(told("changes-dropped")).toMatchObject([{ keys: ["cart"], ending: { why: "rotated" } }]);
  });

  test("T-FIX4 a token that we did not issue is never adopted", async () => {
    const { browser, store } = world();
    const visitor = browser();
    const own = `AAA.${"A".repeat(43)}`;
    for (const value of [own, `${own}.${"A".repeat(47)}`, "x"]) {
      const visit = await visitor.open(`__Host-sid=${value}`);
      await visit.session.login("ada");
      await visit.close();
      expect(visitor.value).not.toContain(own);
    }
    for await (const record of store.scan("session")) expect(record.key).not.toContain(own);
  });

  test("T-FIX4 a signed cookie that the store does not know is not adopted either, and is cleared", async () => {
    const { visitor, browser } = await loggedIn();
    const other = world({ clock: visitor.parts.clock });
    const lost = visitor.at(other.pipeline);
    await lost.visit((session) => expect(session.principal).toBeNull());
    expect(lost.cookie).toBeUndefined();
    expect(other.told("cookie-rejected")).toMatchObject([{ reason: "unknown" }]);
    expect(browser().cookie).toBeUndefined();
  });
});

describe("what login does to handle, data and facts", () => {
  test("an anonymous visitor keeps the data and gets a new handle", async () => {
    const { browser, told } = world();
    const visitor = browser();
    await visitor.visit((session) => void (session.cart = ["book"]));
    const before = await visitor.visit((session) => session.handle);
    await visitor.visit(async (session) => {
      session.a = "in this request";
      await session.login("ada");
      expect(session.handle).not.toBe(before);
      expect(session.toJSON()).toEqual({ cart: ["book"], a: "in this request" });
    });
    await visitor.visit((session) => {
      expect(session.toJSON()).toEqual({ cart: ["book"], a: "in this request" });
      expect(session.principal).toBe("ada");
    });
    expect(told("login")).toMatchObject([{ principal: "ada", previous: before }]);
  });

  test("another principal's data stays behind, but what this request wrote comes along", async () => {
    const { visitor } = await loggedIn();
    await visitor.visit((session) => void Object.assign(session, { cart: ["ada's"], b: 1 }));
    await visitor.visit(async (session) => {
      session.a = "this request";
      await session.login("bob");
      expect(session.toJSON()).toEqual({ a: "this request" });
    });
    await visitor.visit((session) => {
      expect(session.principal).toBe("bob");
      expect(session.toJSON()).toEqual({ a: "this request" });
    });
  });

  test("the same principal keeps the data", async () => {
    const { visitor } = await loggedIn();
    await visitor.visit((session) => void (session.cart = [1]));
    await visitor.visit((session) => session.login("ada"));
    await visitor.visit((session) => expect(session.cart).toEqual([1]));
  });

  test("a session that was ended under the request gives nothing to the next login", async () => {
    const { visitor, sessions } = await loggedIn();
    await visitor.visit((session) => void (session.cart = ["old"]));
    const visit = await visitor.open();
    expect(visit.session.cart).toEqual(["old"]);
    visit.session.a = "change";
    await sessions.revokeAll("ada");
    await visit.session.login("ada");
    expect(visit.session.toJSON()).toEqual({});
    await visit.close();
    await visitor.visit((session) => {
      expect(session.principal).toBe("ada");
      expect(session.toJSON()).toEqual({});
    });
  });

  test("times and level are those of the login", async () => {
    const { browser, clock } = world();
    const visitor = browser();
    await visitor.visit((session) => void (session.a = 1));
    clock.advance(10 * MINUTE);
    await visitor.visit(async (session) => {
      await session.login("ada");
      expect(session).toMatchObject({
        createdAt: clock.now(),
        authenticatedAt: clock.now(),
        level: 1,
      });
      expect(session.absoluteExpiresAt).toBe(clock.now() + 24 * HOUR);
    });
    await visitor.visit((session) => expect(session.authenticatedAt).toBe(clock.now()));
  });

  test("two logins in one request leave one session", async () => {
    const { browser, sessions } = world();
    const visitor = browser();
    await visitor.visit(async (session) => {
      await Promise.all([session.login("ada"), session.login("bob"), session.login("ada")]);
    });
    expect(await principalOf(visitor)).toBe("ada");
    expect((await sessions.count()).active).toBe(1);
  });

  test("20 parallel logins of one anonymous visitor all work, and leave no anonymous session", async () => {
    const { browser, sessions } = world();
    const visitor = browser();
    await visitor.visit((session) => void (session.cart = [1]));
    const jars = await parallel(20, async () => {
      const jar = visitor.clone();
      await jar.visit((session) => session.login("ada"));
      return jar;
    });
    for (const jar of jars) {
      await jar.visit((session) => {
        expect(session.principal).toBe("ada");
        expect(session.cart).toEqual([1]);
      });
    }
    expect(await sessions.count()).toMatchObject({ active: 20, principals: 1 });
  });
});
