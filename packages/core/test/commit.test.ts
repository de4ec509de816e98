/** G2: no lost update; conflicts, and sessions that ended meanwhile. */
import { describe, expect, test } from "vitest";
import { memoryStore } from "../src/store/memory/store.ts";
import type { Browser, TestSession } from "./support/browser.ts";
import { fakeClock } from "./support/clock.ts";
import { countingStore } from "./support/intercept.ts";
import { failureCode, parallel, range, world, type World } from "./support/world.ts";

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

const dataOf = (visitor: Browser): Promise<Record<string, unknown>> =>
  visitor.visit((session) => session.toJSON());

/** Two requests that have both read before either writes. */
async function race(
  [one, two]: [Browser, Browser],
  first: (session: TestSession) => unknown,
  then: (session: TestSession) => unknown,
): Promise<void> {
  const visits = [await one.open(), await two.open()] as const;
  await first(visits[0].session);
  await then(visits[1].session);
  await visits[0].close();
  await visits[1].close();
}

describe("G2 no lost update", () => {
  test("100 parallel requests that change different keys all survive", async () => {
    const { visitor } = await loggedIn();
    await parallel(100, (index) =>
      visitor.visit((session) => void session.set(`key${index}`, index)),
    );
    const data = await dataOf(visitor);
    for (const index of range(100)) expect(data[`key${index}`]).toBe(index);
  });

  test("100 update() in parallel count to 100", async () => {
    const { visitor } = await loggedIn();
    await parallel(100, () =>
      visitor.visit((session) =>
        session.update((data) => void (data["count"] = Number(data["count"]) + 1)),
      ),
    );
    expect(await dataOf(visitor)).toEqual({ count: 100 });
  });

  test("the same with two processes on one store", async () => {
    const { visitor, second } = await loggedIn();
    await parallel(100, (index) =>
      (index % 2 === 0 ? visitor : second).visit(async (session) => {
        session.set(`key${index}`, index);
        await session.update((data) => void (data["count"] = Number(data["count"]) + 1));
      }),
    );
    const data = await dataOf(visitor);
    expect(data["count"]).toBe(100);
    for (const index of range(100)) expect(data[`key${index}`]).toBe(index);
  });

  test("20 update() in one request, all started at once", async () => {
    const { visitor } = await loggedIn();
    await visitor.visit(async (session) => {
      await parallel(20, () =>
        session.update((data) => void (data["count"] = Number(data["count"]) + 1)),
      );
      expect(session.count).toBe(20);
    });
    expect(await dataOf(visitor)).toEqual({ count: 20 });
  });

  test("an update() is what the rest of the request sees, and is not written again", async () => {
    const { visitor, calls } = await loggedIn();
    await visitor.visit(async (session) => {
      session.a = "mine";
      await session.update((data) => {
        expect(data["a"]).toBe("mine");
        data["count"] = 5;
      });
      expect(session.toJSON()).toEqual({ count: 5, a: "mine" });
    });
    expect(calls).toEqual(["read", "update"]);
  });

  test("update() on a session that nobody stored stores it", async () => {
    const { browser } = await loggedIn();
    const visitor = browser();
    await visitor.visit(async (session) => {
      session.a = 1;
      await session.update((data) => void (data["b"] = 2));
    });
    expect(await dataOf(visitor)).toEqual({ a: 1, b: 2 });
  });

  test("an asynchronous update() is refused, and nothing is written", async () => {
    const { visitor, calls } = await loggedIn();
    await visitor.visit(async (session) => {
      const change = async (data: Record<string, unknown>): Promise<void> => {
        await Promise.resolve();
        data["count"] = 9;
      };
      expect(await failureCode(session.update(change as unknown as () => void))).toBe(
        "SOJOURN_ADAPTER_MISUSE",
      );
    });
    expect(calls).toEqual(["read"]);
  });

  test("an update() that throws writes nothing and rejects with what it threw", async () => {
    const { visitor, calls } = await loggedIn();
    await visitor.visit(async (session) => {
      await expect(
        session.update((data) => {
          data["count"] = 9;
          throw new RangeError("no");
        }),
      ).rejects.toThrow(RangeError);
      expect(session.count).toBe(0);
    });
    expect(calls).toEqual(["read"]);
  });
});

describe.each(["in one process", "in two processes"])("conflicts %s", (where) => {
  async function two(): Promise<[Browser, Browser]> {
    const { visitor, second } = await loggedIn();
    await visitor.visit((session) => void Object.assign(session, { a: 1, b: 1 }));
    return where === "in one process" ? [visitor, visitor] : [visitor, second];
  }
  const set = (key: string, value: unknown) => (session: TestSession) => session.set(key, value);
  const remove = (key: string) => (session: TestSession) => session.delete(key);

  test.each<[string, (session: TestSession) => unknown, (session: TestSession) => unknown, object]>(
    [
      ["different keys", set("a", 2), set("b", 3), { count: 0, a: 2, b: 3 }],
      ["the same key: the later commit", set("a", 2), set("a", 3), { count: 0, a: 3, b: 1 }],
      ["set, then delete of another", set("a", 2), remove("b"), { count: 0, a: 2 }],
      ["delete, then set of another", remove("a"), set("b", 2), { count: 0, b: 2 }],
      ["delete, then set of the same", remove("a"), set("a", 2), { count: 0, a: 2, b: 1 }],
      ["set, then delete of the same", set("a", 2), remove("a"), { count: 0, b: 1 }],
      ["delete twice", remove("a"), remove("a"), { count: 0, b: 1 }],
      ["clear, then a new key", (session) => session.clear(), set("cart", 1), { cart: 1 }],
      ["a new key, then clear", set("cart", 1), (session) => session.clear(), { cart: 1 }],
      ["add two keys", set("x", 1), set("y", 2), { count: 0, a: 1, b: 1, x: 1, y: 2 }],
    ],
  )("%s", async (_, first, then, expected) => {
    const browsers = await two();
    await race(browsers, first, then);
    expect(await dataOf(browsers[0])).toEqual(expected);
    expect(await dataOf(browsers[1])).toEqual(expected);
  });

  test("a request sees what it was merged with, and can go on from there", async () => {
    const browsers = await two();
    const [one, other] = [await browsers[0].open(), await browsers[1].open()];
    one.session.a = 2;
    await one.close();
    other.session.b = 3;
    await other.session.save();
    expect(other.session.toJSON()).toEqual({ count: 0, a: 2, b: 3 });
    other.session.cart = [1];
    await other.close();
    expect(await dataOf(browsers[0])).toEqual({ count: 0, a: 2, b: 3, cart: [1] });
  });

  test("a login that meets a newer version takes both changes along", async () => {
    const browsers = await two();
    const visit = await browsers[1].open();
    await browsers[0].visit((session) => void (session.a = 2));
    visit.session.b = 3;
    await visit.session.login("ada");
    const plan = await visit.close();
    browsers[0].take(plan);
    expect(await dataOf(browsers[0])).toEqual({ count: 0, a: 2, b: 3 });
  });
});

describe("a session that ended meanwhile", () => {
  test("save() and update() reject, the implicit commit drops with an event and no error", async () => {
    const { visitor, sessions, told } = await loggedIn();
    const visit = await visitor.open();
    await sessions.revokeAll("ada");
    visit.session.a = 1;
    expect(await failureCode(visit.session.save())).toBe("SOJOURN_SESSION_ENDED");
    expect(await failureCode(visit.session.update(() => {}))).toBe("SOJOURN_SESSION_ENDED");
    const plan = await visit.close();
    expect(plan.cookie).toBeNull();
    expect(told("changes-dropped")).toMatchObject([{ keys: ["a"], ending: { why: "revoked" } }]);
  });

  test("without changes nothing is dropped and nothing told", async () => {
    const { visitor, sessions, told } = await loggedIn();
    const visit = await visitor.open();
    await sessions.revokeAll("ada");
    await visit.close();
    expect(told("changes-dropped")).toEqual([]);
  });

  test("its changes never reach a successor: planted session, victim logs in", async () => {
    const { browser, told } = await loggedIn();
    const attacker = browser();
    await attacker.visit((session) => void (session.a = 1));
    const victim = attacker.clone();
    const running = await attacker.open();
    await victim.visit((session) => session.login("ada"));
    running.session.set("role", "admin");
    await running.close();
    expect(await dataOf(victim)).toEqual({ a: 1 });
    expect(told("changes-dropped")).toMatchObject([{ keys: ["role"] }]);
  });
});
