/** G5: whoever held the old cookie holds nothing, from the instant of the change on. */
import type { DataView, SessionOptions } from "@sojourn/core";
import { expect, test } from "vitest";
import { everywhere, MINUTE } from "./matrix.ts";
import { set } from "./shop.ts";

const changes: readonly (readonly [name: string, path: string, options?: SessionOptions])[] = [
  ["a login again", "/login?user=ada"],
  ["a login as another", "/login?user=bob"],
  ["a step-up", "/elevate"],
  ["a re-authentication", "/reauthenticate"],
  [
    "a role change that the handler forgot",
    set("role", "admin"),
    {
      privileges: (data: DataView) => [data["role"]],
    },
  ],
];

everywhere(({ open }) => {
  for (const [name, path, options = {}] of changes) {
    test(`[G5] [E-04] [X-02] T-FIX1 T-FIX2 ASVS 7.2.4 OWASP-renewal ${name}: the old cookie is worth nothing at once, under 100 concurrent requests`, async () => {
      const world = await open({ options });
      const ada = await world.loggedIn("ada");
      const thief = ada.copy();
      const storm = Array.from({ length: 100 }, () => thief.copy().get("/private"));
      const change = await ada.post(path);
      expect(change.status).toBe(200);
      expect(change.cookies).toHaveLength(1);

      const after = await Promise.all(
        Array.from({ length: 100 }, () => thief.copy().get("/private")),
      );
      expect(after.filter(({ status }) => status !== 401)).toEqual([]);
      const answers = [...(await Promise.all(storm)), ...after];
      expect(answers.filter(({ status }) => status !== 200 && status !== 401)).toEqual([]);
      const given = answers
        .flatMap(({ cookies }) => cookies)
        .filter((line) => !line.includes("Max-Age=0"));
      expect(given).toEqual([]);
      expect((await ada.get("/private")).status).toBe(200);
    });
  }

  for (const [name, path, options = {}] of changes) {
    test(`[G5] ${name}: what the old cookie had begun to write is not written`, async () => {
      const world = await open({ options });
      const ada = await world.loggedIn("ada");
      const held = world.probe.hold("update");
      const late = ada.copy().post(set("late", true));
      await held.reached;
      await ada.post(path);
      held.release();
      expect((await late).cookies).toEqual([]);
      expect((await ada.get("/private")).body["data"]).not.toHaveProperty("late");
      expect(world.eventsOf("changes-dropped")).toMatchObject([{ keys: ["late"] }]);
    });
  }

  test("[G5] [E-04] T-FIX1 a planted session dies with the login, and what it writes late never reaches the victim", async () => {
    const world = await open();
    const attacker = world.client();
    await attacker.post("/cart?item=bait");
    const victim = attacker.copy();
    const held = world.probe.hold("update");
    const late = attacker.copy().post(set("shippingAddress", "attacker's"));
    await held.reached;

    await victim.post("/login?user=ada");
    expect(victim.cookie).not.toBe(attacker.cookie);
    held.release();
    await late;
    expect((await attacker.get("/private")).status).toBe(401);
    await attacker.post(set("shippingAddress", "attacker's"));
    const { body } = await victim.get("/me");
    expect(body).toMatchObject({ principal: "ada", data: { cart: ["bait"] } });
    expect(body["data"]).not.toHaveProperty("shippingAddress");
    expect(world.eventsOf("changes-dropped").map(({ keys }) => keys)).toEqual([
      ["shippingAddress"],
      ["shippingAddress"],
    ]);
  });

  test("[E-04] [E-02] T-FIX4 OWASP-strict a cookie that the client chose is never adopted: 20 logins give 20 other tokens", async () => {
    const world = await open();
    const chosen = `${"A".repeat(2)}A.${"A".repeat(43)}`;
    const given = new Set<string>();
    for (let index = 0; index < 20; index++) {
      const client = world.client();
      client.jar.set("sid", `${chosen}.${"A".repeat(47)}`);
      await client.post("/login?user=ada");
      expect(client.cookie).not.toContain(chosen);
      given.add(client.cookie);
    }
    expect(given.size).toBe(20);
  });

  test("[X-02] a role that did not change, and data beside it, rotate nothing", async () => {
    const world = await open({ options: { privileges: (data) => [data["role"]] } });
    const ada = await world.loggedIn("ada");
    await ada.post(set("role", "admin"));
    const { cookie } = ada;
    await ada.post(set("role", "admin"));
    await ada.post(set("theme", "dark"));
    expect(ada.cookie).toBe(cookie);
    expect(world.eventsOf("rotated").map(({ cause }) => cause)).toEqual(["privileges"]);
  });

  test("[E-11] ASVS 10.4.5 a rotated token serves late requests for 10 s, whose writes survive; then it is a theft signal", async () => {
    const world = await open();
    const ada = await world.loggedIn("ada");
    await ada.post(set("kept", true));
    const { handle } = (await ada.get("/me")).body;
    const old = ada.copy();
    await ada.post("/rotate");
    expect(ada.cookie).not.toBe(old.cookie);
    world.clock.advance(9_999);
    const late = await old.copy().post(set("late", true));
    expect([late.status, late.cookies]).toEqual([200, []]);
    expect((await ada.get("/me")).body).toMatchObject({ handle, data: { kept: true, late: true } });
    expect((await world.sessions.list("ada")).items).toHaveLength(1);

    world.clock.advance(1);
    const reused = await old.get("/private");
    expect(reused.status).toBe(401);
    expect(world.eventsOf("token-reused")).toMatchObject([{ handle, principal: "ada" }]);
    expect((await ada.get("/private")).status).toBe(200);
  });

  test("[G5] elevate() raises the level and moves no deadline, reauthenticate() begins both anew", async () => {
    const world = await open({ options: { absolute: "1h" } });
    const ada = await world.loggedIn("ada");
    const ends = async (): Promise<number | undefined> =>
      (await world.sessions.list("ada")).items[0]?.absoluteExpiresAt;
    const first = await ends();
    world.clock.advance(20 * MINUTE);
    expect((await ada.post("/elevate")).body["level"]).toBe(2);
    expect(await ends()).toBe(first);
    await ada.post("/reauthenticate");
    expect(await ends()).toBe(world.clock.now() + 60 * MINUTE);
    expect((await ada.get("/me")).body["level"]).toBe(2);
  });
});
