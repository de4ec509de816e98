/** What a request costs the store, exactly. */
import { describe, expect, test } from "vitest";
import { memoryStore } from "../src/store/memory/store.ts";
import type { Browser, TestSession } from "./support/browser.ts";
import { fakeClock } from "./support/clock.ts";
import { countingStore } from "./support/intercept.ts";
import { failureCode, must, range, world, type World } from "./support/world.ts";

async function loggedIn(): Promise<World & { calls: string[]; visitor: Browser; second: Browser }> {
  const clock = fakeClock();
  const { store, calls } = countingStore(memoryStore({ clock }));
  const made = world({ clock, store });
  const other = world({ clock, store });
  const visitor = made.browser();
  await visitor.visit((session) => session.set("count", 0) && session.login("ada"));
  calls.length = 0;
  // The same browser at a second process that shares the store and nothing else.
  return { ...made, calls, visitor, second: visitor.at(other.pipeline) };
}

describe("what a request costs the store, exactly", () => {
  const COSTS: [what: string, act: (session: TestSession) => unknown, calls: string[]][] = [
    ["reading", (session) => session.count, ["read"]],
    ["not looking", () => {}, ["read"]],
    ["a change", (session) => session.set("a", 1), ["read", "update"]],
    ["ten changes", (session) => range(10).map((n) => session.set(`k${n}`, n)), ["read", "update"]],
    ["save() and no change after", (session) => session.set("a", 1).save(), ["read", "update"]],
    ["save() without a change", (session) => session.save(), ["read"]],
    ["update()", (session) => session.update((data) => void (data["a"] = 1)), ["read", "update"]],
    ["login", (session) => session.login("ada"), ["read", "replace"]],
    ["login with changes", (session) => session.set("a", 1).login("bob"), ["read", "replace"]],
    ["rotate with changes", (session) => session.set("a", 1).rotate(), ["read", "replace"]],
    ["elevate", (session) => session.elevate(), ["read", "replace"]],
    ["logout", (session) => session.logout(), ["read", "end"]],
    ["revokeOthers", (session) => session.revokeOthers(), ["read", "endOwner"]],
    ["reload", (session) => session.reload(), ["read", "read"]],
  ];
  test.each(COSTS)("%s", async (_, act, expected) => {
    const { visitor, calls } = await loggedIn();
    await visitor.visit(async (session) => void (await act(session)));
    expect(calls).toEqual(expected);
  });

  test("F-07 E-21 no cookie: nothing", async () => {
    const { browser, calls } = await loggedIn();
    const visitor = browser();
    await visitor.visit((session) => session.principal);
    expect(calls).toEqual([]);
    expect(visitor.plan).toEqual({
      cookie: null,
      device: null,
      carried: [],
      clearSiteData: null,
      privacy: "varies",
    });
  });

  test("what has nothing to wait for is there at once: no cookie, a forged one, an answer that writes nothing", async () => {
    const { browser, visitor, pipeline } = await loggedIn();
    const client = (): { ip: string } => ({ ip: "192.0.2.7" });
    const forged = `${visitor.cookie?.slice(0, -5)}AAAAA`;
    for (const cookieHeader of [undefined, "other=1", forged]) {
      const begun = pipeline.begin({ cookieHeader, secure: true, client });
      expect(begun).not.toBeInstanceOf(Promise);
    }
    const { context, session } = await visitor.open();
    expect(session.count).toBe(0);
    expect(pipeline.commit(context)).toMatchObject({ privacy: "varies", cookie: null });
    session.count = 1;
    expect(pipeline.commit(context)).toBeInstanceOf(Promise);
    const fresh = await browser().open();
    expect(pipeline.commit(fresh.context)).toMatchObject({ privacy: "none" });
    // A verb under way comes first, also before an answer that would write nothing.
    const login = fresh.session.login("bob");
    const planned = pipeline.commit(fresh.context);
    expect(planned).toBeInstanceOf(Promise);
    expect((await planned).cookie).not.toBeNull();
    await login;
  });

  test("no cookie and a login, or a first change: one create", async () => {
    const { browser, calls } = await loggedIn();
    await browser().visit((session) => session.login("bob"));
    await browser().visit((session) => session.set("a", 1) && session.login("bob", { max: 1 }));
    await browser().visit((session) => void (session.a = 1));
    expect(calls).toEqual(["create", "create", "create"]);
  });

  test.each(["junk", "", "../../etc", "A".repeat(95), `AAA.${"A".repeat(43)}.${"B".repeat(47)}`])(
    "A-30 a cookie like '%s': nothing, the same answer as without a cookie, and an event",
    async (value) => {
      const { browser, calls, told } = await loggedIn();
      const visitor = browser();
      const visit = await visitor.open(`__Host-sid=${value}`);
      expect(visit.session).toMatchObject({ isNew: true, ending: null, principal: null });
      expect((await visit.close()).cookie).toBeNull();
      expect(calls).toEqual([]);
      expect(told("cookie-rejected")).toHaveLength(1);
    },
  );

  test("T-COOK2 two valid cookies: nothing", async () => {
    const { browser, visitor, calls, told } = await loggedIn();
    const other = browser();
    await other.visit((session) => session.login("bob"));
    calls.length = 0;
    const { session } = await visitor.open(`${must(visitor.cookie)}; ${must(other.cookie)}`);
    expect(session.principal).toBeNull();
    expect(calls).toEqual([]);
    expect(told("cookie-rejected")).toMatchObject([{ reason: "duplicate" }]);
  });

  test("a second commit of the same request: nothing more", async () => {
    const { visitor, calls } = await loggedIn();
    const visit = await visitor.open();
    visit.session.a = 1;
    await visit.session.elevate();
    const first = await visit.close();
    const again = await visitor.parts.pipeline.commit(visit.context, { headersSent: true });
    expect(calls).toEqual(["read", "replace"]);
    expect([first.cookie === null, again.cookie === null]).toEqual([false, true]);
  });

  test("a change after the headers left is still written; its cookie is an event", async () => {
    const { browser, told, sessions } = await loggedIn();
    const { session, context } = await browser().open();
    await session.login("bob");
    session.a = "late";
    const plan = await browser().parts.pipeline.commit(context, { headersSent: true });
    expect(plan.cookie).toBeNull();
    expect(told("cookie-unsent")).toMatchObject([
      { reason: "headers-sent", handle: session.handle },
    ]);
    expect(must((await sessions.list("bob")).items[0]).data).toEqual({ a: "late" });
  });

  test("commit() refuses a context that begin() did not make", async () => {
    const { pipeline, visitor } = await loggedIn();
    const { context } = await visitor.open();
    expect(await failureCode(() => pipeline.commit({ session: context.session }))).toBe(
      "SOJOURN_ADAPTER_MISUSE",
    );
  });
});
