/** Three devices of one user: seen, told apart, ended one by one. */
import { expect, test } from "vitest";
import { everywhere } from "./matrix.ts";
import type { World } from "./matrix.ts";
import type { Client } from "./client.ts";

const PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) Safari/604.1";
const LAPTOP = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const TELEVISION = "Mozilla/5.0 (Web0S; SmartTV) Chrome/120.0";

interface Devices {
  readonly phone: Client;
  readonly laptop: Client;
  readonly television: Client;
}

async function threeDevices(world: World): Promise<Devices> {
  const [phone, laptop, television] = [PHONE, LAPTOP, TELEVISION].map((userAgent) =>
    world.client({ userAgent }),
  ) as [Client, Client, Client];
  for (const client of [phone, laptop, television]) {
    await client.post("/login?user=ada");
    world.clock.advance(1_000);
  }
  return { phone, laptop, television };
}

async function signedIn({ phone, laptop, television }: Devices): Promise<boolean[]> {
  const answers = await Promise.all(
    [phone, laptop, television].map((client) => client.get("/private")),
  );
  return answers.map(({ status }) => status === 200);
}

everywhere(({ open }) => {
  test("[B-08] [B-10] [E-10] ASVS 7.5.2 one device is revoked with a reason, told it once, and the other 2 stay", async () => {
    const world = await open();
    const devices = await threeDevices(world);
    const { items } = await world.sessions.list("ada");
    expect(items.map(({ client }) => client.userAgent)).toEqual([TELEVISION, LAPTOP, PHONE]);
    const lost = items.find(({ client }) => client.userAgent === PHONE);

    expect(await world.sessions.revoke(lost?.handle ?? "", "lost in the train")).toBe(true);
    expect((await devices.phone.get("/me")).body).toMatchObject({
      principal: null,
      ending: { why: "revoked", reason: "lost in the train" },
    });
    expect((await devices.phone.get("/me")).body["ending"]).toBeNull();
    expect(await signedIn(devices)).toEqual([false, true, true]);
    expect(await world.sessions.revoke(lost?.handle ?? "")).toBe(false);
    expect(await world.sessions.explain(lost?.handle ?? "")).toMatchObject({
      status: "ended",
      principal: "ada",
      ending: { reason: "lost in the train" },
    });
    expect(world.eventsOf("revoked")).toMatchObject([{ handle: lost?.handle, count: 1 }]);
  });

  test("[B-08] [E-10] ASVS 7.4.3 'sign out the others' ends 2 of 3 and spares another user", async () => {
    const world = await open();
    const devices = await threeDevices(world);
    const bob = await world.loggedIn("bob");
    expect((await devices.laptop.post("/logout-others")).body).toEqual({ ended: 2 });
    expect(await signedIn(devices)).toEqual([false, true, false]);
    expect((await bob.get("/private")).status).toBe(200);
  });

  test("[E-17] [B-08] 'sign out everywhere' ends all 3, the asking one too", async () => {
    const world = await open();
    const devices = await threeDevices(world);
    expect((await devices.phone.post("/logout-everywhere")).body).toEqual({ ended: 3 });
    expect(await signedIn(devices)).toEqual([false, false, false]);
    expect((await world.sessions.list("ada")).items).toEqual([]);
  });

  test("[B-08] a revocation on another node is seen by the very next request, with a save in flight too", async () => {
    const world = await open();
    const nodeB = await world.node();
    const ada = await world.loggedIn("ada");
    expect((await ada.get("/private")).status).toBe(200);
    const held = world.probe.hold("update");
    const late = ada.copy().post("/cart?item=late");
    await held.reached;
    expect(await nodeB.sessions.revokeAll("ada", "stolen")).toBe(1);
    expect((await ada.copy().get("/private")).status).toBe(401);
    held.release();
    expect((await late).status).toBe(200);
    expect((await ada.get("/private")).status).toBe(401);
    expect(world.eventsOf("changes-dropped")).toMatchObject([
      { keys: ["cart"], ending: { why: "revoked", reason: "stolen" } },
    ]);
  });

  test("[E-12] T-IP the client check tells another network and another browser from a newer version", async () => {
    const world = await open();
    const ada = world.client({ userAgent: LAPTOP });
    await ada.post("/login?user=ada");
    const check = async (from: string, userAgent: string) =>
      (await ada.copy({ from, userAgent }).get("/check")).body;
    const newer = LAPTOP.replaceAll("140.0", "141.0");
    expect(await check("127.0.0.9", newer)).toEqual({ matches: true, reasons: [] });
    expect(await check("127.0.1.1", LAPTOP)).toEqual({
      matches: false,
      reasons: ["network-changed"],
    });
    expect(await check("127.9.0.1", PHONE)).toEqual({
      matches: false,
      reasons: ["network-changed", "user-agent-changed"],
    });
  });
});
