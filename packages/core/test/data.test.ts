/** Session data: what counts as a change, and what cannot be stored. */
import { describe, expect, test } from "vitest";
import { memoryStore } from "../src/store/memory/store.ts";
import type { TestSession } from "./support/browser.ts";
import { fakeClock } from "./support/clock.ts";
import { gated } from "./support/gated.ts";
import { countingStore } from "./support/intercept.ts";
import { collect, failure, failureCode, must, world, type World } from "./support/world.ts";

/** A world whose store counts, and a browser with a session that holds `data`. */
async function stored(
  data: Record<string, unknown>,
): Promise<World & { calls: string[]; visitor: ReturnType<World["browser"]> }> {
  const clock = fakeClock();
  const { store, calls } = countingStore(memoryStore({ clock }));
  const made = world({ clock, store });
  const visitor = made.browser();
  await visitor.visit((session) => void Object.assign(session, data));
  calls.length = 0;
  return { ...made, calls, visitor };
}

describe("changes in place are found", () => {
  test.each<[string, (session: TestSession) => unknown]>([
    ["push", (session) => (session.cart as unknown[]).push(3)],
    ["a nested property", (session) => ((session.a as { b: { c: number } }).b.c = 9)],
    ["a nested delete", (session) => delete (session.a as { b?: unknown }).b],
    ["through get()", (session) => (session.get("cart") as unknown[]).pop()],
    ["through Object.values", (session) => (Object.values(session)[0] as unknown[]).shift()],
    ["through a spread", (session) => ({ ...session }.cart as unknown[]).shift()],
  ])("%s", async (_, change) => {
    const { visitor, calls } = await stored({ cart: [1, 2], a: { b: { c: 1 } } });
    const expected = await visitor.visit((session) => {
      change(session);
      return JSON.stringify(session);
    });
    expect(calls).toEqual(["read", "update"]);
    expect(await visitor.visit((session) => JSON.stringify(session))).toBe(expected);
  });
});

describe("nothing is written when nothing changed", () => {
  test.each<[string, (session: TestSession) => unknown]>([
    ["looking at everything", (session) => JSON.stringify(session)],
    ["reading an object", (session) => session.cart],
    ["setting the same value", (session) => (session.count = 1)],
    ["setting an equal object", (session) => (session.cart = [1, 2])],
    [
      "changing and changing back",
      (session) => {
        session.count = 2;
        session.count = 1;
      },
    ],
    [
      "deleting and setting again",
      (session) => {
        delete session.count;
        session.count = 1;
      },
    ],
    ["deleting what is not there", (session) => session.delete("none")],
    ["setting undefined where nothing is", (session) => (session.b = undefined)],
    ["not looking", () => {}],
  ])("%s", async (_, look) => {
    const { visitor, calls } = await stored({ count: 1, cart: [1, 2] });
    await visitor.visit((session) => void look(session));
    expect(calls).toEqual(["read"]);
  });

  test("E-21 ASVS 7.6.2 a fresh session that only looks is not stored", async () => {
    const clock = fakeClock();
    const { store, calls } = countingStore(memoryStore({ clock }));
    const visitor = world({ clock, store }).browser();
    await visitor.visit((session) => {
      expect(session.cart).toBeUndefined();
      session.a = 1;
      delete session.a;
    });
    expect(calls).toEqual([]);
    expect(visitor.plan?.cookie).toBeNull();
  });
});

describe("data that JSON cannot hold is named by its path, and nothing is written", () => {
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  const deep = (levels: number): unknown => (levels === 0 ? 1 : { in: deep(levels - 1) });
  test.each<[path: string, value: unknown]>([
    ["session.cart[2].when", [1, 2, { when: 10n }]],
    ["session.cart", 10n],
    ["session.cart", () => {}],
    ["session.cart", Symbol("x")],
    ["session.cart", Number.NaN],
    ["session.cart", -Infinity],
    ["session.cart", new Map([[1, 2]])],
    ["session.cart", new Set([1])],
    ["session.cart.list[0]", { list: [/x/] }],
    ["session.cart.error", { error: new Error("x") }],
    ["session.cart.bytes", { bytes: new Uint8Array(2) }],
    ["session.cart.bytes", { bytes: new ArrayBuffer(2) }],
    ["session.cart.promise", { promise: Promise.resolve() }],
    ["session.cart[1]", [1, undefined]],
    // oxlint-disable-next-line no-sparse-arrays -- the case
    ["session.cart[1]", [1, , 3]],
    ["session.cart.self", cycle],
    ["session.cart.f", { f: (): void => {} }],
    ["session.cart.n", { n: Number.NaN }],
    ["session.cart.when", { when: { toJSON: () => 10n } }],
    [`session.cart${".in".repeat(201)}`, deep(300)],
  ])("%s", async (path, value) => {
    const { visitor, calls } = await stored({ count: 1 });
    const { session, close } = await visitor.open();
    const error = await failure(async () => {
      session.count = 2;
      session.cart = value;
      await close();
    });
    expect(error.code).toBe("SOJOURN_DATA_UNSERIALISABLE");
    expect(error.details["path"]).toBe(path);
    expect(error.message.startsWith(`${path} `)).toBe(true);
    expect(calls).toEqual(["read"]);
    await visitor.visit((next) => expect(next.toJSON()).toEqual({ count: 1 }));
  });

  test("the same in a login: nobody is logged in and no token is sent", async () => {
    const { visitor } = await stored({ count: 1 });
    const { session } = await visitor.open();
    session.cart = { when: 10n };
    expect(await failureCode(session.login("ada"))).toBe("SOJOURN_DATA_UNSERIALISABLE");
    expect(session.principal).toBeNull();
  });

  test("the same in update(): the stored data stays as it was", async () => {
    const { visitor } = await stored({ count: 1 });
    const { session } = await visitor.open();
    const work = session.update((data) => {
      data["count"] = 2;
      Object.assign(data, { cart: [{ n: 1n }] });
    });
    expect((await failure(work)).details["path"]).toBe("session.cart[0].n");
    await visitor.visit((next) => expect(next.toJSON()).toEqual({ count: 1 }));
  });

  test("an object used twice is no cycle, a date is its text, undefined properties are left out", async () => {
    const shared = { x: 1 };
    const when = new Date(0);
    const { visitor } = await stored({ a: [shared, shared], b: { when, none: undefined } });
    await visitor.visit((session) =>
      expect(session.toJSON()).toEqual({ a: [shared, shared], b: { when: when.toISOString() } }),
    );
  });
});

describe("changes made while a write is under way", () => {
  test("are not lost: save()", async () => {
    const { visitor } = await stored({ count: 1, cart: [1] });
    await visitor.visit(async (session) => {
      session.count = 2;
      const saved = session.save();
      await Promise.resolve();
      await Promise.resolve();
      session.b = "later";
      session.count = 3;
      (session.cart as number[]).push(2);
      await saved;
      expect(session.toJSON()).toEqual({ count: 3, cart: [1, 2], b: "later" });
    });
    await visitor.visit((session) =>
      expect(session.toJSON()).toEqual({ count: 3, cart: [1, 2], b: "later" }),
    );
  });

  test("are not lost: update()", async () => {
    const { visitor } = await stored({ count: 1, a: 1 });
    await visitor.visit(async (session) => {
      const updated = session.update((data) => void (data["count"] = 2));
      await Promise.resolve();
      await Promise.resolve();
      session.b = "later";
      delete session.a;
      await updated;
      expect(session.toJSON()).toEqual({ count: 2, b: "later" });
    });
    await visitor.visit((session) => expect(session.toJSON()).toEqual({ count: 2, b: "later" }));
  });

  test("are not lost: login()", async () => {
    const { visitor } = await stored({ count: 1 });
    await visitor.visit(async (session) => {
      const login = session.login("ada");
      for (let turn = 0; turn < 6; turn++) await Promise.resolve();
      session.b = "later";
      session.count = 2;
      await login;
    });
    await visitor.visit((session) => expect(session.toJSON()).toEqual({ count: 2, b: "later" }));
  });
});

describe("copies", () => {
  test("C-29 toJSON() gives a copy: changing it changes nothing", async () => {
    const { visitor, calls } = await stored({ cart: [1] });
    await visitor.visit((session) => {
      const copy = session.toJSON() as { cart: number[] };
      copy.cart.push(2);
      expect(session.cart).toEqual([1]);
    });
    expect(calls).toEqual(["read"]);
  });

  test("C-29 an object that was stored and is changed after the response changes nothing", async () => {
    const cart = [1];
    const { visitor } = await stored({ cart });
    cart.push(2);
    await visitor.visit((session) => expect(session.cart).toEqual([1]));
  });

  test("reload() throws own changes away and gives what is stored", async () => {
    const { visitor } = await stored({ count: 1, cart: [1] });
    const mine = await visitor.open();
    mine.session.count = 5;
    (mine.session.cart as number[]).push(2);
    await visitor.visit((session) => void (session.b = "other"));
    await mine.session.reload();
    expect(mine.session.toJSON()).toEqual({ count: 1, cart: [1], b: "other" });
    await mine.close();
    await visitor.visit((session) => expect(session.count).toBe(1));
  });
});

describe("a payload that something else wrote", () => {
  test("G6 is a typed error that holds nothing of it, and is left as it is", async () => {
    const { visitor, store, sessions } = await stored({ a: 1 });
    const record = must((await collect(store.scan("session")))[0]);
    const change = { ...record, payload: '{"authenticatedAt":null,"level":0}\n{"card":"4111 1111' };
    await store.update({ kind: "session", key: record.key }, change, record.version);
    const { session } = await visitor.open();
    const error = await failure(() => session.a);
    expect(error.code).toBe("SOJOURN_STORE_CORRUPT");
    expect(`${error.message} ${String(error.cause)}`).not.toContain("4111");
    const other = await failure(sessions.get(record.handle));
    expect(other.code).toBe("SOJOURN_STORE_CORRUPT");
    expect(`${other.message} ${String(other.cause)}`).not.toContain("4111");
  });
});

describe("what a handler changes while its data is being written", () => {
  test.each<[string, (session: TestSession) => unknown, expected: unknown]>([
    ["another value of the same key", (session) => (session.count = 2), { count: 2 }],
    ["back to what it was", (session) => (session.count = 0), { count: 0 }],
    ["another key", (session) => (session.a = 1), { count: 1, a: 1 }],
    ["a removal", (session) => delete session.count, {}],
    [
      "another value, and looks at all of it",
      (session) => {
        session.count = 2;
        return { ...session };
      },
      { count: 2 },
    ],
  ])("is written by the next commit: %s", async (_, change, expected) => {
    const { gate, visitor } = await gated();
    await visitor.visit((session) => session.clear());
    await visitor.visit((session) => (session.count = 0));
    const visit = await visitor.open();
    visit.session.count = 1;
    gate.hold("update", "before");
    const first = visit.close();
    await gate.reached("update");
    change(visit.session);
    gate.open();
    await first;
    await visit.close();
    expect(await visitor.visit((session) => session.toJSON())).toEqual(expected);
  });
});
