/** [F-10] The session of an upgrade request: what it has, what it refuses, what it may write. */
import { describe, expect, test } from "vitest";
import { Line, sharedStore } from "./support/away.ts";
import type { TestSession } from "./support/browser.ts";
import { fakeClock } from "./support/clock.ts";
import { failureCode, must, world, type World } from "./support/world.ts";

const open = async (
  { sessions }: World,
  cookie: string | undefined,
  { encrypted = false, secure }: { encrypted?: boolean; secure?: boolean } = {},
): Promise<TestSession> => {
  const socket = { remoteAddress: "192.0.2.7", encrypted };
  const request = { headers: { cookie, "user-agent": "Test/1" }, socket };
  const options = secure === undefined ? {} : { secure };
  return (await sessions.fromUpgrade(request, options)) as TestSession;
};

describe("[F-10] fromUpgrade()", () => {
  test("gives the session of the cookie: principal, handle, data, client", async () => {
    const made = world();
    const visitor = made.browser();
    await visitor.visit((session) => session.set("cart", ["tea"]) && session.login("ada"));
    const session = await open(made, visitor.cookie, { encrypted: true });
    expect(session).toMatchObject({ principal: "ada", isNew: false, level: 1 });
    expect(session.cart).toEqual(["tea"]);
    expect(session.handle).toBe(await visitor.visit(({ handle }) => handle));
    expect(session.checkClient()).toEqual({ matches: true, reasons: [] });
  });

  test("takes __Host-sid only where the browser speaks TLS, here or by word of the proxy", async () => {
    const made = world();
    const visitor = made.browser();
    await visitor.visit((session) => session.login("ada"));
    const { cookie } = visitor;
    expect(cookie).toMatch(/^__Host-sid=/);
    expect((await open(made, cookie)).principal).toBeNull();
    expect((await open(made, cookie, { secure: true })).principal).toBe("ada");
    expect((await open(made, cookie, { encrypted: true, secure: false })).principal).toBeNull();
    const always = world({ store: made.store, clock: made.clock, cookie: { secure: true } });
    expect((await open(always, cookie)).principal).toBe("ada");
  });

  test("takes no plain sid where the browser speaks TLS", async () => {
    const made = world();
    const visitor = made.browser({ secure: false });
    await visitor.visit((session) => session.login("ada"));
    expect(visitor.cookie).toMatch(/^sid=/);
    expect((await open(made, visitor.cookie)).principal).toBe("ada");
    expect((await open(made, visitor.cookie, { encrypted: true })).principal).toBeNull();
  });

  test("gives a fresh session for no cookie, a forged one and one that ended, and says why", async () => {
    const made = world();
    const visitor = made.browser();
    await visitor.visit((session) => session.login("ada"));
    const cookie = must(visitor.cookie);
    await made.sessions.revokeAll("ada", "password changed");
    for (const [header, why] of [
      [undefined, undefined],
      ["__Host-sid=junk", undefined],
      [`${cookie.slice(0, -1)}!`, undefined],
      [cookie, "revoked"],
    ] as const) {
      const session = await open(made, header, { encrypted: true });
      expect(session).toMatchObject({ principal: null, handle: null, isNew: true });
      expect(session.ending?.why).toBe(why);
      expect(session.toJSON()).toEqual({});
    }
    expect(made.told("cookie-rejected").map(({ reason }) => reason)).toEqual([
      "malformed",
      "malformed",
    ]);
  });

  test("save() and update() write; what is not saved is not written", async () => {
    const made = world();
    const visitor = made.browser();
    await visitor.visit((session) => session.login("ada"));
    const session = await open(made, visitor.cookie, { encrypted: true });
    session.a = "unsaved";
    expect(await visitor.visit((its) => its.a)).toBeUndefined();
    await session.save();
    await session.update((data) => void (data["count"] = 1));
    expect(await visitor.visit((its) => its.toJSON())).toEqual({ a: "unsaved", count: 1 });
  });

  test("touch() and save() keep the session alive, as long as messages come", async () => {
    const made = world({ idle: "30m" });
    const visitor = made.browser();
    await visitor.visit((session) => session.login("ada"));
    const session = await open(made, visitor.cookie, { encrypted: true });
    for (let quarter = 0; quarter < 8; quarter++) {
      made.clock.advance(15 * 60_000);
      session.touch();
      await session.save();
    }
    expect(await visitor.visit((its) => its.principal)).toBe("ada");
    made.clock.advance(30 * 60_000);
    session.touch();
    expect(await failureCode(session.save())).toBe("SOJOURN_SESSION_ENDED");
  });

  test("a session that ended meanwhile is not written", async () => {
    const made = world();
    const visitor = made.browser();
    await visitor.visit((session) => session.login("ada"));
    const session = await open(made, visitor.cookie, { encrypted: true });
    await made.sessions.revokeAll("ada");
    session.a = 1;
    expect(await failureCode(session.save())).toBe("SOJOURN_SESSION_ENDED");
  });

  test("rejects when the store is away; with 'anonymous' it gives a session that is nobody's", async () => {
    const clock = fakeClock();
    const line = new Line(sharedStore(clock));
    const failing = world({ clock, store: line.store });
    const anonymous = world({ clock, store: line.store, onStoreError: "anonymous" });
    const visitor = failing.browser();
    await visitor.visit((session) => session.login("ada"));
    line.cut("rejects");
    expect(await failureCode(open(failing, visitor.cookie, { encrypted: true }))).toBe(
      "SOJOURN_STORE_UNAVAILABLE",
    );
    const session = await open(anonymous, visitor.cookie, { encrypted: true });
    expect(session).toMatchObject({ principal: null, degraded: "anonymous" });
    expect(await failureCode(session.save())).toBe("SOJOURN_STORE_UNAVAILABLE");
  });
});
