/** T-2FA, T-PWD, T-MULTI: how far a session goes that is not complete, not fresh or not one's own. */
import type { Route } from "../scenarios/frameworks.ts";
import { expect, test } from "vitest";
import { Answer } from "../scenarios/frameworks.ts";
import { DAY, everywhere, HOUR, SECOND } from "../scenarios/matrix.ts";
import { set } from "../scenarios/shop.ts";

const account = { password: "first" };

const routes: readonly Route[] = [
  {
    method: "POST",
    path: "/transfer",
    async handle({ session }) {
      session.requireFresh({ within: "5m", level: 2 });
      return { approved: await session.useApproval("transfer", { to: "bob" }) };
    },
  },
  {
    method: "POST",
    path: "/approve",
    async handle({ session }) {
      await session.approve("transfer", { to: "bob" });
      return { ok: true };
    },
  },
  {
    method: "POST",
    path: "/enter-password",
    async handle({ session }) {
      await session.login("ada", { authVersion: account.password });
      return { ok: true };
    },
  },
  {
    method: "GET",
    path: "/account",
    handle: async ({ session }) =>
      (await session.verifyAuthVersion(account.password))
        ? { principal: session.principal }
        : new Answer(401, { error: "log in" }),
  },
  {
    method: "POST",
    path: "/change-password",
    async handle({ session, query }) {
      account.password = query("to") ?? "";
      await session.reauthenticate({ authVersion: account.password });
      return { ok: true };
    },
  },
  {
    method: "POST",
    path: "/sign-out-device",
    async handle({ session, sessions, query }) {
      const own = (await sessions.list(session.principal ?? "")).items;
      const found = own.find(({ handle }) => handle === query("handle"));
      return found ? { ended: await sessions.revoke(found.handle) } : new Answer(404, {});
    },
  },
];

everywhere(({ open }) => {
  test("T-2FA before its second factor a session is not full: not by data, not by age, not by its old cookie", async () => {
    const world = await open({ routes });
    const ada = await world.loggedIn("ada");
    const transfer = async (client = ada): Promise<unknown> => {
      const { status, body, text } = await client.post("/transfer");
      return status === 200 ? body : [status, /SOJOURN_\w+/.exec(text)?.[0]];
    };
    const refused = [401, "SOJOURN_REAUTHENTICATION_REQUIRED"];
    expect(await transfer()).toEqual(refused);
    await ada.post(set("level", 9));
    await ada.post(set("principal", "root"));
    await ada.post("/rotate");
    expect((await ada.get("/me")).body).toMatchObject({ principal: "ada", level: 1 });
    expect(await transfer()).toEqual(refused);

    const pending = ada.copy();
    await ada.post("/elevate");
    expect(await transfer()).toEqual({ approved: false });
    expect(await transfer(pending)).toEqual([409, "SOJOURN_SESSION_ENDED"]);
    expect((await pending.get("/private")).status).toBe(401);
    await ada.post("/approve");
    expect(await transfer()).toEqual({ approved: true });
    expect(await transfer()).toEqual({ approved: false });
    world.clock.advance(300 * SECOND + 1);
    expect(await transfer()).toEqual(refused);
  });

  test("T-2FA a write that was under way before the second factor neither rises with it nor takes it back", async () => {
    const world = await open({ routes });
    const ada = await world.loggedIn("ada");
    const held = world.probe.hold("update");
    const late = ada.copy().post(set("late", true));
    await held.reached;
    await ada.post("/elevate");
    held.release();
    const { cookies } = await late;
    expect(cookies).toEqual([]);
    const { body } = await ada.get("/me");
    expect([body["level"], body["data"]]).toEqual([2, {}]);
  });

  test("T-2FA a locked session has no principal, level, data or approval, and keeps what is written to it out", async () => {
    const world = await open({ routes, options: { onIdle: "lock" } });
    const ada = await world.loggedIn("ada");
    await ada.post("/elevate");
    await ada.post(set("secret", "word"));
    await ada.post("/approve");
    world.clock.advance(HOUR);
    const locked = await ada.get("/me");
    const { principal, level, data } = locked.body;
    expect([principal, level, data]).toEqual([null, 0, {}]);
    expect(locked.text).not.toContain("word");
    expect((await ada.post("/transfer")).status).toBe(401);
    expect((await ada.get("/private")).status).toBe(401);
    await ada.post(set("planted", true));
    await ada.post("/increment");
    await ada.post("/reauthenticate");
    const { body } = await ada.get("/me");
    expect([body["principal"], body["level"], body["data"]]).toEqual([
      "ada",
      2,
      { secret: "word" },
    ]);
  });

  test("T-PWD a persistent cookie from before the change of the password is dead, the changing one lives", async () => {
    const world = await open({
      routes,
      options: { idle: null, absolute: "30d", cookie: { persistent: true } },
    });
    account.password = "first";
    const [here, there] = [world.client(), world.client()];
    for (const client of [here, there]) await client.post("/enter-password");
    world.clock.advance(20 * DAY);
    const stolen = here.copy();
    expect((await there.get("/account")).status).toBe(200);
    await here.post("/change-password?to=second");
    expect((await here.get("/account")).body).toEqual({ principal: "ada" });
    expect((await there.get("/account")).status).toBe(401);
    // For its first seconds a straggler: refused, its cookie left alone.
    expect((await stolen.get("/account")).status).toBe(409);
    expect((await there.get("/private")).status).toBe(401);
    expect((await here.get("/private")).status).toBe(200);
    expect((await world.sessions.list("ada")).items).toHaveLength(1);
  });

  test("T-MULTI neither an unsigned cookie nor another's handle ends a session", async () => {
    const world = await open({ routes });
    const [ada, eve] = [await world.loggedIn("ada"), await world.loggedIn("eve")];
    const value = ada.jar.get("sid") ?? "";
    const { handle } = (await ada.get("/me")).body;
    const [tag, secret, signature = ""] = value.split(".");
    const forger = world.client();
    for (const forged of [
      `${tag}.${secret}`,
      `${tag}.${secret}.${signature.slice(0, 4)}${"A".repeat(43)}`,
      `${tag}.${secret}.${(eve.jar.get("sid") ?? "").split(".")[2]}`,
      String(handle),
    ]) {
      for (const path of ["/logout", "/logout-others", "/logout-everywhere"])
        await forger.post(path, { cookie: `sid=${forged}` });
    }
    const asked = `/sign-out-device?handle=${encodeURIComponent(String(handle))}`;
    expect((await eve.post(asked)).status).toBe(404);
    expect((await ada.get("/private")).status).toBe(200);
    const device = await world.loggedIn("ada");
    expect((await device.post(asked)).body).toEqual({ ended: true });
    expect((await ada.get("/private")).status).toBe(401);
  });
});
