/** T-KEY: which key signs, what is refused, and what a revoked key is worth, over HTTP. */
import { KeyRing } from "@sojourn/core";
import { expect, test } from "vitest";
import type { Client } from "../scenarios/client.ts";
import { everywhere } from "../scenarios/matrix.ts";

const OLD = "the older secret of these tests, 32 c and more";
const NEW = "the newer secret of these tests, 32 c and more";

/** The id of the key that signed the browser's cookie. */
function kidOf({ jar }: Client): string | undefined {
  return jar.get("sid")?.split(".")[2]?.slice(0, 4);
}

everywhere(({ open }) => {
  test("T-KEY1 after a new key every cookie is signed by the newest, new ones and those that come again", async () => {
    const ring = new KeyRing([OLD]);
    const world = await open({ options: { secret: ring } });
    const ada = await world.loggedIn("ada");
    const kid = ring.add(NEW);
    expect(kidOf(ada)).not.toBe(kid);
    const seen = await ada.get("/plain");
    expect([kidOf(ada), seen.cookies.length]).toEqual([kid, 1]);
    expect(kidOf(await world.loggedIn("bob"))).toBe(kid);
    await ada.post("/rotate");
    expect(kidOf(ada)).toBe(kid);
    expect((await ada.get("/private")).status).toBe(200);
  });

  test("T-KEY3 a revoked key's cookies are refused at once without a store call, and the others live on", async () => {
    const ring = new KeyRing([OLD]);
    const world = await open({ options: { secret: ring } });
    const [ada, bob] = [await world.loggedIn("ada"), await world.loggedIn("bob")];
    const old = ring.list()[0]?.kid ?? "";
    ring.add(NEW);
    await bob.get("/plain");
    expect(ring.revoke(old)).toBe(true);
    expect(await world.probe.callsOf(() => ada.get("/me"))).toEqual([]);
    expect((await ada.get("/private")).status).toBe(401);
    expect((await bob.get("/private")).status).toBe(200);
    const reasons = new Set(world.eventsOf("cookie-rejected").map(({ reason }) => reason));
    expect([...reasons]).toEqual(["unknown-key"]);
  });

  test("T-KEY2 T-KEY3 with encryption on, a payload that is plain or altered by somebody else gives nobody's data", async () => {
    const world = await open({ options: { encryption: true } });
    const ada = await world.loggedIn("ada");
    await ada.post("/cart?item=planted-word");
    for (const forge of [
      () => `${JSON.stringify({ authenticatedAt: 1, level: 9 })}\n{"cart":["forged"]}`,
      (payload: string) => payload.slice(0, -4) + (payload.endsWith("AAAA") ? "BBBB" : "AAAA"),
      (payload: string) => payload.slice(0, Math.floor(payload.length / 2)),
    ]) {
      world.probe.around = async (operation, call) => {
        const result = await call();
        if (operation !== "read") return result;
        const record = result as { payload: string };
        expect(record.payload).not.toContain("planted-word");
        return { ...record, payload: forge(record.payload) };
      };
      const { status, text } = await ada.get("/me");
      expect(text).not.toMatch(/forged|planted-word|"principal":"ada"/);
      expect([200, 500, 503]).toContain(status);
    }
    world.probe.around = (_operation, call) => call();
    expect((await ada.get("/me")).body["data"]).toEqual({ cart: ["planted-word"] });
  });

  test("T-KEY3 with encryption on, a record that was given to another owner in the store is nobody's", async () => {
    const world = await open({ options: { encryption: true } });
    const [eve, ada] = [await world.loggedIn("eve"), await world.loggedIn("ada")];
    const owners = new Map<string, string | null>();
    world.probe.around = async (operation, call) => {
      const result = await call();
      if (operation !== "read") return result;
      const record = result as { handle: string; owner: string | null };
      owners.set(record.handle, record.owner);
      return {
        ...record,
        owner: [...owners.values()].find((owner) => owner !== record.owner) ?? null,
      };
    };
    for (const thief of [ada, eve]) {
      const { status, text } = await thief.get("/me");
      expect([status, text.includes("SOJOURN_STORE_CORRUPT")]).toEqual([500, true]);
    }
    expect(owners.size).toBe(2);
    world.probe.around = (_operation, call) => call();
    expect((await eve.get("/me")).body["principal"]).toBe("eve");
  });
});
