/** ASVS 7.5.1, 7.5.3, 7.4.3: fresh proof, approvals of one use, and the version of the credentials. */
import { describe, expect, test } from "vitest";
import { DAY, MINUTE, SECOND } from "./support/clock.ts";
import type { Browser } from "./support/browser.ts";
import { failure, failureCode, loggedIn, parallel, world } from "./support/world.ts";

describe("ASVS 7.5.1 requireFresh", () => {
  test("goes by the authentication, not by the creation or the last use", async () => {
    const { visitor, clock } = await loggedIn();
    for (const [ms, isFresh] of [
      [5 * MINUTE - 1, true],
      [1, false],
    ] as const) {
      clock.advance(ms);
      await visitor.visit(async (session) => {
        const attempt = () => session.requireFresh({ within: "5m" });
        if (isFresh) return attempt();
        const error = await failure(attempt);
        expect(error).toMatchObject({
          code: "SOJOURN_REAUTHENTICATION_REQUIRED",
          statusCode: 401,
          details: { reason: "stale", within: "5m" },
        });
      });
    }
    await visitor.visit((session) => session.reauthenticate());
    await visitor.visit((session) => session.requireFresh({ within: "5m" }));
  });

  test("NIST 5.1-level goes by the level, which only elevate() raises", async () => {
    const { visitor } = await loggedIn();
    await visitor.visit(async (session) => {
      const error = await failure(() => session.requireFresh({ level: 2 }));
      expect(error.details).toMatchObject({ reason: "level", level: 2 });
      await session.elevate({ level: 2 });
      session.requireFresh({ level: 2, within: "1m" });
    });
  });

  test("lets nobody in who is not logged in, locked out or gone", async () => {
    const { browser, visitor, clock, sessions } = await loggedIn({ onIdle: "lock" });
    const { session } = await browser().open();
    expect(await failureCode(() => session.requireFresh({}))).toBe("SOJOURN_NOT_LOGGED_IN");
    clock.advance(30 * MINUTE);
    const lockedOut = (await visitor.open()).session;
    expect(await failureCode(() => lockedOut.requireFresh({}))).toBe("SOJOURN_SESSION_LOCKED");
    await sessions.revokeAll("ada");
    const gone = (await visitor.open()).session;
    expect(await failureCode(() => gone.requireFresh({}))).toBe("SOJOURN_NOT_LOGGED_IN");
  });

  test("a bad duration says so", async () => {
    const { visitor } = await loggedIn();
    const { session } = await visitor.open();
    expect(await failureCode(() => session.requireFresh({ within: "soon" }))).toBe(
      "SOJOURN_OPTIONS_INVALID",
    );
  });
});

describe("ASVS 7.5.3 approvals", () => {
  const transfer = { to: "DE89", amount: 100 };

  test("one use, of this action, with these parameters, in this session", async () => {
    const { visitor, browser } = await loggedIn();
    const other = browser();
    await other.visit((session) => session.login("ada"));
    await visitor.visit((session) => session.approve("transfer", transfer));
    const use = (who: Browser, action: string, params?: unknown) =>
      who.visit((session) => session.useApproval(action, params));
    expect(await use(other, "transfer", transfer)).toBe(false);
    expect(await use(visitor, "delete", transfer)).toBe(false);
    expect(await use(visitor, "transfer", { ...transfer, amount: 1_000 })).toBe(false);
    expect(await use(visitor, "transfer", { ...transfer, more: undefined })).toBe(false);
    expect(await use(visitor, "transfer")).toBe(false);
    expect(await use(visitor, "transfer", { amount: 100, to: "DE89" })).toBe(true);
    expect(await use(visitor, "transfer", transfer)).toBe(false);
  });

  test("of 50 parallel uses exactly one succeeds", async () => {
    const { visitor } = await loggedIn();
    await visitor.visit((session) => session.approve("transfer", transfer));
    const used = await parallel(50, () =>
      visitor.clone().visit((session) => session.useApproval("transfer", transfer)),
    );
    expect(used.filter(Boolean)).toHaveLength(1);
  });

  test("ends after two minutes, or when it was told to", async () => {
    const { visitor, clock } = await loggedIn();
    const useAfter = async (ms: number, within?: string) => {
      await visitor.visit((session) =>
        session.approve("a", null, within === undefined ? {} : { within }),
      );
      clock.advance(ms);
      return visitor.visit((session) => session.useApproval("a", null));
    };
    expect(await useAfter(2 * MINUTE - 1)).toBe(true);
    expect(await useAfter(2 * MINUTE)).toBe(false);
    expect(await useAfter(10 * SECOND - 1, "10s")).toBe(true);
    expect(await useAfter(10 * SECOND, "10s")).toBe(false);
  });

  test("asked for twice it is one use all the same, with the later deadline", async () => {
    const { visitor, clock } = await loggedIn();
    await visitor.visit((session) => session.approve("a"));
    clock.advance(MINUTE);
    await visitor.visit((session) => session.approve("a"));
    clock.advance(2 * MINUTE - 1);
    expect(await visitor.visit((session) => session.useApproval("a"))).toBe(true);
    expect(await visitor.visit((session) => session.useApproval("a"))).toBe(false);
  });

  test("asked for by 20 requests at once it is one use, and no error", async () => {
    const { visitor } = await loggedIn();
    await parallel(20, () => visitor.clone().visit((session) => session.approve("a")));
    expect(await visitor.visit((session) => session.useApproval("a"))).toBe(true);
    expect(await visitor.visit((session) => session.useApproval("a"))).toBe(false);
  });

  test("survives a rotation, and dies with the session", async () => {
    const { visitor, sessions } = await loggedIn();
    await visitor.visit((session) => session.approve("a"));
    await visitor.visit((session) => session.rotate());
    await visitor.visit((session) => session.approve("b"));
    expect(await visitor.visit((session) => session.useApproval("a"))).toBe(true);
    await sessions.revokeAll("ada");
    const { session } = await visitor.open();
    expect(await failureCode(session.useApproval("b"))).toBe("SOJOURN_NOT_LOGGED_IN");
  });

  test("a request that was open when its session was revoked cannot use it", async () => {
    const { visitor, sessions } = await loggedIn();
    await visitor.visit((session) => session.approve("a"));
    const open = await visitor.open();
    await sessions.revokeAll("ada");
    expect(await failureCode(open.session.useApproval("a"))).toBe("SOJOURN_SESSION_ENDED");
  });

  test("is no session: counts and lists do not know of it", async () => {
    const { visitor, sessions } = await loggedIn();
    await visitor.visit((session) => session.approve("a"));
    expect(await sessions.count()).toMatchObject({ active: 1, principals: 1 });
  });
});

describe("T-PWD ASVS 7.4.3 authVersion", () => {
  test("a session from before the change of password ends at its next request, without an index", async () => {
    const { browser, told } = world({ cookie: { persistent: true } });
    const [here, there] = [browser(), browser()];
    for (const one of [here, there])
      await one.visit((session) => session.login("ada", { authVersion: "hash-1" }));
    await here.visit((session) => session.reauthenticate({ authVersion: "hash-2" }));
    expect(await here.visit((session) => session.verifyAuthVersion("hash-2"))).toBe(true);
    await there.visit(async (session) => {
      session.set("a", 1);
      expect(await session.verifyAuthVersion("hash-2")).toBe(false);
      expect(session).toMatchObject({ principal: null, ending: { reason: "credentials changed" } });
      expect(session.a).toBeUndefined();
    });
    expect(there.cookie).toBeUndefined();
    expect(await here.visit((session) => session.principal)).toBe("ada");
    expect(told("revoked")).toMatchObject([
      { principal: "ada", ending: { reason: "credentials changed" } },
    ]);
  });

  test("a session without a version is ended too: nobody knows how old it is", async () => {
    const { visitor } = await loggedIn();
    expect(await visitor.visit((session) => session.verifyAuthVersion("hash-1"))).toBe(false);
  });

  test("elevation, rotation and writes keep it; the version itself is not stored", async () => {
    const { browser, store, clock } = world();
    const visitor = browser();
    await visitor.visit((session) => session.login("ada", { authVersion: "the-password-hash" }));
    await visitor.visit((session) => session.elevate());
    await visitor.visit((session) => session.rotate());
    await visitor.visit((session) => void session.set("a", 1));
    clock.advance(DAY / 100);
    expect(await visitor.visit((session) => session.verifyAuthVersion("the-password-hash"))).toBe(
      true,
    );
    for await (const { payload } of store.scan("session"))
      expect(payload).not.toContain("the-password-hash");
  });
});
