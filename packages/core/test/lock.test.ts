/** after the idle timeout, but before the absolute one, a session is locked, not lost. */
import { describe, expect, test } from "vitest";
import type { Browser, TestSession } from "./support/browser.ts";
import { DAY, HOUR, MINUTE } from "./support/clock.ts";
import { failureCode, must, range, world, type World } from "./support/world.ts";

async function locked(): Promise<World & { visitor: Browser }> {
  const made = world({ onIdle: "lock", idle: "30m", absolute: "24h" });
  const visitor = made.browser();
  await visitor.visit(
    (session) => session.set("cart", ["tea"]) && session.login("ada", { level: 2 }),
  );
  made.clock.advance(30 * MINUTE);
  return { ...made, visitor };
}

describe("X-06 NIST 2.2.3 the idle lock", () => {
  test("falls at exactly the idle timeout, not 1 ms before", async () => {
    const { browser, clock } = world({ onIdle: "lock", idle: "30m" });
    const visitor = browser();
    await visitor.visit((session) => session.login("ada"));
    clock.advance(30 * MINUTE - 1);
    expect((await visitor.clone().open()).session.locked).toBeNull();
    clock.advance(1);
    expect((await visitor.open()).session.locked).toEqual({ why: "idle", principal: "ada" });
  });

  test("T-2FA shows no principal, level or data, and keeps cookie and session", async () => {
    const { visitor, sessions } = await locked();
    const { cookie } = visitor;
    await visitor.visit((session) => {
      expect(session).toMatchObject({
        principal: null,
        level: 0,
        authenticatedAt: null,
        isNew: false,
      });
      expect(session.cart).toBeUndefined();
      expect(session.toJSON()).toEqual({});
      expect(session.handle).not.toBeNull();
    });
    expect(visitor.cookie).toBe(cookie);
    expect((await sessions.list("ada")).items).toHaveLength(1);
  });

  test("is not opened by use: requests do not slide it, and what they change is dropped with an event", async () => {
    const { visitor, clock, told } = await locked();
    for (const _ of range(5)) {
      clock.advance(MINUTE);
      await visitor.visit((session) => void session.set("a", 1));
    }
    expect((await visitor.open()).session.locked).not.toBeNull();
    expect(told("changes-dropped")).toHaveLength(5);
    expect(told("touched")).toEqual([]);
  });

  test.each<[string, (session: TestSession) => unknown]>([
    ["save", (session) => session.save()],
    ["update", (session) => session.update(() => {})],
    ["reload", (session) => session.reload()],
    ["rotate", (session) => session.rotate()],
    ["elevate", (session) => session.elevate()],
    ["revokeOthers", (session) => session.revokeOthers()],
    ["csrfToken", (session) => session.csrfToken()],
  ])("%s is refused with 401", async (_, act) => {
    const { visitor } = await locked();
    const { session } = await visitor.open();
    const attempt = async (): Promise<void> => void (await act(session));
    expect(await failureCode(attempt())).toBe("SOJOURN_SESSION_LOCKED");
  });

  test("reauthenticate() opens it: data and level are there again, under a new token", async () => {
    const { visitor, clock } = await locked();
    const [before, thief] = [visitor.value, visitor.clone()];
    await visitor.visit(async (session) => {
      await session.reauthenticate();
      expect(session).toMatchObject({ principal: "ada", level: 2, locked: null, cart: ["tea"] });
      expect(session.authenticatedAt).toBe(clock.now());
    });
    expect(visitor.value).not.toBe(before);
    expect(await visitor.visit((session) => session.cart)).toEqual(["tea"]);
    expect((await thief.open()).session.principal).toBeNull();
  });

  test("login() of the same user keeps the data; of another does not", async () => {
    for (const [principal, cart] of [
      ["ada", ["tea"]],
      ["bob", undefined],
    ] as const) {
      const { visitor } = await locked();
      await visitor.visit((session) => session.login(principal));
      expect(await visitor.visit((session) => [session.principal, session.cart])).toEqual([
        principal,
        cart,
      ]);
    }
  });

  test("a login that fails leaves it locked", async () => {
    const { visitor, browser } = await locked();
    await browser().visit((session) => session.login("bob"));
    await visitor.visit(async (session) => {
      const login = session.login("bob", { max: 1, onLimit: "reject" });
      expect(await failureCode(login)).toBe("SOJOURN_LIMIT_REACHED");
      expect(session.locked).toEqual({ why: "idle", principal: "ada" });
      expect(session.cart).toBeUndefined();
    });
  });

  test("logout ends it", async () => {
    const { visitor, sessions } = await locked();
    await visitor.visit((session) => session.logout());
    expect(visitor.cookie).toBeUndefined();
    expect((await sessions.count()).active).toBe(0);
  });

  test("the absolute timeout ends it, locked or not; re-authentication starts it anew", async () => {
    const { visitor, clock } = await locked();
    const other = await locked();
    clock.advance(DAY - 30 * MINUTE);
    expect((await visitor.open()).session.ending).toMatchObject({ why: "absolute" });
    await other.visitor.visit((session) => session.reauthenticate());
    other.clock.advance(DAY - HOUR);
    expect((await other.visitor.open()).session.locked).toMatchObject({ principal: "ada" });
  });

  test("revocation ends it as any other", async () => {
    const { visitor, sessions } = await locked();
    await sessions.revokeAll("ada", "stolen laptop");
    expect((await visitor.open()).session).toMatchObject({
      locked: null,
      ending: { reason: "stolen laptop" },
    });
  });

  test("a visitor whom nobody could unlock is not locked: the session ends", async () => {
    const { browser, clock } = world({ onIdle: "lock", idle: "30m" });
    const visitor = browser();
    await visitor.visit((session) => void session.set("a", 1));
    clock.advance(30 * MINUTE);
    expect((await visitor.open()).session).toMatchObject({ locked: null, ending: { why: "idle" } });
  });

  test("a session in use is never locked", async () => {
    const { browser, clock } = world({ onIdle: "lock", idle: "30m" });
    const visitor = browser();
    await visitor.visit((session) => session.login("ada"));
    for (const _ of range(10)) {
      clock.advance(20 * MINUTE);
      expect(await visitor.visit((session) => session.principal)).toBe("ada");
    }
  });

  test("an admin sees it in the list with its data", async () => {
    const { sessions } = await locked();
    expect(must((await sessions.list("ada")).items[0])).toMatchObject({
      level: 2,
      data: { cart: ["tea"] },
    });
  });
});
