/** What mutation testing found untested in lifecycle/{create,login,rotate}.ts; see docs/mutation.md. */
import { afterEach, describe, expect, test, vi } from "vitest";
import type { Store, StoredRecord } from "../src/store/contract.ts";
import { memoryStore } from "../src/store/memory/store.ts";
import { tagOf } from "../src/token/tag.ts";
import type { TestSession } from "./support/browser.ts";
import { principalOf } from "./support/browser.ts";
import { fakeClock, HOUR } from "./support/clock.ts";
import { countingStore, interceptStore, settled } from "./support/intercept.ts";
import { fakeTimers, finish } from "./support/nodes.ts";
import { collect, failure, failureCode, loggedIn, must, world } from "./support/world.ts";

/** A visitor logged in as `ada`, on a store that from then on answers one operation with `lie`. */
async function lying(operation: string, lie: unknown) {
  const clock = fakeClock();
  let lies = false;
  const store = interceptStore(memoryStore({ clock }), (name, run) =>
    lies && name === operation ? Promise.resolve(lie) : run(),
  );
  const made = await loggedIn({ clock, store });
  lies = true;
  return made;
}

describe("what a record is made of", () => {
  const only = async (store: Store): Promise<StoredRecord> =>
    must((await collect(store.scan("session")))[0]);

  test("everything of a user has the user's tag", async () => {
    const { store } = await loggedIn();
    const { key, handle, owner } = await only(store);
    expect([tagOf(key), tagOf(handle)]).toEqual([tagOf(must(owner)), tagOf(must(owner))]);
  });

  test("[G6] [E-03] of a token that a form was bound to before, the handle takes the tag and no more", async () => {
    const { browser, store } = world();
    const visitor = browser();
    await visitor.visit((session) => session.csrfToken());
    const { key, handle } = await only(store);
    expect(handle).toHaveLength(19);
    expect(tagOf(handle)).toBe(tagOf(key));
  });

  test("a rotation is the next version of the record", async () => {
    const { visitor, store } = await loggedIn();
    await visitor.visit((session) => session.set("a", 1).save());
    await visitor.visit((session) => session.rotate());
    expect(await only(store)).toMatchObject({ version: 3 });
  });
});

describe("a store that makes a session too late, or refuses one", () => {
  test("[G7] what came too late is revoked, and says so", async () => {
    const clock = fakeClock();
    const inner = memoryStore({ clock });
    const late: (() => Promise<StoredRecord>)[] = [];
    const create: Store["create"] = (record, admission) =>
      new Promise((resolve) => {
        late.push(async () => {
          resolve(await inner.create(record, admission));
          return record;
        });
      });
    const { browser, told } = world({ clock, store: { ...inner, create }, storeDeadline: "20ms" });
    const { session } = await browser().open();
    expect(await failureCode(session.login("ada"))).toBe("SOJOURN_STORE_TIMEOUT");
    expect(told("store-failed")).toMatchObject([{ operation: "create" }]);
    const { kind, key } = await must(late[0])();
    await settled();
    expect(await inner.read({ kind, key })).toMatchObject({
      ending: { why: "revoked", reason: "came too late", at: clock.now() },
    });
  });

  test("[B-05] a refused login tells who asked, and what to do", async () => {
    const { browser, told } = await loggedIn({ max: 1, onLimit: "reject" });
    const { session } = await browser().open();
    const { message } = await failure(session.login("ada"));
    expect(message).toContain("this user has 1 of at most 1 sessions and onLimit is 'reject'");
    expect(message).toContain("let the user end another session first");
    const client = { ip: "192.0.2.7", userAgent: "Test/1" };
    expect(told("denied")).toMatchObject([{ principal: "ada", client }]);
  });

  test("a refusal without a limit is an error of the limit all the same", async () => {
    const { browser, told } = await lying("create", { status: "refused", active: 7 });
    const { session } = await browser().open();
    session.a = 1;
    expect(await failure(session.save())).toMatchObject({
      code: "SOJOURN_LIMIT_REACHED",
      details: { active: 7, max: 0 },
    });
    expect(told("denied")).toMatchObject([{ principal: "", active: 7, max: 0 }]);
  });

  test("a rotation that is refused by a limit is the store's error", async () => {
    const { visitor } = await lying("replace", { status: "refused", active: 1 });
    const { session } = await visitor.open();
    const { code, message } = await failure(session.rotate());
    expect(code).toBe("SOJOURN_STORE_CORRUPT");
    expect(message).toContain("refused a rotation by a limit it was not given");
  });
});

describe("the options of a login", () => {
  const refused = async (options: Parameters<TestSession["login"]>[1]): Promise<string> => {
    const { session } = await world().browser().open();
    return (await failure(session.login("ada", options))).message;
  };

  test("[A-18] what is wrong with a timeout is said, by its name", async () => {
    expect(await refused({ idle: 0 })).toContain("login option idle must be longer than 0");
    const absolute = await refused({ absolute: "soon" });
    expect(absolute).toContain("login option absolute is not a duration; write for example");
    expect(await refused({ idle: 5 })).toContain("login option idle 5 looks like seconds");
  });

  test("a level, and a login where the data tells who it is, are refused in words", async () => {
    expect(await refused({ level: 0 })).toContain("must be a whole number from 1 on");
    const { session } = await world({ principal: () => null })
      .browser()
      .open();
    const { message } = await failure(session.login("ada"));
    expect(message).toContain("login() cannot be used together with the option principal");
    expect(message).toContain("write the data instead");
  });

  test("a login without a version of the credentials fits no version, not even 'undefined'", async () => {
    const { visitor } = await loggedIn();
    await visitor.visit(async (session) => {
      expect(await session.verifyAuthVersion("undefined")).toBe(false);
    });
  });
});

describe("G1 E-04 what a login takes over", () => {
  test("nothing of a session whose end this request has heard of", async () => {
    const { visitor, sessions } = await loggedIn();
    await visitor.visit((session) => void (session.cart = ["old"]));
    const { session } = await visitor.open();
    await sessions.revokeAll("ada");
    expect(await failureCode(session.set("a", 1).save())).toBe("SOJOURN_SESSION_ENDED");
    await session.login("ada");
    expect(session.toJSON()).toEqual({});
  });

  test("nothing of a session that another login ended a moment ago", async () => {
    const { visitor, told } = await loggedIn();
    await visitor.visit((session) => void (session.cart = ["old"]));
    const { session } = await visitor.open();
    session.a = 1;
    await visitor.clone().visit((other) => other.login("bob"));
    await session.login("ada");
    expect(session.toJSON()).toEqual({});
    expect(told("changes-dropped")).toMatchObject([{ keys: ["a"], ending: { why: "rotated" } }]);
  });

  test.each<[string, (made: ReturnType<typeof world>) => unknown]>([
    ["was revoked", ({ sessions }) => sessions.revokeEveryone()],
    ["is forgotten", ({ clock }) => clock.advance(25 * HOUR)],
  ])("nothing of a visitor's session that %s", async (_, end) => {
    const made = world();
    const visitor = made.browser();
    await visitor.visit((session) => void (session.cart = ["old"]));
    const { session } = await visitor.open();
    await end(made);
    await session.login("ada");
    expect([session.principal, session.toJSON()]).toEqual(["ada", {}]);
  });

  test("a straggler's own changes: they never were the ended session's", async () => {
    const { visitor } = await loggedIn();
    const old = visitor.clone();
    await visitor.visit((session) => session.logout());
    await old.visit((session) => session.set("a", 1) && session.login("ada"));
    expect(await old.visit((session) => session.toJSON())).toEqual({ a: 1 });
  });

  test("[E-11] a session whose token another request rotated meanwhile, data and all", async () => {
    const { visitor, sessions } = await loggedIn();
    const visit = await visitor.open();
    await visitor.clone().visit((session) => session.set("b", 2) && session.rotate());
    await visit.session.login("ada");
    await visit.close();
    expect(await visitor.visit((session) => session.toJSON())).toEqual({ b: 2 });
    expect((await sessions.count()).active).toBe(1);
  });
});

describe("G5 a new token", () => {
  test("after a login in the same request rotate() rotates", async () => {
    const { visitor, told } = await loggedIn();
    await visitor.visit(async (session) => {
      await session.login("ada");
      await session.rotate();
    });
    expect(told("rotated")).toMatchObject([{ cause: "rotate" }]);
  });

  test.each(["before", "while"] as const)(
    "[E-11] elevate() elevates where another request rotated %s this one was under way",
    async (when) => {
      const { visitor } = await loggedIn();
      const old = visitor.clone();
      const early = when === "while" ? await old.open() : null;
      await visitor.visit((session) => session.rotate());
      const visit = early ?? (await old.open());
      await visit.session.elevate();
      await visit.close();
      expect(await old.visit((session) => session.level)).toBe(2);
      expect(await principalOf(visitor)).toBeNull();
    },
  );

  test("reauthenticate() keeps the version of the credentials that it is not told", async () => {
    const { visitor } = await loggedIn();
    await visitor.visit((session) => session.login("ada", { authVersion: "1" }));
    await visitor.visit((session) => session.reauthenticate());
    expect(await visitor.visit((session) => session.verifyAuthVersion("1"))).toBe(true);
  });

  test("[G1] rotate() by a straggler, and again after the session ended, asks nothing of the store", async () => {
    const clock = fakeClock();
    const { store, calls } = countingStore(memoryStore({ clock }));
    const { visitor, sessions } = await loggedIn({ clock, store });
    const ended = (await visitor.open()).session;
    await sessions.revokeAll("ada");
    expect(await failureCode(ended.rotate())).toBe("SOJOURN_SESSION_ENDED");
    await visitor.visit((session) => session.login("ada"));
    const old = visitor.clone();
    await visitor.visit((session) => session.logout());
    const straggler = (await old.open()).session;
    calls.length = 0;
    for (const session of [ended, straggler])
      expect(await failureCode(session.rotate())).toBe("SOJOURN_SESSION_ENDED");
    expect(calls).toEqual([]);
  });

  test("errors name the verb, and the level that there is", async () => {
    const anonymous = (await world().browser().open()).session;
    const { message } = await failure(anonymous.elevate());
    expect(message).toContain("elevate() needs a logged-in session: call login() first");
    const other = await failure(anonymous.reauthenticate());
    expect(other.message).toContain("reauthenticate() needs a logged-in session");
    const { session } = await (await loggedIn()).visitor.open();
    const lower = await failure(session.elevate({ level: 0 }));
    expect(lower.message).toContain("elevate() cannot lower the level or set it to a fraction");
    expect(lower.message).toContain("it is 1");
  });
});

describe("a conflict without end", () => {
  afterEach(() => void vi.useRealTimers());

  test.each<[string, (session: TestSession) => Promise<unknown>]>([
    ["login", (session) => session.login("bob")],
    ["rotate", (session) => session.rotate()],
  ])("[G7] %s tries once more at the deadline itself, and gives up after it", async (_, act) => {
    const clock = fakeClock();
    const inner = memoryStore({ clock });
    const store = interceptStore(inner, async (operation, run) => {
      if (operation !== "replace") return run();
      await new Promise((resolve) => {
        setTimeout(resolve, 10);
      });
      return { status: "conflict", record: must((await collect(inner.scan("session")))[0]) };
    });
    const { visitor } = await loggedIn({ clock, store, storeDeadline: "20ms" });
    fakeTimers();
    const { session } = await visitor.open();
    const { code, message } = await failure(finish(act(session)));
    expect([code, message]).toEqual([
      "SOJOURN_UPDATE_CONFLICT",
      expect.stringContaining("(3 attempts)"),
    ]);
  });
});
