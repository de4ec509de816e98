/** T-FIX: what an attacker knew before a login is worth nothing after it, by whatever way it was made. */
import { csrfPolicy } from "@sojourn/core";
import type { DataView, SessionOptions } from "@sojourn/core";
import { expect, test } from "vitest";
import type { Route } from "../scenarios/frameworks.ts";
import { everywhere } from "../scenarios/matrix.ts";
import { set } from "../scenarios/shop.ts";

const ways: readonly (readonly [name: string, path: string, options?: SessionOptions])[] = [
  ["login()", "/login?user=ada"],
  ["login() and a redirect, as after single sign-on", "/enter?user=ada"],
  [
    "a user that appears in the data",
    set("user", "ada"),
    { principal: ({ user }: DataView) => (typeof user === "string" ? user : null) },
  ],
];

const routes: readonly Route[] = [
  { method: "GET", path: "/form", handle: ({ session }) => ({ token: session.csrfToken() }) },
  {
    method: "POST",
    path: "/submit",
    handle({ session, query }) {
      const facts = { method: "POST", host: "shop.example", token: query("token") };
      const none = { origin: undefined, secFetchSite: undefined, contentType: undefined };
      return {
        refused: session.checkCsrf({ ...facts, ...none }, csrfPolicy({ protection: "token" })),
      };
    },
  },
];

const submit = (token: unknown): string =>
  `/submit?${new URLSearchParams({ token: String(token) }).toString()}`;

everywhere(({ open }) => {
  test.for(ways)(
    "T-FIX1 by %s: the planted cookie is dead, and the new one is new",
    async ([, path, options = {}]) => {
      const world = await open({ options });
      const attacker = world.client();
      await attacker.post(set("bait", true));
      const victim = attacker.copy();
      expect((await victim.post(path)).cookies).toHaveLength(1);
      expect(victim.cookie).not.toBe(attacker.cookie);
      expect((await victim.get("/private")).status).toBe(200);
      expect((await attacker.get("/private")).status).toBe(401);
      expect((await world.sessions.count()).active).toBe(1);
    },
  );

  test.for(["/login?user=ada", "/elevate", "/reauthenticate", "/logout"])(
    "T-FIX3 a CSRF token from before %s is refused after it, a new one taken",
    async (path) => {
      const world = await open({ routes });
      const ada = path.startsWith("/login") ? world.client() : await world.loggedIn("ada");
      const { token } = (await ada.get("/form")).body;
      expect((await ada.post(submit(token))).body).toEqual({ refused: null });
      await ada.post(path);
      expect((await ada.post(submit(token))).body).toEqual({ refused: "token-invalid" });
      const fresh = (await ada.get("/form")).body["token"];
      expect((await ada.post(submit(fresh))).body).toEqual({ refused: null });
    },
  );

  test("T-FIX3 the attacker's own token is refused in the victim's session", async () => {
    const world = await open({ routes });
    const [attacker, ada] = [await world.loggedIn("eve"), await world.loggedIn("ada")];
    const { token } = (await attacker.get("/form")).body;
    expect((await ada.post(submit(token))).body).toEqual({ refused: "token-invalid" });
    expect((await ada.post(submit(""))).body).toEqual({ refused: "token-missing" });
  });

  test("T-FIX4 no record is made under an id that the client chose", async () => {
    const world = await open();
    const client = world.client();
    client.jar.set("sid", `AAA.${"A".repeat(43)}.${"A".repeat(47)}`);
    await client.post(set("a", 1));
    expect((await world.sessions.count()).active).toBe(1);
    expect(client.cookie).not.toContain("AAAAAAAA");
    const keys: string[] = [];
    for await (const record of world.probe.inner.scan("session"))
      if ("payload" in record) keys.push(record.key);
    expect(keys).toHaveLength(1);
    expect(keys[0]).not.toContain("AAAAAAAA");
  });
});
