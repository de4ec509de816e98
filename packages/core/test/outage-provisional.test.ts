/** [E-23] `onStoreError: 'local'`: logins during an outage, and what becomes of them when the store is back. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { CLOCK_TOLERANCE } from "../src/store/contract.ts";
import { AWAY } from "./support/away.ts";
import { settled } from "./support/intercept.ts";
import {
  fakeTimers,
  finish,
  handleOf,
  loggedIn,
  nodes,
  pass,
  REFUSED,
  RETRY,
  standing,
  visit,
} from "./support/nodes.ts";
import { failure, must, parallel, range } from "./support/world.ts";

beforeEach(fakeTimers);
afterEach(() => {
  vi.useRealTimers();
});

describe.each(AWAY)("[E-23] a login while the store %s", (away) => {
  test("makes a provisional session: readable and writable here, known nowhere else", async () => {
    const { here, there } = nodes();
    const visitor = here.browser();
    here.line.cut(away);
    await visit(visitor, async (session) => {
      session.a = 1;
      await session.login("ada");
      expect(session).toMatchObject({ principal: "ada", degraded: "provisional", isNew: false });
    });
    expect(must(visitor.plan?.cookie).value).toHaveLength(95 - "__Host-sid=".length + 11);
    await visit(visitor, async (session) => {
      expect(session).toMatchObject({ principal: "ada", degraded: "provisional" });
      expect(session.a).toBe(1);
      session.b = 2;
    });
    await visit(visitor, (session) => session.update((data) => void (data["count"] = 3)));
    await visit(visitor, (session) => {
      expect(session.toJSON()).toEqual({ a: 1, b: 2, count: 3 });
    });
    const handle = await handleOf(visitor);
    for (const event of here.told("degraded"))
      expect(event).toMatchObject({ standing: "provisional", handle, principal: "ada" });
    expect(here.told("degraded").length).toBeGreaterThan(3);
    expect((await there.sessions.list("ada")).items).toEqual([]);
    expect(await standing(visitor.at(there.pipeline))).toBe("nobody");
  });

  test("is promoted by itself when the store is back, with what it wrote later", async () => {
    const made = nodes();
    const { here, there } = made;
    const visitor = here.browser();
    here.line.cut(away);
    await visit(visitor, (session) => session.set("a", 1) && session.login("ada"));
    await pass(made, 400);
    await visit(visitor, (session) => void (session.a = 2));
    const handle = await handleOf(visitor);
    expect(here.told("promoted")).toEqual([]);
    here.line.restore();
    await pass(made, RETRY);
    expect(here.told("promoted")).toMatchObject([{ handle, principal: "ada" }]);
    expect((await there.sessions.list("ada")).items).toHaveLength(1);
    await visit(visitor.at(there.pipeline), (session) => {
      expect(session).toMatchObject({ principal: "ada", handle, degraded: null });
      expect(session.toJSON()).toEqual({ a: 2 });
    });
    await visit(visitor, (session) => expect(session.degraded).toBeNull());
    expect(vi.getTimerCount()).toBe(0);
  });

  test("is promoted by its own next request, without waiting for that", async () => {
    const { here, there } = nodes();
    const visitor = here.browser();
    here.line.cut(away);
    await visit(visitor, (session) => session.login("ada"));
    here.line.restore();
    await visit(visitor, (session) => {
      expect(session).toMatchObject({ principal: "ada", degraded: null });
    });
    expect(await standing(visitor.at(there.pipeline))).toBe("ada");
    expect(here.told("promoted")).toHaveLength(1);
  });

  test("of a visitor takes the place of the anonymous session and its data", async () => {
    const made = nodes();
    const { here, there } = made;
    const visitor = here.browser();
    await visitor.visit((session) => void (session.cart = ["tea"]));
    await visitor.visit(() => {});
    const planted = visitor.clone();
    here.line.cut(away);
    await visit(visitor, (session) => session.login("ada"));
    await visit(visitor, (session) => expect(session.cart).toEqual(["tea"]));
    expect(await standing(planted)).toMatch(REFUSED);
    here.line.restore();
    expect(await standing(planted)).toMatch(REFUSED);
    await pass(made, RETRY);
    expect(await standing(planted.at(there.pipeline))).toBe("ended: rotated");
    expect((await there.sessions.count()).active).toBe(1);
    await visit(visitor, (session) => expect(session.cart).toEqual(["tea"]));
  });

  test("over another session of this process ends that one, and is one session in the end", async () => {
    const made = nodes();
    const { here, there } = made;
    const visitor = await loggedIn(here, "ada");
    const old = visitor.clone();
    here.line.cut(away);
    await visit(visitor, (session) => session.login("bob"));
    await visit(visitor, (session) => session.set("b", 1).login("eve"));
    expect(await standing(visitor)).toBe("eve");
    expect(await standing(old)).toMatch(REFUSED);
    here.line.restore();
    await pass(made, RETRY);
    expect((await there.sessions.count()).active).toBe(1);
    expect(await standing(visitor.at(there.pipeline))).toBe("eve");
    expect(await standing(old.at(there.pipeline))).toBe("ended: rotated");
  });

  test("logged out again never comes to the store", async () => {
    const made = nodes();
    const { here, there } = made;
    const visitor = here.browser();
    here.line.cut(away);
    await visit(visitor, (session) => session.login("ada"));
    const kept = visitor.clone();
    await visit(visitor, (session) => session.logout());
    expect(visitor.cookie).toBeUndefined();
    expect(here.told("logout")).toHaveLength(1);
    expect(await standing(kept)).toMatch(/nobody|ended: logout/);
    here.line.restore();
    await pass(made, RETRY);
    expect(await standing(kept)).toMatch(/nobody|ended: logout/);
    expect((await there.sessions.count()).active).toBe(0);
    expect(here.told("promoted")).toEqual([]);
  });

  test("revoked here meanwhile never comes to the store; one of after that does", async () => {
    const made = nodes();
    const { here, there } = made;
    const [first, second] = [here.browser(), here.browser()];
    here.line.cut(away);
    await visit(first, (session) => session.login("ada"));
    await pass(made, 1);
    const error = await failure(finish(here.sessions.revokeAll("ada", "password changed")));
    expect(error.details).toMatchObject({ repeated: true });
    expect(await standing(first)).toBe("ended: revoked");
    await pass(made, CLOCK_TOLERANCE + 1);
    await visit(second, (session) => session.login("ada"));
    here.line.restore();
    // Where the store did both late, the repetition comes after the new login: rather one too many.
    const who = away === "is late" ? /ada|ended: revoked/ : /ada/;
    expect(await standing(second)).toMatch(who);
    expect(await standing(first)).toBe("ended: revoked");
    await pass(made, RETRY);
    expect(await standing(second.at(there.pipeline))).toMatch(who);
    expect(await standing(first)).toBe("ended: revoked");
  });

  test("that spares itself from revokeOthers() is spared", async () => {
    const made = nodes();
    const { here, there } = made;
    const other = await loggedIn(here);
    here.line.cut(away);
    const visitor = here.browser();
    await pass(made, 1);
    await visit(visitor, (session) => session.login("ada"));
    const { session } = await finish(visitor.open());
    expect((await failure(finish(session.revokeOthers()))).details).toMatchObject({
      repeated: true,
    });
    here.line.restore();
    await pass(made, RETRY);
    expect(await standing(visitor.at(there.pipeline))).toBe("ada");
    expect(await standing(other)).toBe("ended: revoked");
  });

  test("T-2FA cannot be rotated or elevated before the store has it", async () => {
    const { here } = nodes();
    const visitor = here.browser();
    here.line.cut(away);
    await visit(visitor, (session) => session.login("ada"));
    const { session } = await finish(visitor.open());
    for (const work of [() => session.rotate(), () => session.elevate()])
      expect((await failure(finish(work()))).statusCode).toBe(503);
    expect(session.principal).toBe("ada");
    here.line.restore();
    await visit(visitor, (its) => its.elevate());
    expect(await visit(visitor, ({ level }) => level)).toBe(2);
  });

  test("loses no increment that succeeded, of 20 in parallel, half of them while it is promoted", async () => {
    const made = nodes({ breaker: { failures: 1, pause: "100ms" } });
    const { here, there } = made;
    const visitor = here.browser();
    here.line.cut(away);
    await visit(visitor, (session) => session.set("count", 0) && session.login("ada"));
    let succeeded = 0;
    const increment = async (): Promise<void> => {
      const { session } = await visitor.clone().open();
      await session.update((data) => void (data["count"] = Number(data["count"]) + 1));
      succeeded++;
    };
    await finish(parallel(10, increment));
    const more = Promise.allSettled(range(10).map(increment));
    here.line.restore();
    await pass(made, RETRY);
    await finish(more);
    await pass(made, RETRY);
    expect(succeeded).toBeGreaterThanOrEqual(10);
    if (away !== "is late") expect(succeeded).toBe(20);
    expect(await visitor.at(there.pipeline).visit((session) => session.count)).toBe(succeeded);
  });

  test("elsewhere revoked meanwhile is not taken over: it ends, with an event", async () => {
    const made = nodes();
    const { here, there } = made;
    const visitor = here.browser();
    here.line.cut(away);
    await visit(visitor, (session) => session.login("ada"));
    await pass(made, 1);
    await there.sessions.revokeAll("ada", "password changed");
    here.line.restore();
    await settled();
    expect(await standing(visitor.at(there.pipeline))).toMatch(REFUSED);
    expect(await standing(visitor)).toBe("ended: revoked");
    await pass(made, RETRY);
    expect(here.told("promoted")).toEqual([]);
    expect(here.told("revoked").filter(({ remote }) => !remote)).toMatchObject([
      { principal: "ada", count: 1, ending: { why: "revoked", reason: "password changed" } },
    ]);
    expect((await there.sessions.count()).active).toBe(0);
  });

  test("elsewhere everyone was revoked meanwhile: not taken over either", async () => {
    const made = nodes();
    const { here, there } = made;
    const visitor = here.browser();
    here.line.cut(away);
    await visit(visitor, (session) => session.login("ada"));
    await pass(made, 1);
    await there.sessions.revokeEveryone();
    here.line.restore();
    await pass(made, RETRY);
    expect(await standing(visitor)).toBe("ended: revoked");
  });

  test("expires by itself while it waits", async () => {
    const made = nodes({ idle: "1m" });
    const visitor = made.here.browser();
    made.here.line.cut(away);
    await visit(visitor, (session) => session.login("ada"));
    await pass(made, 60_000);
    expect(await standing(visitor)).toBe("ended: idle");
    made.here.line.restore();
    await pass(made, RETRY);
    expect((await made.there.sessions.count()).active).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });
});
