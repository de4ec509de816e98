/** Sealed sessions: what the browser carries can be revoked, by every way that there is, in every framework. */
import { cookieStore } from "@sojourn/store-cookie";
import { describe, expect, test } from "vitest";
import type { Client } from "./client.ts";
import { frameworks } from "./frameworks.ts";
import type { Route } from "./frameworks.ts";
import { SECOND, World } from "./matrix.ts";
import { set } from "./shop.ts";
import { stores } from "./stores.ts";
import type { StoreKind } from "./stores.ts";

/** A cookie store that remembers endings in a store of this kind. */
function sealed({ place, ...rest }: StoreKind, chunks: number): StoreKind {
  return {
    ...rest,
    name: "cookie",
    async place(clock) {
      const { open, ...ledger } = await place(clock);
      return { ...ledger, open: async () => cookieStore({ epochs: await open(), chunks }) };
    },
  };
}

const kindOf = (name: StoreKind["name"], chunks = 1): StoreKind => {
  const found = stores.find((kind) => kind.name === name);
  if (!found) throw new Error(`there is no ${name} store`);
  return sealed(found, chunks);
};

const routes: readonly Route[] = [
  {
    method: "POST",
    path: "/verify",
    async handle({ session }) {
      return { same: await session.verifyAuthVersion("another password") };
    },
  },
  {
    method: "GET",
    path: "/devices",
    handle: ({ session, sessions }) => sessions.list(session.principal ?? ""),
  },
  {
    method: "POST",
    path: "/destroy",
    async handle({ session }) {
      await session.destroy();
      return "ok";
    },
  },
  {
    method: "POST",
    path: "/regenerate",
    async handle({ session }) {
      await session.regenerate();
      return "ok";
    },
  },
];

/** Everything that ends a session or replaces its token. `goesOn`: the browser that asked is still logged in. */
const WAYS: readonly {
  readonly name: string;
  readonly goesOn: boolean;
  readonly end: (world: World, ada: Client, handle: string) => Promise<unknown>;
}[] = [
  { name: "logout()", goesOn: false, end: (_, ada) => ada.post("/logout") },
  { name: "destroy()", goesOn: false, end: (_, ada) => ada.post("/destroy") },
  { name: "regenerate()", goesOn: false, end: (_, ada) => ada.post("/regenerate") },
  { name: "login() of another user", goesOn: true, end: (_, ada) => ada.post("/login?user=bob") },
  { name: "login() of the same user", goesOn: true, end: (_, ada) => ada.post("/login?user=ada") },
  { name: "elevate()", goesOn: true, end: (_, ada) => ada.post("/elevate") },
  { name: "reauthenticate()", goesOn: true, end: (_, ada) => ada.post("/reauthenticate") },
  {
    name: "rotate(), after the grace time",
    goesOn: true,
    async end(world, ada) {
      await ada.post("/rotate");
      world.clock.advance(10 * SECOND);
    },
  },
  { name: "verifyAuthVersion()", goesOn: false, end: (_, ada) => ada.post("/verify") },
  { name: "revoke()", goesOn: false, end: ({ sessions }, _, handle) => sessions.revoke(handle) },
  { name: "revokeAll()", goesOn: false, end: ({ sessions }) => sessions.revokeAll("ada") },
  {
    name: "revokeOthers() of another device",
    goesOn: false,
    async end(world) {
      await (await world.loggedIn("ada")).post("/logout-others");
    },
  },
  { name: "revokeEveryone()", goesOn: false, end: ({ sessions }) => sessions.revokeEveryone() },
];

const isIn = async (client: Client): Promise<boolean> =>
  (await client.get("/private")).status === 200;

for (const framework of frameworks) {
  describe(`${framework.name} with sealed cookies`, () => {
    const open = (ledger: StoreKind["name"] = "memory"): Promise<World> =>
      World.open(framework, kindOf(ledger), { routes });

    test.for(WAYS)(
      "[X-09] [G1] [G5] $name kills a copy of both cookies, on every node",
      async ({ end, goesOn }) => {
        const world = await open();
        const other = await world.node();
        const ada = await world.loggedIn("ada");
        await ada.post(set("cart", ["book"]));
        const { body } = await ada.get("/me");
        const [thief, thiefElsewhere] = [ada.copy(), ada.copy()];
        thiefElsewhere.url = other.url;
        expect(await isIn(thief.copy())).toBe(true);
        expect(await isIn(thiefElsewhere.copy())).toBe(true);

        await end(world, ada, String(body["handle"]));
        expect(await isIn(thief)).toBe(false);
        expect(await isIn(thiefElsewhere)).toBe(false);
        expect(await isIn(ada)).toBe(goesOn);
      },
    );

    test.for(stores.map(({ name }) => name))(
      "[X-09] [E-01] with a ledger in the %s store: logout, revoke, revokeAll and revokeEveryone, on 2 nodes",
      async (ledger) => {
        const world = await open(ledger);
        const other = await world.node();
        const users = ["ada", "bob", "eve", "dan"];
        const browsers = await Promise.all(users.map((user) => world.loggedIn(user)));
        const thieves = browsers.map((browser) => browser.copy());
        for (const thief of thieves) thief.url = other.url;
        const alive = (): Promise<boolean[]> =>
          Promise.all(thieves.map((thief) => isIn(thief.copy())));
        expect(await alive()).toEqual([true, true, true, true]);
        await browsers[0]?.post("/logout");
        const bobs = await browsers[1]?.get("/me");
        await world.sessions.revoke(String(bobs?.body["handle"]));
        await world.sessions.revokeAll("eve");
        expect(await alive()).toEqual([false, false, false, true]);
        await world.sessions.revokeEveryone();
        expect(await alive()).toEqual([false, false, false, false]);
      },
    );

    test("[E-01] ASVS 14.3.2 every cookie that arrives has at most 4,096 bytes and the attributes of the token's; caches keep none", async () => {
      const world = await World.open(framework, kindOf("memory", 3), {
        options: { cookie: { persistent: true } },
      });
      const ada = await world.loggedIn("ada");
      const { cookies, headers } = await ada.post(set("note", "x".repeat(3_000)));
      expect(headers["cache-control"]).toBe("no-store");
      expect(headers["vary"]).toContain("Cookie");
      expect(cookies.length).toBeGreaterThan(1);
      for (const line of cookies) {
        expect(line.length).toBeLessThanOrEqual(4_096);
        expect(line).toMatch(/; Max-Age=1800; Path=\/; HttpOnly; SameSite=Lax$/);
      }
      expect((await ada.get("/me")).body["data"]).toEqual({ note: "x".repeat(3_000) });
    });

    test("[E-01] [G7] a session that is too large is an error answer in the place of the handler's, and the earlier one stays", async () => {
      const world = await open();
      const ada = await world.loggedIn("ada");
      await ada.post(set("note", "small"));
      const { status, cookies } = await ada.post(set("note", "x".repeat(4_000)));
      expect([status, cookies]).toEqual([500, []]);
      expect((await ada.get("/me")).body["data"]).toEqual({ note: "small" });
    });

    test("[E-01] what cannot be done without a list is answered 501", async () => {
      const world = await open();
      const { status } = await (await world.loggedIn("ada")).get("/devices");
      expect(status).toBe(501);
    });

    test("[E-01] [D-11] the session is in the cookies alone: it lives through a restart, and its visitor's cart through a login", async () => {
      const world = await open("file");
      const ada = world.client();
      await ada.post("/cart?item=book");
      await ada.post("/login?user=ada");
      await ada.post("/cart?item=a%20fountain%20pen");
      expect([...ada.jar.keys()].map((name) => name.replace(/\.[\w-]{6}\./, ".*."))).toEqual([
        "sid",
        "sid.*.0",
      ]);
      ada.url = (await world.restart()).url;
      expect((await ada.get("/me")).body).toMatchObject({
        principal: "ada",
        data: { cart: ["book", "a fountain pen"] },
      });
      expect(await world.bytes()).not.toContain("fountain pen");
    });

    test("[X-09] T-RES2 a restart revives nothing that ended before it: with a ledger on disk the others live, with one in memory none", async () => {
      for (const ledger of ["file", "memory"] as const) {
        const world = await open(ledger);
        const [ada, bob, eve] = [
          await world.loggedIn("ada"),
          await world.loggedIn("bob"),
          await world.loggedIn("eve"),
        ];
        const thief = ada.copy();
        await ada.post("/logout");
        await world.sessions.revokeAll("bob");
        const { url } = await world.restart();
        for (const client of [thief, bob, eve]) client.url = url;
        const alive = [await isIn(thief), await isIn(bob), await isIn(eve)];
        expect(alive).toEqual([false, false, ledger === "file"]);
      }
    });
  });
}
