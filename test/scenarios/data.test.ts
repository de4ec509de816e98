/** What goes into a session comes out of it, or is refused with the place named. */
import { expect, test } from "vitest";
import type { Exchange, Route } from "./frameworks.ts";
import { everywhere } from "./matrix.ts";
import { set, view } from "./shop.ts";

const post = (path: string, handle: (exchange: Exchange) => unknown): Route => ({
  method: "POST",
  path,
  handle,
});

const circle: Record<string, unknown> = {};
circle["self"] = { circle };

/** What JSON would lose, and where the error says it is. */
const unserialisable: readonly (readonly [place: string, value: unknown])[] = [
  ["session.cart[1].when is a BigInt", [{}, { when: 1n }]],
  ["session.cart.add is a function", { add: () => 1 }],
  ["session.cart.self.circle refers back", circle],
  ["session.cart[0] is a Map", [new Map()]],
  ["session.cart.price is NaN", { price: Number.NaN }],
];

const values: Record<string, unknown> = {
  nested: { a: [{ b: null }, [1, [2]]], "": 0 },
  unicode: "Zoë, 東京 🦊 \u2028 \u0000",
  commas: "a,b;c=d\"e'f\\g",
  zero: 0,
  no: false,
  nothing: null,
  empty: "",
  list: [],
  login: "a key named like a method",
  principal: "a key named like a fact",
  constructor: "a key of every object",
  "with space and ü": 1,
  big: 2 ** 53 - 1,
};

everywhere(({ open }) => {
  for (const [place, value] of unserialisable) {
    test(`${place}: a 500 that says so, and nothing is written`, async () => {
      const world = await open({
        routes: [
          post("/bad", ({ session }) => {
            session.set("before", true);
            session.set("cart", value);
            return "done";
          }),
        ],
      });
      const ada = await world.loggedIn("ada");
      await ada.post(set("kept", 1));
      let text = "";
      let status = 0;
      const calls = await world.probe.callsOf(
        async () => ({ status, text } = await ada.post("/bad")),
      );
      expect(status).toBe(500);
      expect(text.replaceAll("&#39;", "'")).toContain(place);
      expect(text).toContain("SOJOURN_DATA_UNSERIALISABLE");
      expect(calls).toEqual(["read"]);
      expect((await ada.get("/me")).body["data"]).toEqual({ kept: 1 });
    });
  }

  test("a value that can never be stored is refused where it is assigned, and is not stored", async () => {
    const world = await open({
      routes: [post("/bad", ({ session }) => session.set("cart", Symbol("cart")))],
    });
    const ada = await world.loggedIn("ada");
    const { status, text } = await ada.post("/bad");
    expect(status).toBe(500);
    expect(text).toContain("session.cart is a symbol");
    expect((await ada.get("/me")).body["data"]).toEqual({});
  });

  test(`[B-11] ${Object.keys(values).length} values that others lose come back as they were, also through a rotation`, async () => {
    const world = await open();
    const ada = await world.loggedIn("ada");
    for (const [key, value] of Object.entries(values)) await ada.post(set(key, value));
    await ada.post(set("__proto__", { polluted: true }));
    const { text } = await ada.get("/me");
    const { data } = JSON.parse(text) as { data: Record<string, unknown> };
    for (const [key, value] of Object.entries(values))
      expect([key, data[key]]).toEqual([key, value]);
    expect(text).toContain('"__proto__":{"polluted":true}');
    expect(Reflect.get({}, "polluted")).toBeUndefined();
    await ada.post("/rotate");
    expect((await ada.get("/me")).body["data"]).toEqual(data);
  });

  test("[C-29] changing what a handler or the manager gave away changes nothing that is stored", async () => {
    const shared = { items: ["book"] };
    const world = await open({
      routes: [
        post("/share", ({ session }) => {
          session.set("cart", shared);
          return "ok";
        }),
      ],
    });
    const ada = await world.loggedIn("ada");
    await ada.post("/share");
    shared.items.push("after the request");
    const stored = { cart: { items: ["book"] } };
    expect((await ada.get("/me")).body["data"]).toEqual(stored);
    const [listed] = (await world.sessions.list("ada")).items;
    ((listed?.data ?? {})["cart"] as typeof shared).items.push("through the list");
    expect((await ada.get("/me")).body["data"]).toEqual(stored);
    expect((await world.sessions.list("ada")).items[0]?.data).toEqual(stored);
  });

  test("[E-13] get, set, has, delete and clear work beside plain properties, and shadow no method", async () => {
    const world = await open({
      routes: [
        post("/map", ({ session }) => {
          Object.assign(session, { plain: 1 });
          session.set("save", "data").set("gone", 1).set("kept", [1]);
          return [
            session.get("plain"),
            session.has("gone"),
            session.delete("gone"),
            session.delete("gone"),
          ];
        }),
        post("/clear", ({ session }) => {
          session.clear();
          return view(session);
        }),
      ],
    });
    const ada = await world.loggedIn("ada");
    expect(JSON.parse((await ada.post("/map")).text)).toEqual([1, true, true, false]);
    expect((await ada.get("/me")).body["data"]).toEqual({ plain: 1, save: "data", kept: [1] });
    expect((await ada.post("/clear")).body).toMatchObject({ principal: "ada", data: {} });
    expect((await ada.get("/me")).body).toMatchObject({ principal: "ada", data: {} });
  });

  test("[E-14] save is seen by another node at once, reload sees the other node's write, destroy ends", async () => {
    const step: Record<string, () => Promise<void>> = {};
    const world = await open({
      routes: [
        post("/long", async ({ session }) => {
          session.set("saved", true);
          await session.save();
          await step["between"]?.();
          session.set("dropped", true);
          await session.reload();
          const data = session.toJSON();
          await session.destroy();
          return { data, after: view(session) };
        }),
      ],
    });
    const nodeB = await world.node();
    const ada = await world.loggedIn("ada");
    const other = ada.copy();
    other.url = nodeB.url;
    step["between"] = async () => {
      expect((await other.get("/me")).body["data"]).toEqual({ saved: true });
      await other.post(set("fromB", 1));
    };
    const { body } = await ada.post("/long");
    expect(body["data"]).toEqual({ saved: true, fromB: 1 });
    expect(body["after"]).toMatchObject({ principal: null, data: {} });
    expect((await other.get("/private")).status).toBe(401);
  });
});
