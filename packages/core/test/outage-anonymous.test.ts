/** [E-23] `onStoreError: 'fail'` and `'anonymous'`: what a request gets, and may do, while the store is away. */
import { AsyncLocalStorage } from "node:async_hooks";
import { describe, expect, test } from "vitest";
import type { DataView, OnStoreError, SessionOptions } from "../src/options/types.ts";
import { AWAY, type Away, Line, sharedStore } from "./support/away.ts";
import type { Browser, TestSession } from "./support/browser.ts";
import { fakeClock } from "./support/clock.ts";
import { settled } from "./support/intercept.ts";
import { failure, failureCode, must, world, type World } from "./support/world.ts";

interface Cut extends World {
  readonly line: Line;
  /** Logged in as `ada` before the store went away. */
  readonly visitor: Browser;
}

async function cut(
  onStoreError: OnStoreError,
  away: Away,
  options: SessionOptions = {},
): Promise<Cut> {
  const clock = fakeClock();
  const line = new Line(sharedStore(clock));
  const store = line.store;
  const known = { storeDeadline: "20ms", breaker: false } as const;
  const made = world({ ...known, ...options, clock, store, onStoreError });
  const visitor = made.browser();
  await visitor.visit((session) => void (session.a = 1));
  if (!options.principal) await visitor.visit((session) => session.login("ada"));
  line.cut(away);
  return { ...made, line, visitor };
}

const CODES = ["SOJOURN_STORE_UNAVAILABLE", "SOJOURN_STORE_TIMEOUT"];

describe.each(AWAY)("[E-23] 'fail', a store that %s", (away) => {
  test("is a 503 with Retry-After to whoever has a cookie, and nothing is cleared", async () => {
    const { visitor } = await cut("fail", away);
    const error = await failure(visitor.open());
    expect(CODES).toContain(error.code);
    expect(error).toMatchObject({ statusCode: 503, headers: { "Retry-After": "2" } });
  });

  test("a revocation is an error", async () => {
    const { sessions } = await cut("fail", away);
    const error = await failure(sessions.revokeAll("ada"));
    expect(error.statusCode).toBe(503);
    expect(error.details).not.toHaveProperty("repeated");
  });
});

const VERBS: [name: string, act: (session: TestSession) => Promise<unknown>][] = [
  ["login", (session) => session.login("eve")],
  ["logout", (session) => session.logout()],
  ["destroy", (session) => session.destroy()],
  ["save", (session) => session.save()],
  ["reload", (session) => session.reload()],
  ["update", (session) => session.update((data) => void (data["b"] = 2))],
  ["rotate", (session) => session.rotate()],
  ["elevate", (session) => session.elevate()],
  ["reauthenticate", (session) => session.reauthenticate()],
  ["regenerate", (session) => session.regenerate()],
  ["revokeOthers", (session) => session.revokeOthers()],
];

describe.each(AWAY)("[E-23] 'anonymous', a store that %s", (away) => {
  test("a request with a good cookie goes on as nobody's, and keeps its cookie", async () => {
    const { visitor, told, line } = await cut("anonymous", away);
    const { cookie } = visitor;
    await visitor.visit((session) => {
      expect(session).toMatchObject({
        principal: null,
        handle: null,
        isNew: true,
        level: 0,
        ending: null,
        degraded: "anonymous",
      });
      expect(session.toJSON()).toEqual({});
    });
    expect(visitor.plan?.cookie).toBeNull();
    expect(visitor.cookie).toBe(cookie);
    expect(told("degraded")).toMatchObject([
      { standing: "anonymous", handle: null, principal: null },
    ]);
    line.restore();
    await visitor.visit((session) => {
      expect(session).toMatchObject({ principal: "ada", degraded: null });
      expect(session.a).toBe(1);
    });
  });

  test("each of two requests at once tells of itself, in its own async context", async () => {
    const { visitor, sessions } = await cut("anonymous", away);
    const request = new AsyncLocalStorage<number>();
    const tellers: unknown[] = [];
    sessions.on("degraded", () => void tellers.push(request.getStore()));
    await Promise.all([1, 2].map((number) => request.run(number, () => visitor.open())));
    expect(tellers.toSorted()).toEqual([1, 2]);
  });

  test("what it writes is dropped, with an event that names the keys", async () => {
    const { visitor, told, line } = await cut("anonymous", away);
    await visitor.visit((session) => session.set("a", 7).set("b", 2) && undefined);
    expect(visitor.plan?.cookie).toBeNull();
    expect(told("changes-dropped")).toMatchObject([
      { handle: null, keys: ["a", "b"], ending: null },
    ]);
    line.restore();
    await settled();
    expect(await visitor.visit((session) => session.toJSON())).toEqual({ a: 1 });
  });

  test.each(VERBS)("%s() rejects with 503, and changes nothing", async (_, act) => {
    const { visitor, line, sessions, told } = await cut("anonymous", away);
    const { cookie } = visitor;
    const visit = await visitor.open();
    const error = await failure(act(visit.session));
    expect(error.statusCode).toBe(503);
    expect(CODES).toContain(error.code);
    expect(visit.session).toMatchObject({ principal: null, degraded: "anonymous" });
    await visit.close();
    expect(visitor.plan?.cookie).toBeNull();
    expect(visitor.cookie).toBe(cookie);
    expect(told("logout")).toEqual([]);
    line.restore();
    await settled();
    expect(await visitor.visit((session) => session.principal)).toBe("ada");
    expect((await sessions.list("eve")).items).toEqual([]);
    expect((await sessions.list("ada")).items).toHaveLength(1);
  });

  test("a visitor without a cookie: data is dropped, a login or save() is an error", async () => {
    const { browser, told, line, sessions } = await cut("anonymous", away);
    const stranger = browser();
    await stranger.visit((session) => {
      expect(session.degraded).toBeNull();
      session.a = 1;
    });
    expect(stranger.plan?.cookie).toBeNull();
    expect(told("changes-dropped")).toMatchObject([{ keys: ["a"] }]);
    for (const act of [
      (session: TestSession) => session.login("eve"),
      (session: TestSession) => session.set("a", 1).save(),
      (session: TestSession) => session.update((data) => void (data["a"] = 1)),
    ]) {
      const visit = await stranger.open();
      expect((await failure(act(visit.session))).statusCode).toBe(503);
      expect((await visit.close()).cookie).toBeNull();
    }
    line.restore();
    await settled();
    expect((await sessions.count()).active).toBe(1);
  });

  test("with the option `principal`, data that logs in is an error and not dropped", async () => {
    const principal = (data: DataView): string | null =>
      typeof data["user"] === "string" ? data["user"] : null;
    const { browser, visitor, line, sessions } = await cut("anonymous", away, { principal });
    for (const who of [browser(), visitor]) {
      const visit = await who.open();
      visit.session.user = "eve";
      expect((await failure(visit.close())).statusCode).toBe(503);
    }
    await visitor.visit((session) => void (session.a = 2));
    line.restore();
    await settled();
    expect((await sessions.list("eve")).items).toEqual([]);
  });

  test("a request that had its session before the store went away cannot write, nor end as a success", async () => {
    const { visitor, line } = await cut("anonymous", away);
    line.restore();
    const visit = await visitor.open();
    line.cut(away);
    visit.session.a = 2;
    expect((await failure(visit.close())).statusCode).toBe(503);
    expect(visit.session.principal).toBe("ada");
  });

  test("bad cookies are what they always are, without a store call", async () => {
    const { browser, line, told } = await cut("anonymous", away);
    const visit = await browser().open("__Host-sid=junk");
    expect(visit.session.degraded).toBeNull();
    await visit.close();
    expect(told("cookie-rejected")).toHaveLength(1);
    expect(line.tried).toEqual([]);
  });

  test("the manager's answers are errors, revocations above all", async () => {
    const { sessions } = await cut("anonymous", away);
    const handle = `AAA${"b".repeat(16)}`;
    for (const work of [
      () => sessions.revokeAll("ada"),
      () => sessions.revoke(handle),
      () => sessions.revokeEveryone(),
      () => sessions.create({ principal: "eve" }),
      () => sessions.list("ada"),
      () => sessions.get(handle),
    ])
      expect((await failure(work())).statusCode).toBe(503);
  });
});

describe("[E-23] 'anonymous'", () => {
  test("answers of the store are no outage: a full or broken store is an error", async () => {
    const clock = fakeClock();
    const shared = sharedStore(clock);
    const { SojournError } = await import("../src/errors.ts");
    const full = {
      ...shared,
      read: () => Promise.reject(new SojournError("SOJOURN_STORE_CORRUPT", "broken")),
      create: () => Promise.reject(new SojournError("SOJOURN_STORE_FULL", "full")),
    };
    const good = world({ clock, store: shared });
    const made = world({ clock, store: full, onStoreError: "anonymous" });
    const visitor = good.browser();
    await visitor.visit((session) => session.login("ada"));
    expect(await failureCode(visitor.at(made.pipeline).open())).toBe("SOJOURN_STORE_CORRUPT");
    const visit = await made.browser().open();
    visit.session.a = 1;
    expect(await failureCode(visit.close())).toBe("SOJOURN_STORE_FULL");
  });

  test("nothing that was dropped comes back with a second commit", async () => {
    const { visitor, told, line, pipeline } = await cut("anonymous", "rejects");
    const visit = await visitor.open();
    visit.session.a = 9;
    await visit.close();
    line.restore();
    await pipeline.commit(visit.context, { headersSent: true });
    expect(told("changes-dropped")).toHaveLength(1);
    expect(await visitor.visit((session) => session.a)).toBe(1);
    expect(must(visitor.cookie)).toBeDefined();
  });
});
