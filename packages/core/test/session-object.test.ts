/** `req.session` as an object: data as properties, and methods that no data shadows. */
import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { parseValues } from "../src/session/data.ts";
import type { TestSession } from "./support/browser.ts";
import { failureCode, world } from "./support/world.ts";

const MEMBERS = [
  "get set has delete clear toJSON",
  "login elevate reauthenticate logout rotate update revokeOthers",
  "save reload destroy regenerate touch checkClient",
  "handle principal createdAt authenticatedAt expiresAt absoluteExpiresAt isNew ending level",
].flatMap((names) => names.split(" "));

async function fresh(): Promise<TestSession> {
  const { session } = await world().browser().open();
  return session;
}

/** What the next request sees after one that did `change`. */
async function afterwards(change: (session: TestSession) => unknown): Promise<TestSession> {
  const visitor = world().browser();
  await visitor.visit((session) => void change(session));
  const { session } = await visitor.open();
  return session;
}

describe("E-13 like a Map", () => {
  test("set, get, has, delete, clear", async () => {
    const session = await fresh();
    expect(session.set("a", 1).set("b", { c: [2] })).toBe(session);
    expect(session.get("a")).toBe(1);
    expect(session.get("b")).toEqual({ c: [2] });
    expect(session.get("none")).toBeUndefined();
    expect([session.has("a"), session.has("none")]).toEqual([true, false]);
    expect([session.delete("a"), session.delete("a")]).toEqual([true, false]);
    expect(session.has("a")).toBe(false);
    session.clear();
    expect(session.has("b")).toBe(false);
    expect(Object.keys(session)).toEqual([]);
  });

  test("what was set is there at the next request, and what was deleted is not", async () => {
    const session = await afterwards((first) => {
      first.set("a", 1).set("b", 2).set("cart", []);
      first.delete("b");
    });
    expect({ ...session }).toEqual({ a: 1, cart: [] });
  });

  test("T-LOGOUT a cleared session is stored as empty", async () => {
    const visitor = world().browser();
    await visitor.visit((session) => session.set("a", 1).set("b", 2) && session.login("ada"));
    await visitor.visit((session) => session.clear());
    await visitor.visit((session) => {
      expect(session.toJSON()).toEqual({});
      expect(session.principal).toBe("ada");
    });
  });

  test("B-11 0, false, '', null, unicode, commas and nested JSON come back as they were", async () => {
    const values = {
      zero: 0,
      no: false,
      empty: "",
      nothing: null,
      text: 'ü, "q"\n\u2028 \ud83d\ude00',
      nested: { list: [1, [2, { three: [null] }]], "": {} },
    };
    const session = await afterwards((first) => Object.assign(first, values));
    expect(session.toJSON()).toEqual(values);
  });
});

describe("E-13 like a plain object", () => {
  test("assignment, delete, in, Object.keys, spread, Object.entries, JSON", async () => {
    const session = await fresh();
    session.a = 1;
    session.b = [2];
    expect("a" in session).toBe(true);
    expect("cart" in session).toBe(false);
    expect(Object.keys(session)).toEqual(["a", "b"]);
    expect({ ...session }).toEqual({ a: 1, b: [2] });
    expect(Object.entries(session)).toEqual([
      ["a", 1],
      ["b", [2]],
    ]);
    expect(JSON.stringify(session)).toBe('{"a":1,"b":[2]}');
    expect(JSON.stringify({ session })).toBe('{"session":{"a":1,"b":[2]}}');
    delete session.a;
    expect(session.a).toBeUndefined();
    expect(Object.hasOwn(session, "a")).toBe(false);
    expect(Object.hasOwn(session, "b")).toBe(true);
    const seen: string[] = [];
    for (const key in session) seen.push(key);
    expect(seen).toContain("b");
  });

  test("a key set to undefined is not stored", async () => {
    const visitor = world().browser();
    await visitor.visit((session) => void Object.assign(session, { a: 1, b: 2 }));
    await visitor.visit((session) => {
      session.a = undefined;
    });
    await visitor.visit((session) => expect(session.toJSON()).toEqual({ b: 2 }));
  });

  test("Object.defineProperty is an assignment", async () => {
    const session = await afterwards((first) => Object.defineProperty(first, "a", { value: 1 }));
    expect(session.a).toBe(1);
  });

  test("awaiting a session gives the session: it is no thenable", async () => {
    const session = await fresh();
    expect(await (session as unknown as Promise<unknown>)).toBe(session);
  });
});

describe("methods and facts cannot be shadowed", () => {
  test.each(MEMBERS)("%s is refused as an assignment and kept as data by set()", async (name) => {
    const session = await fresh();
    const before: unknown = session[name];
    expect(await failureCode(() => Object.assign(session, { [name]: "mine" }))).toBe(
      "SOJOURN_NAME_RESERVED",
    );
    expect(await failureCode(() => Object.defineProperty(session, name, { value: "mine" }))).toBe(
      "SOJOURN_NAME_RESERVED",
    );
    session.set(name, "mine");
    expect(session.get(name)).toBe("mine");
    expect(session[name]).toBe(before);
    expect(session.toJSON()).toEqual({ [name]: "mine" });
  });

  test("data under a reserved name survives, and methods work all the same", async () => {
    const visitor = world().browser();
    await visitor.visit((session) => session.set("login", "x").set("save", "y") && undefined);
    await visitor.visit(async (session) => {
      expect([session.get("login"), session.get("save")]).toEqual(["x", "y"]);
      await session.login("ada");
      await session.save();
      expect(session.principal).toBe("ada");
      expect(session.delete("save")).toBe(true);
      expect(session.has("save")).toBe(false);
    });
  });

  test("a symbol is no data key", async () => {
    const session = await fresh();
    expect(await failureCode(() => Reflect.set(session, Symbol("x"), 1))).toBe(
      "SOJOURN_NAME_RESERVED",
    );
  });
});

describe("T-PROTO __proto__ and constructor are data", () => {
  const NAMES = ["__proto__", "constructor", "prototype", "hasOwnProperty", "toString", "valueOf"];

  test.each(NAMES)("%s starts undefined and comes back as it was stored", async (name) => {
    const session = await fresh();
    expect(session[name]).toBeUndefined();
    expect(session.get(name)).toBeUndefined();
    expect(session.has(name)).toBe(false);
    const next = await afterwards((first) => {
      first[name] = { polluted: true };
    });
    expect(next.get(name)).toEqual({ polluted: true });
    expect(Object.keys(next)).toEqual([name]);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
    expect(Object.getPrototypeOf(next)).toBe(Object.getPrototypeOf(session));
  });

  test("T-PROTO __proto__ nested in data, set by update() and merged after a conflict, stays data", async () => {
    const { browser } = world();
    const visitor = browser();
    const evil = JSON.parse('{"__proto__":{"polluted":true}}') as Record<string, unknown>;
    await visitor.visit(
      (session) => session.set("a", evil).set("__proto__", { polluted: 1 }) && undefined,
    );
    const [one, two] = [await visitor.open(), await visitor.open()];
    one.session.set("constructor", { prototype: { polluted: 1 } });
    two.session.set("b", 1);
    await Promise.all([one.close(), two.close()]);
    await visitor.visit((session) => session.update((data) => void (data["__proto__"] = { x: 2 })));
    await visitor.visit((session) => {
      expect(Object.keys(session).toSorted()).toEqual(["__proto__", "a", "b", "constructor"]);
      expect(session.get("__proto__")).toEqual({ x: 2 });
      expect(JSON.stringify(session.a)).toBe('{"__proto__":{"polluted":true}}');
      expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
    });
  });

  test("decoded data has no prototype", () => {
    expect(Object.getPrototypeOf(parseValues('{"__proto__":{"x":1}}'))).toBeNull();
  });
});

describe("inspect", () => {
  test("shows handle, principal and data, and no token", async () => {
    const visitor = world().browser();
    await visitor.visit((session) => session.set("a", 1) && session.login("ada"));
    await visitor.visit((session) => {
      const text = inspect(session, { depth: Infinity });
      expect(text).toContain(String(session.handle));
      expect(text).toContain("ada");
      expect(text).not.toContain(visitor.value.slice(4, 47));
    });
  });
});
