/** G5: elevation, re-authentication and a change of privileges. */
import { describe, expect, test } from "vitest";
import type { DataView } from "../src/options/types.ts";
import { principalOf } from "./support/browser.ts";
import { HOUR, MINUTE } from "./support/clock.ts";
import { failureCode, loggedIn, range, world } from "./support/world.ts";

describe("elevate", () => {
  test("T-FIX2 raises the level by one, keeps handle, data and timeouts, and rotates", async () => {
    const { visitor, clock, told } = await loggedIn();
    const before = await visitor.visit((session) => {
      session.cart = [1];
      return { handle: session.handle, cap: session.absoluteExpiresAt };
    });
    clock.advance(MINUTE);
    await visitor.visit((session) => session.elevate());
    await visitor.visit((session) => {
      expect(session).toMatchObject({ level: 2, handle: before.handle, principal: "ada" });
      expect(session.authenticatedAt).toBe(clock.now());
      expect(session.absoluteExpiresAt).toBe(before.cap);
      expect(session.cart).toEqual([1]);
    });
    expect(told("elevated")).toMatchObject([{ level: 2, handle: before.handle }]);
    expect(told("rotated")).toMatchObject([{ cause: "elevate" }]);
  });

  test.each([
    [3, 3],
    [1, 1],
  ])("to level %d gives %d", async (level, expected) => {
    const { visitor } = await loggedIn();
    await visitor.visit((session) => session.elevate({ level }));
    expect(await visitor.visit((session) => session.level)).toBe(expected);
  });

  test.each([0, -1, 1.5, Number.NaN, 2 ** 53])(
    "to level %d is refused, the token stays",
    async (level) => {
      const { visitor } = await loggedIn();
      const { cookie } = visitor;
      await visitor.visit(async (session) => {
        expect(await failureCode(session.elevate({ level }))).toBe("SOJOURN_LEVEL_INVALID");
      });
      expect(visitor.cookie).toBe(cookie);
      expect(await visitor.visit((session) => session.level)).toBe(1);
    },
  );

  test("NIST 5.1-level is never lowered, but by a new login", async () => {
    const { visitor } = await loggedIn();
    await visitor.visit((session) => session.elevate({ level: 3 }));
    await visitor.visit(async (session) => {
      expect(await failureCode(session.elevate({ level: 2 }))).toBe("SOJOURN_LEVEL_INVALID");
      await session.rotate();
      await session.reauthenticate();
      expect(session.level).toBe(3);
      await session.login("ada");
      expect(session.level).toBe(1);
    });
  });

  test.each([0, 1.5, -2])("login with level %d is refused", async (level) => {
    const { session } = await world().browser().open();
    expect(await failureCode(session.login("ada", { level }))).toBe("SOJOURN_LEVEL_INVALID");
  });

  test("an anonymous session cannot be elevated, re-authenticated or spare itself", async () => {
    const { session } = await world().browser().open();
    session.a = 1;
    await session.save();
    expect(await failureCode(session.elevate())).toBe("SOJOURN_NOT_LOGGED_IN");
    expect(await failureCode(session.reauthenticate())).toBe("SOJOURN_NOT_LOGGED_IN");
    expect(await failureCode(session.revokeOthers())).toBe("SOJOURN_NOT_LOGGED_IN");
    expect(session.level).toBe(0);
  });
});

describe("reauthenticate", () => {
  test("NIST 5.2-reauth begins both timeouts anew, keeps handle and level", async () => {
    const { visitor, clock } = await loggedIn({ idle: "30m", absolute: "1h" });
    await visitor.visit((session) => session.elevate());
    const handle = await visitor.visit((session) => session.handle);
    clock.advance(29 * MINUTE);
    await visitor.visit(async (session) => {
      await session.reauthenticate();
      expect(session).toMatchObject({
        handle,
        level: 2,
        authenticatedAt: clock.now(),
        expiresAt: clock.now() + 30 * MINUTE,
        absoluteExpiresAt: clock.now() + HOUR,
      });
    });
    for (const _ of range(2)) {
      clock.advance(29 * MINUTE);
      expect(await visitor.visit((session) => session.principal)).toBe("ada");
    }
    clock.advance(2 * MINUTE);
    expect(await visitor.visit((session) => session.ending?.why)).toBe("absolute");
  });

  test("keeps the timeouts that the session has of its own", async () => {
    const { browser, clock } = world();
    const visitor = browser();
    await visitor.visit((session) => session.login("ada", { idle: "2m", absolute: "10m" }));
    clock.advance(MINUTE);
    await visitor.visit(async (session) => {
      await session.reauthenticate();
      expect(session.expiresAt).toBe(clock.now() + 2 * MINUTE);
      expect(session.absoluteExpiresAt).toBe(clock.now() + 10 * MINUTE);
    });
  });
});

describe("X-02 OWASP-renewal privileges watch", () => {
  const privileges = (data: DataView): unknown[] => [data["role"] ?? "user"];

  test("a changed role rotates without grace, and writes the change along", async () => {
    const { visitor, told } = await loggedIn({ privileges });
    const thief = visitor.clone();
    await visitor.visit((session) => void (session["role"] = "admin"));
    expect(await principalOf(thief)).toBeNull();
    expect(await visitor.visit((session) => session["role"])).toBe("admin");
    expect(told("rotated")).toMatchObject([{ cause: "privileges" }]);
  });

  test("the same role, or other data, does not rotate", async () => {
    const { visitor, told } = await loggedIn({ privileges });
    const { cookie } = visitor;
    await visitor.visit((session) => void Object.assign(session, { role: "user", a: 1 }));
    expect(visitor.cookie).toBe(cookie);
    expect(told("rotated")).toEqual([]);
  });

  test("a role that update() or another place changed rotates too", async () => {
    const { visitor } = await loggedIn({ privileges });
    const thief = visitor.clone();
    await visitor.visit((session) => session.update((data) => void (data["role"] = "admin")));
    expect(await principalOf(thief)).toBeNull();
    expect(await visitor.visit((session) => session["role"])).toBe("admin");
  });

  test("a handler that rotated already is not rotated again", async () => {
    const { visitor, told } = await loggedIn({ privileges });
    await visitor.visit(async (session) => {
      session["role"] = "admin";
      await session.elevate();
    });
    await visitor.visit(() => {});
    expect(told("rotated")).toMatchObject([{ cause: "elevate" }]);
  });

  test("a handler that rotated before it changed the role is not rotated again, nor is the next one", async () => {
    const { visitor, told } = await loggedIn({ privileges });
    await visitor.visit(async (session) => {
      await session.elevate();
      session["role"] = "admin";
    });
    await visitor.visit(() => {});
    expect(told("rotated")).toMatchObject([{ cause: "elevate" }]);
  });

  test("a role that another request changed, which this one learns from a conflict, does not rotate again", async () => {
    const { visitor, told } = await loggedIn({ privileges });
    const early = await visitor.clone().open();
    await visitor.visit(async (session) => {
      await session.rotate();
      session["role"] = "admin";
    });
    early.session["a"] = 1;
    await early.session.save();
    expect(early.session["role"]).toBe("admin");
    await early.close();
    expect(told("rotated")).toMatchObject([{ cause: "rotate" }]);
    expect(await visitor.visit((session) => session.toJSON())).toEqual({ a: 1, role: "admin" });
  });

  test("neither roles nor their names are in the store's facts", async () => {
    const { visitor, store } = await loggedIn({ privileges: () => ["superuser"] });
    await visitor.visit((session) => void (session.a = 1));
    for await (const record of store.scan("session"))
      expect(record.payload).not.toContain("superuser");
  });
});
