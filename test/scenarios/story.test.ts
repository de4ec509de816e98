/** The story of every shop: a cart, a login, a second node, a logout, a restart. */
import { expect, test } from "vitest";
import { everywhere } from "./matrix.ts";

everywhere(({ kind, open }) => {
  test("[D-11] [G5] NIST 5.1-established NIST 5.1-secret NIST 5.1-logout a visitor's cart comes along through the login and ends with the logout", async () => {
    const world = await open();
    const ada = world.client();
    await ada.post("/cart?item=book");
    const anonymous = ada.cookie;

    await ada.post("/login?user=ada");
    expect(ada.cookie).not.toBe(anonymous);
    await ada.post("/cart?item=pen");
    expect((await ada.get("/me")).body).toMatchObject({
      principal: "ada",
      level: 1,
      data: { cart: ["book", "pen"] },
    });

    const leaver = ada.copy();
    await ada.post("/logout");
    expect(ada.cookie).toBe("");
    expect((await ada.get("/me")).body).toMatchObject({ principal: null, isNew: true, data: {} });
    expect((await leaver.get("/private")).status).toBe(401);
    expect((await world.sessions.count()).active).toBe(0);
  });

  test("two people on one application see 2 different sessions", async () => {
    const world = await open();
    const [ada, bob] = [await world.loggedIn("ada"), await world.loggedIn("bob")];
    await Promise.all([ada.post("/cart?item=book"), bob.post("/cart?item=saw")]);
    expect((await ada.get("/me")).body["data"]).toEqual({ cart: ["book"] });
    expect((await bob.get("/me")).body["data"]).toEqual({ cart: ["saw"] });
  });

  test("[B-01] a login on node A is read on node B by the very next request", async () => {
    const world = await open();
    const nodeB = await world.node();
    const ada = await world.loggedIn("ada");
    await ada.post("/cart?item=book");
    ada.url = nodeB.url;
    expect((await ada.get("/me")).body).toMatchObject({
      principal: "ada",
      data: { cart: ["book"] },
    });
  });

  test(`[A-10] [B-01] a restart ${kind.survives ? "keeps all 20" : "loses all 20"} sessions`, async () => {
    const world = await open();
    const users = Array.from({ length: 20 }, (_, index) => `user${index}`);
    const clients = await Promise.all(users.map((user) => world.loggedIn(user)));
    await Promise.all(clients.map((client) => client.post("/cart?item=book")));
    const { url } = await world.restart();
    const views = await Promise.all(
      clients.map((client) => {
        client.url = url;
        return client.get("/me");
      }),
    );
    expect(views.map(({ body }) => [body["principal"], body["data"]])).toEqual(
      users.map((user) => (kind.survives ? [user, { cart: ["book"] }] : [null, {}])),
    );
  });

  test("[B-10] [B-08] T-RES2 a restart revives nothing that had ended before it", async () => {
    const world = await open();
    const clients = await Promise.all(["ada", "bob", "eve"].map((user) => world.loggedIn(user)));
    const [ada, bob, eve] = clients;
    const stolen = ada?.copy();
    await ada?.post("/logout");
    await world.sessions.revokeAll("bob", "stolen laptop");
    await world.sessions.revokeEveryone("incident");
    const { url } = await world.restart();
    for (const client of [stolen, bob, eve]) {
      if (client) client.url = url;
      expect((await client?.get("/private"))?.status).toBe(401);
    }
    expect((await world.sessions.count()).active).toBe(0);
  });
});
