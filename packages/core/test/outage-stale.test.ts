/** [E-23] `onStoreError: 'local'`: what was read a moment ago stays readable, and nothing that is over does. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { AWAY } from "./support/away.ts";
import type { Browser, TestSession } from "./support/browser.ts";
import { MINUTE, SECOND } from "./support/clock.ts";
import { settled } from "./support/intercept.ts";
import {
  fakeTimers,
  finish,
  gatedNodes,
  handleOf,
  loggedIn,
  type Node,
  nodes,
  pass,
  REFUSED,
  standing,
  visit,
} from "./support/nodes.ts";
import { failure, range, SECRET } from "./support/world.ts";

beforeEach(fakeTimers);
afterEach(() => {
  vi.useRealTimers();
});

describe.each(AWAY)("[E-23] while a store %s, a session that was read before", (away) => {
  test("is readable, says so, and sends no cookie", async () => {
    const { here } = nodes();
    const visitor = await loggedIn(here);
    const before = await handleOf(visitor);
    here.line.cut(away);
    await visit(visitor, (session) => {
      expect(session).toMatchObject({ principal: "ada", handle: before, degraded: "stale" });
      expect(session.a).toBe(1);
      expect(session.isNew).toBe(false);
    });
    expect(visitor.plan?.cookie).toBeNull();
    expect(here.told("degraded")).toMatchObject([
      { standing: "stale", handle: before, principal: "ada" },
    ]);
    here.line.restore();
    await visit(visitor, (session) => expect(session.degraded).toBeNull());
  });

  test("is so for 60 s after it was read, and not a moment longer", async () => {
    const made = nodes();
    const visitor = await loggedIn(made.here);
    made.here.line.cut(away);
    await pass(made, MINUTE - 100);
    expect(await standing(visitor)).toBe("ada");
    await pass(made, 100);
    expect(await standing(visitor)).toMatch(/UNAVAILABLE|TIMEOUT/);
  });

  test("is not kept alive by being read while it is stale", async () => {
    const made = nodes({ staleFor: "10s" });
    const visitor = await loggedIn(made.here);
    made.here.line.cut(away);
    for (const _ of range(9)) {
      await pass(made, SECOND);
      expect(await standing(visitor)).toBe("ada");
    }
    await pass(made, SECOND);
    expect(await standing(visitor)).toMatch(/UNAVAILABLE|TIMEOUT/);
  });

  test("dies of its idle timeout all the same", async () => {
    const made = nodes({ idle: "30s" });
    const visitor = await loggedIn(made.here);
    made.here.line.cut(away);
    await pass(made, 30 * SECOND - 1);
    expect(await standing(visitor)).toBe("ada");
    await pass(made, 1);
    expect(await standing(visitor)).toBe("ended: idle");
  });

  test("is nobody's business of a process that has not read it: 503 there", async () => {
    const { here, there } = nodes();
    const visitor = await loggedIn(here);
    there.line.cut(away);
    expect(await standing(visitor.at(there.pipeline))).toMatch(/UNAVAILABLE|TIMEOUT/);
  });

  const WRITES: [name: string, act: (session: TestSession) => Promise<unknown>][] = [
    ["save", (session) => session.set("a", 2).save()],
    ["update", (session) => session.update((data) => void (data["a"] = 2))],
    ["rotate", (session) => session.rotate()],
    ["elevate", (session) => session.elevate()],
    ["reauthenticate", (session) => session.reauthenticate()],
  ];

  test.each(WRITES)("is not to be written: %s() is a 503", async (_, act) => {
    const { here, there } = nodes();
    const visitor = await loggedIn(here);
    here.line.cut(away);
    const { session } = await finish(visitor.open());
    expect((await failure(finish(act(session)))).statusCode).toBe(503);
    here.line.restore();
    await settled();
    expect(await standing(visitor)).toMatch(away === "is late" ? /ada|nobody|ended/ : /ada/);
    expect((await there.sessions.list("ada")).items).toHaveLength(1);
  });

  test("is not to be written by the commit either: a change is a 503", async () => {
    const { here } = nodes();
    const visitor = await loggedIn(here);
    here.line.cut(away);
    const request = await finish(visitor.open());
    request.session.a = 2;
    expect((await failure(finish(request.close()))).statusCode).toBe(503);
  });

  test("is touched in silence: a touch that is due fails no request", async () => {
    const made = nodes({ touchAfter: "10s" });
    const visitor = await loggedIn(made.here);
    made.here.line.cut(away);
    await pass(made, 20 * SECOND);
    await visit(visitor, (session) => session.touch());
    await visit(visitor, (session) => expect(session.principal).toBe("ada"));
  });

  test("that began before the outage and only looked goes through", async () => {
    const { here } = nodes();
    const visitor = await loggedIn(here);
    const request = await visitor.open();
    here.line.cut(away);
    await finish(request.close());
    expect(request.session.degraded).toBeNull();
  });
});

type Over = (visitor: Browser, node: Node) => Promise<unknown>;

const OVER: [name: string, end: Over][] = [
  ["logout", (visitor) => visitor.clone().visit((session) => session.logout())],
  ["regenerate", (visitor) => visitor.clone().visit((session) => session.regenerate())],
  ["a login", (visitor) => visitor.clone().visit((session) => session.login("ada"))],
  ["eviction", (_, { browser }) => browser().visit((session) => session.login("ada", { max: 1 }))],
  ["revoke", async (visitor, { sessions }) => sessions.revoke(await handleOf(visitor))],
  ["revokeAll", (_, { sessions }) => sessions.revokeAll("ada")],
  ["revokeEveryone", (_, { sessions }) => sessions.revokeEveryone()],
  [
    "revokeOthers",
    (_, { browser }) =>
      browser().visit(async (session) => {
        await session.login("ada");
        await session.revokeOthers();
      }),
  ],
];

describe("[E-23] nothing that is over is served while the store is away", () => {
  test.each(OVER)("after %s in this process", async (_, end) => {
    const { here } = nodes();
    const visitor = await loggedIn(here);
    await end(visitor, here);
    here.line.cut("rejects");
    expect(await standing(visitor)).toMatch(REFUSED);
  });

  test.each(OVER)("after %s in another process, whose message came", async (_, end) => {
    const { here, there } = nodes();
    const visitor = await loggedIn(here);
    await end(visitor.at(there.pipeline), there);
    await settled(1);
    here.line.cut("rejects");
    expect(await standing(visitor)).toMatch(REFUSED);
  });

  test.each(OVER)("after %s elsewhere during the outage, whose message came", async (_, end) => {
    const { here, there } = nodes();
    const visitor = await loggedIn(here);
    here.line.cut("rejects");
    await end(visitor.at(there.pipeline), there);
    await settled(1);
    expect(await standing(visitor)).toMatch(REFUSED);
  });

  test("the others of a principal stay: revokeOthers() spares whom it spares", async () => {
    const { here } = nodes();
    const [one, two] = [await loggedIn(here), await loggedIn(here)];
    await one.visit((session) => session.revokeOthers());
    here.line.cut("rejects");
    expect(await standing(one)).toBe("ada");
    expect(await standing(two)).toMatch(REFUSED);
  });

  test("nor what was read before messages were missed", async () => {
    const { here, there, bus } = nodes();
    const visitor = await loggedIn(here);
    bus.mode = "lose";
    await there.sessions.revokeAll("ada");
    bus.reopen();
    here.line.cut("rejects");
    expect(await standing(visitor)).toMatch(REFUSED);
  });

  test("it listens from the first request on, also where nobody called ready()", async () => {
    const clock = nodes();
    const { createSessionManager } = await import("../src/create.ts");
    const store = clock.here.store;
    const before = clock.bus.listening;
    const { pipeline, sessions } = createSessionManager({
      secret: SECRET,
      logger: false,
      store,
      onStoreError: "local",
    });
    expect(clock.bus.listening).toBe(before);
    const visitor = await loggedIn(clock.there);
    await visitor.at(pipeline).visit(() => {});
    expect(clock.bus.listening).toBe(before + 1);
    await clock.there.sessions.revokeAll("ada");
    await settled(1);
    clock.here.line.cut("rejects");
    expect(await standing(visitor.at(pipeline))).toMatch(REFUSED);
    await sessions.close();
  });

  test("T-2FA a token that was replaced does not come back", async () => {
    const { here } = nodes();
    const visitor = await loggedIn(here);
    const old = visitor.clone();
    await visitor.visit((session) => session.rotate());
    await old.clone().visit((session) => expect(session.principal).toBe("ada"));
    await visitor.visit(() => {});
    here.line.cut("rejects");
    expect(await standing(visitor)).toBe("ada");
    expect(await standing(old)).toMatch(REFUSED);
  });

  test("a read that was under way when the message came is asked again, and not remembered", async () => {
    const { here, there, gate } = gatedNodes();
    const visitor = await loggedIn(here);
    gate.hold("read", "after");
    const slow = visitor.clone().open();
    await gate.reached("read");
    await there.sessions.revokeAll("ada");
    await settled(1);
    gate.open();
    expect((await slow).session).toMatchObject({ principal: null, ending: { why: "revoked" } });
    here.line.cut("rejects");
    expect(await standing(visitor)).toMatch(REFUSED);
  });

  test("a write that was under way when the message came is not remembered", async () => {
    const { here, there, gate } = gatedNodes();
    const visitor = await loggedIn(here);
    gate.hold("update", "after");
    const request = await visitor.open();
    request.session.a = 2;
    const slow = request.close();
    await gate.reached("update");
    await there.sessions.revokeAll("ada");
    await settled(1);
    gate.open();
    await slow;
    here.line.cut("rejects");
    expect(await standing(visitor)).toMatch(REFUSED);
  });

  test("nor what the store has forgotten since", async () => {
    const { here, there, bus } = nodes();
    const visitor = await loggedIn(here);
    bus.mode = "lose";
    await there.sessions.revokeAll("ada");
    expect(await standing(visitor)).toBe("ended: revoked");
    here.line.cut("rejects");
    expect(await standing(visitor)).toMatch(REFUSED);
  });

  test("answers of the store are no outage", async () => {
    const { SojournError } = await import("../src/errors.ts");
    let isBroken = false;
    const { here } = nodes({}, (store) => ({
      ...store,
      read: (ref) =>
        isBroken
          ? Promise.reject(new SojournError("SOJOURN_STORE_CORRUPT", "broken"))
          : store.read(ref),
    }));
    const visitor = await loggedIn(here);
    isBroken = true;
    expect(await standing(visitor)).toBe("SOJOURN_STORE_CORRUPT");
  });

  test("while the store answers, a read is one call and nothing more", async () => {
    const { here } = nodes();
    const visitor = await loggedIn(here);
    const calls: string[] = [];
    const { countingStore } = await import("./support/intercept.ts");
    const counting = countingStore(here.store);
    const { world } = await import("./support/world.ts");
    const made = world({ clock: here.clock, store: counting.store, onStoreError: "local" });
    await visitor.at(made.pipeline).visit(() => {});
    await made.browser().visit((session) => session.login("bob"));
    await made.browser().open("__Host-sid=junk");
    await made.sessions.revokeAll("ada");
    await standing(visitor.at(made.pipeline));
    calls.push(...counting.calls);
    expect(calls).toEqual(["read", "create", "endOwner", "read"]);
  });
});
