/** Two sessions side by side: other names, other stores, other lifetimes. */
import { memoryStore } from "@sojourn/core";
import type { Store } from "@sojourn/core";
import { expect, test } from "vitest";
import type { NamedOptions, Route } from "./frameworks.ts";
import { everywhere, MINUTE, SECRET } from "./matrix.ts";

const routes: readonly Route[] = [
  {
    method: "POST",
    path: "/admin-login",
    async handle({ named }) {
      await named("admin").login("root");
      return "ok";
    },
  },
  {
    method: "POST",
    path: "/admin-logout",
    async handle({ named }) {
      await named("admin").logout();
      return "ok";
    },
  },
  {
    method: "GET",
    path: "/both",
    handle: ({ session, named }) => ({ user: session.principal, admin: named("admin").principal }),
  },
];

const options = { secret: SECRET, logger: false as const, cookie: { name: "admin" }, idle: "5m" };
const sameStore = (store: Store): NamedOptions => ({
  admin: { ...options, store, namespace: "admin" },
});
const ownStore = ({ clock }: Store): NamedOptions => ({
  admin: { ...options, store: memoryStore({ clock }) },
});

everywhere(({ open }) => {
  test.for([
    ["one store, two namespaces", sameStore],
    ["two stores", ownStore],
  ] as const)("[F-06] over %s, each session lives and ends on its own", async ([, more]) => {
    const world = await open({ routes, more });
    const ada = await world.loggedIn("ada");
    await ada.post("/admin-login");
    expect([...ada.jar.keys()].toSorted()).toEqual(["admin", "sid"]);
    expect((await ada.get("/both")).body).toEqual({ user: "ada", admin: "root" });
    expect((await world.sessions.list("root")).items).toEqual([]);

    world.clock.advance(5 * MINUTE);
    expect((await ada.get("/both")).body).toEqual({ user: "ada", admin: null });
    await ada.post("/admin-login");
    await world.sessions.revokeEveryone();
    expect((await ada.get("/both")).body).toEqual({ user: null, admin: "root" });
    await ada.post("/login?user=ada");
    await ada.post("/admin-logout");
    expect((await ada.get("/both")).body).toEqual({ user: "ada", admin: null });
  });

  test("[F-06] ASVS 9.2.4 the cookie of one session is worth nothing under the name of the other", async () => {
    const world = await open({ routes, more: sameStore });
    const ada = await world.loggedIn("ada");
    ada.jar.set("admin", ada.jar.get("sid") ?? "");
    expect((await ada.get("/both")).body).toEqual({ user: "ada", admin: null });
  });
});
