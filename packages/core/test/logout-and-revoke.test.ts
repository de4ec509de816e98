/** Logout and revocation, and how the ending is told and explained. */
import { describe, expect, test } from "vitest";
import { memoryStore } from "../src/store/memory/store.ts";
import type { Browser } from "./support/browser.ts";
import { principalOf } from "./support/browser.ts";
import { fakeClock } from "./support/clock.ts";
import { Gate } from "./support/intercept.ts";
import { ENDINGS, gated } from "./support/gated.ts";
import { failure, failureCode, must, parallel, world, type World } from "./support/world.ts";

describe("NIST 5.1-erased logout", () => {
  test("ends the session, clears the cookie, and the request goes on with an empty one", async () => {
    const { visitor, told } = await gated();
    const handle = await visitor.visit((session) => session.handle);
    await visitor.visit(async (session) => {
      session.b = "unsaved";
      await session.logout();
      expect(session).toMatchObject({ principal: null, handle: null, isNew: true, level: 0 });
      expect(session.toJSON()).toEqual({});
    });
    expect(visitor.cookie).toBeUndefined();
    expect(visitor.plan?.cookie).toMatchObject({ value: "", attributes: { maxAge: 0 } });
    expect(told("logout")).toMatchObject([{ handle, principal: "ada", ending: { why: "logout" } }]);
    expect(told("changes-dropped")).toEqual([]);
  });

  test("data written after it begins an anonymous session of its own", async () => {
    const { visitor } = await gated();
    await visitor.visit(async (session) => {
      await session.logout();
      session.cart = ["later"];
    });
    await visitor.visit((session) => {
      expect(session.principal).toBeNull();
      expect(session.toJSON()).toEqual({ cart: ["later"] });
    });
  });

  test("T-DOS of a visitor without a session touches no store and sets no cookie", async () => {
    const { browser, gate } = await gated();
    gate.hold("end", "before");
    const visitor = browser();
    await visitor.visit((session) => session.logout());
    expect(visitor.plan?.cookie).toBeNull();
  });

  test("twice, and in two parallel requests, is no error and one event", async () => {
    const { visitor, told } = await gated();
    const visits = await parallel(2, () => visitor.open());
    await Promise.all(visits.map(({ session }) => session.logout()));
    await must(visits[0]).session.logout();
    await Promise.all(visits.map((visit) => visit.close()));
    expect(told("logout")).toHaveLength(1);
  });
});

describe("revoking", () => {
  async function threeDevices(): Promise<World & { devices: Browser[] }> {
    const made = world();
    const devices = [made.browser(), made.browser(), made.browser()];
    for (const device of devices) await device.visit((session) => session.login("ada"));
    await made.browser().visit((session) => session.login("bob"));
    return { ...made, devices };
  }

  test("ASVS 7.4.2 B-08 revokeAll ends all of one principal at once, and nobody else's", async () => {
    const { sessions, devices, told } = await threeDevices();
    expect(await sessions.revokeAll("ada", "account disabled")).toBe(3);
    for (const device of devices) {
      const ending = await device.visit((session) => session.ending);
      expect(ending).toMatchObject({ why: "revoked", reason: "account disabled" });
    }
    expect((await sessions.list("ada")).items).toEqual([]);
    expect((await sessions.list("bob")).items).toHaveLength(1);
    expect(told("revoked")).toMatchObject([{ handle: null, principal: "ada", count: 3 }]);
    expect(await sessions.revokeAll("ada")).toBe(0);
  });

  test("ASVS 7.4.3 B-08 revokeOthers ends all but the current, from the session and from outside", async () => {
    const { sessions, devices, told } = await threeDevices();
    const [one, two, three] = devices as [Browser, Browser, Browser];
    const handle = must(await one.visit((session) => session.handle));
    expect(await one.visit((session) => session.revokeOthers("password changed"))).toBe(2);
    expect(await principalOf(one)).toBe("ada");
    expect([await principalOf(two), await principalOf(three)]).toEqual([null, null]);
    expect(told("revoked")).toMatchObject([
      { except: handle, count: 2, ending: { reason: "password changed" } },
    ]);
    await two.visit((session) => session.login("ada"));
    expect(await sessions.revokeOthers("ada", handle)).toBe(1);
    expect(await principalOf(one)).toBe("ada");
  });

  test("ASVS 7.4.3 a request whose session was revoked meanwhile revokes nobody with revokeOthers", async () => {
    const { devices, sessions, told } = await threeDevices();
    const visits = await Promise.all(devices.map((device) => device.open()));
    const [first, second] = visits.map(({ session }) => session);
    await must(second).revokeOthers();
    expect(await failureCode(must(first).revokeOthers())).toBe("SOJOURN_SESSION_ENDED");
    expect(must(first).ending).toMatchObject({ why: "revoked" });
    expect(await sessions.list("ada")).toMatchObject({ items: [{ handle: must(second).handle }] });
    expect(told("revoked")).toHaveLength(1);
  });

  test("ASVS 7.4.3 of devices that revoke all others at once one is left, and the others are told", async () => {
    const { devices, sessions } = await threeDevices();
    const outcomes = await Promise.all(
      devices.map((device) =>
        device.visit((session) => session.revokeOthers().catch((error: unknown) => error)),
      ),
    );
    expect(outcomes.filter((outcome) => typeof outcome === "number")).toEqual([2]);
    expect((await sessions.list("ada")).items).toHaveLength(1);
  });

  test("ASVS 7.4.3 from outside, the others end also where the one to spare is over", async () => {
    const { devices, sessions, told } = await threeDevices();
    const handle = await must(devices[0]).visit((session) => session.handle ?? "");
    await sessions.revoke(handle);
    expect(await sessions.revokeOthers("ada", handle)).toBe(2);
    expect(told("revoked").at(-1)).toMatchObject({ except: null, count: 2 });
  });

  test("revokeOthers without the handle to spare is refused rather than sparing nobody", async () => {
    const { sessions } = await threeDevices();
    expect(await failureCode(sessions.revokeOthers("ada", "x"))).toBe("SOJOURN_OPTIONS_INVALID");
    expect((await sessions.list("ada")).items).toHaveLength(3);
  });

  test("ASVS 7.4.5 revokeEveryone ends everyone's, also anonymous ones, and lets new ones in", async () => {
    const { sessions, devices, browser, told } = await threeDevices();
    const visitor = browser();
    await visitor.visit((session) => void (session.a = 1));
    await sessions.revokeEveryone("incident");
    for (const device of [...devices, visitor]) {
      expect(await device.visit((session) => session.ending)).toMatchObject({
        why: "revoked",
        reason: "incident",
      });
    }
    expect((await sessions.count()).active).toBe(0);
    expect(told("revoked")).toMatchObject([{ handle: null, principal: null, count: null }]);
    await visitor.visit((session) => session.login("ada"));
    expect(await principalOf(visitor)).toBe("ada");
  });

  test("ASVS 7.5.2 revoke by handle: true once, then false; nonsense is false", async () => {
    const { sessions, devices } = await threeDevices();
    const handle = must(await must(devices[0]).visit((session) => session.handle));
    expect(await sessions.revoke(handle, "lost phone")).toBe(true);
    expect(await sessions.revoke(handle)).toBe(false);
    expect(await sessions.revoke("../../etc/passwd")).toBe(false);
    expect(await sessions.revoke(undefined as unknown as string)).toBe(false);
    expect((await sessions.list("ada")).items).toHaveLength(2);
  });

  test("B-20 a revocation that the store could not do is an error", async () => {
    const clock = fakeClock();
    const gate = new Gate(memoryStore({ clock }));
    const { sessions, browser } = world({ clock, store: gate.store, storeDeadline: "20ms" });
    await browser().visit((session) => session.login("ada"));
    gate.hold("endOwner", "before");
    gate.hold("endAll", "before");
    gate.hold("end", "before");
    const { handle } = must((await sessions.list("ada")).items[0]);
    expect(await failureCode(sessions.revokeAll("ada"))).toBe("SOJOURN_STORE_TIMEOUT");
    expect(await failureCode(sessions.revokeEveryone())).toBe("SOJOURN_STORE_TIMEOUT");
    expect(await failureCode(sessions.revoke(handle))).toBe("SOJOURN_STORE_TIMEOUT");
  });
});

describe("B-07 the ending is told", () => {
  test("once: at the next request, with successor and reason, and the cookie is cleared", async () => {
    const { visitor, browser, told } = await gated();
    const handle = await visitor.visit((session) => session.handle);
    const other = browser();
    await other.visit((session) => session.login("ada", { max: 1 }));
    const successor = await other.visit((session) => session.handle);
    const ending = await visitor.visit((session) => session.ending);
    expect(ending).toMatchObject({ why: "evicted", reason: "limit", successor });
    expect(told("evicted")).toMatchObject([{ handle, principal: "ada", ending: { successor } }]);
    expect(visitor.cookie).toBeUndefined();
    expect(await visitor.visit((session) => session.ending)).toBeNull();
  });

  test("to a request that was running: save() says why", async () => {
    const { visitor, sessions } = await gated();
    const { session } = await visitor.open();
    await sessions.revokeAll("ada", "fraud");
    session.b = 2;
    const error = await failure(session.save());
    expect(error).toMatchObject({ code: "SOJOURN_SESSION_ENDED", statusCode: 409 });
    expect(error.message).toContain("revoked: fraud");
    expect(session.ending).toMatchObject({ why: "revoked", reason: "fraud" });
  });

  test("the ended session's fresh successor in the same request is usable", async () => {
    const { visitor, sessions } = await gated();
    await sessions.revokeAll("ada");
    await visitor.visit((session) => {
      expect(session.ending?.why).toBe("revoked");
      session.cart = ["new"];
    });
    expect(await visitor.visit((session) => session.toJSON())).toEqual({ cart: ["new"] });
  });
});

describe("B-10 B-22 explain", () => {
  test("active, ended with its reason, and unknown", async () => {
    const { visitor, sessions, clock } = await gated();
    const handle = must(await visitor.visit((session) => session.handle));
    expect(await sessions.explain(handle)).toMatchObject({
      status: "active",
      session: { handle, principal: "ada", data: { a: 1 } },
    });
    await sessions.revoke(handle, "lost phone");
    expect(await sessions.explain(handle)).toEqual({
      status: "ended",
      principal: "ada",
      ending: { why: "revoked", reason: "lost phone", at: clock.now() },
    });
    expect(await sessions.explain("AAA".padEnd(19, "x"))).toEqual({ status: "unknown" });
    expect(await sessions.explain("nonsense")).toEqual({ status: "unknown" });
  });

  test.each(ENDINGS.filter(([name]) => name !== "elevate"))(
    "after %s tells the ending",
    async (name, end) => {
      const made = await gated();
      const handle = must(await made.visitor.visit((session) => session.handle));
      await end(made);
      const told = await made.sessions.explain(handle);
      expect(told).toMatchObject({ status: "ended", principal: "ada" });
      const why = { "a login": "rotated", eviction: "evicted", "the idle timeout": "idle" }[name];
      const expected = why ?? (name.startsWith("revoke") ? "revoked" : "logout");
      expect(told.status === "ended" && told.ending.why).toBe(expected);
    },
  );

  test("an earlier ending stays: revoking what was logged out changes nothing", async () => {
    const { visitor, sessions } = await gated();
    const handle = must(await visitor.visit((session) => session.handle));
    await visitor.visit((session) => session.logout());
    await sessions.revokeAll("ada");
    await sessions.revokeEveryone();
    expect(await sessions.explain(handle)).toMatchObject({ ending: { why: "logout" } });
  });
});
