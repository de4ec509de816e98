/** T-DOS, T-PROTO, T-LOGOUT, T-TIME: what gets into the store, and what cannot be made of it. */
import { expect, test } from "vitest";
import type { Client } from "../scenarios/client.ts";
import { Answer } from "../scenarios/frameworks.ts";
import type { Route } from "../scenarios/frameworks.ts";
import { everywhere } from "../scenarios/matrix.ts";
import type { World } from "../scenarios/matrix.ts";
import { set } from "../scenarios/shop.ts";

const routes: readonly Route[] = [
  {
    method: "POST",
    path: "/clear",
    handle({ session }) {
      session.clear();
      return { ok: true };
    },
  },
  {
    method: "POST",
    path: "/clear-and-save",
    async handle({ session }) {
      session.clear();
      await session.save();
      return { ok: true };
    },
  },
  {
    method: "GET",
    path: "/prototypes",
    handle: () => new Answer(200, { of: Object.keys(Object.prototype), is: "isAdmin" in {} }),
  },
];

/** After a restart where sessions survive one. */
async function again(world: World, survives: boolean, client: Client): Promise<Client> {
  if (survives) client.url = (await world.restart()).url;
  return client;
}

everywhere(({ kind, open }) => {
  test("T-DOS ASVS 7.6.2 300 anonymous reads, logouts and forged cookies make no record, no cookie and no write", async () => {
    const world = await open();
    const before = await world.bytes();
    const calls = await world.probe.callsOf(async () => {
      for (let index = 0; index < 75; index++) {
        const client = world.client();
        const answers = [
          await client.get("/me"),
          await client.post("/logout"),
          await client.get("/me", { cookie: `sid=AAA.${"A".repeat(43)}.${"B".repeat(47)}` }),
          await client.post("/logout-everywhere", { cookie: `sid=${index}` }),
        ];
        expect(answers.flatMap(({ cookies }) => cookies)).toEqual([]);
      }
    });
    expect(calls.filter((call) => call !== "endOwner")).toEqual([]);
    expect((await world.sessions.count()).active).toBe(0);
    if (kind.survives) expect((await world.bytes()).length - before.length).toBeLessThan(1_000);
  });

  test.for(["__proto__", "constructor", "prototype", "toString"])(
    "T-PROTO the key %s is data that comes back, and reaches no prototype",
    async (key) => {
      const world = await open({ routes });
      const ada = await world.loggedIn("ada");
      await ada.post(set(key, { isAdmin: true, [key]: { isAdmin: true } }));
      await ada.post(set("list", [{ ["__proto__"]: { isAdmin: true } }]));
      await again(world, kind.survives, ada);
      const { body } = await ada.get("/me");
      const data = new Map(Object.entries(body["data"] ?? {}));
      expect([...data.keys()].toSorted()).toEqual([key, "list"].toSorted());
      expect(JSON.stringify(data.get(key))).toBe(`{"isAdmin":true,"${key}":{"isAdmin":true}}`);
      expect((await ada.get("/prototypes")).body).toEqual({ of: [], is: false });
    },
  );

  test.for(["/clear", "/clear-and-save"])(
    "T-LOGOUT %s: what was emptied is stored as empty",
    async (path) => {
      const world = await open({ routes });
      const ada = await world.loggedIn("ada");
      await ada.post(set("role", "admin"));
      await ada.post(path);
      const { body } = await (await again(world, kind.survives, ada)).get("/me");
      expect([body["principal"], body["data"]]).toEqual(["ada", {}]);
    },
  );

  test("T-TIME nothing that the store holds opens a session", async () => {
    const world = await open();
    const ada = await world.loggedIn("ada");
    await ada.post("/cart?item=book");
    const [tag = "", secret = "", signature = ""] = (ada.jar.get("sid") ?? "").split(".");
    const words = new Set<string>();
    for await (const record of world.probe.inner.scan("session"))
      for (const word of JSON.stringify(record).match(/[\w.-]{10,}/g) ?? []) words.add(word);
    for (const word of (await world.bytes()).match(/[\w.-]{10,}/g) ?? []) words.add(word);
    expect(words.size).toBeGreaterThan(1);
    expect([...words].join("\n")).not.toContain(secret);
    const thief = world.client();
    for (const word of words) {
      for (const value of [word, `${word}.${signature}`, `${tag}.${word}.${signature}`]) {
        const { body } = await thief.get("/me", { cookie: `sid=${value}` });
        expect(body["principal"]).toBeNull();
      }
    }
  });
});
