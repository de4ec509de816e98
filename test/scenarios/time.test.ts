/** Idle and absolute timeout to the millisecond, over HTTP. */
import { expect, test } from "vitest";
import type { Client } from "./client.ts";
import { DAY, everywhere, HOUR, MINUTE } from "./matrix.ts";

const isIn = async (client: Client): Promise<boolean> =>
  (await client.get("/private")).status === 200;

everywhere(({ open }) => {
  test("[A-18] [B-02] [E-05] a fixed timeout of 1 h: alive 1 ms before, gone at it, whatever happened between", async () => {
    const world = await open({ options: { idle: null, absolute: "1h" } });
    const ada = await world.loggedIn("ada");
    for (let index = 0; index < 59; index++) {
      world.clock.advance(MINUTE);
      await ada.post("/increment");
    }
    world.clock.advance(MINUTE - 1);
    expect(await isIn(ada)).toBe(true);
    world.clock.advance(1);
    const copy = ada.copy();
    expect((await copy.get("/me")).body).toMatchObject({
      principal: null,
      ending: { why: "absolute", at: world.clock.now() },
    });
    expect(await isIn(ada)).toBe(false);
  });

  test("[A-18] [B-03] ASVS 7.3.1 idle 30 min: alive 1 ms before, gone at it, and the browser is told 'idle'", async () => {
    const world = await open();
    const [early, late] = [await world.loggedIn("ada"), await world.loggedIn("bob")];
    world.clock.advance(30 * MINUTE - 1);
    expect(await isIn(early)).toBe(true);
    world.clock.advance(1);
    expect((await late.get("/me")).body).toMatchObject({
      principal: null,
      ending: { why: "idle" },
    });
    expect(late.cookie).toBe("");
    expect(world.eventsOf("expired")).toHaveLength(1);
    expect(await isIn(early)).toBe(true);
  });

  test("[B-03] [C-10] used every 15 min it lives through 10 idle timeouts, then dies of one", async () => {
    const world = await open();
    const ada = await world.loggedIn("ada");
    for (let index = 0; index < 20; index++) {
      world.clock.advance(15 * MINUTE);
      expect(await isIn(ada)).toBe(true);
    }
    expect((await world.sessions.list("ada")).items[0]).toMatchObject({
      seenAt: world.clock.now(),
      expiresAt: world.clock.now() + 30 * MINUTE,
    });
    world.clock.advance(30 * MINUTE);
    expect(await isIn(ada)).toBe(false);
    expect((await world.sessions.count()).active).toBe(0);
  });

  test("[B-03] [A-18] ASVS 7.3.2 the absolute timeout ends a session that was never idle, at 24 h sharp", async () => {
    const world = await open();
    const ada = await world.loggedIn("ada");
    for (let index = 0; index < 96; index++) {
      expect(await isIn(ada)).toBe(true);
      world.clock.advance(15 * MINUTE - (index === 95 ? 1 : 0));
    }
    expect(await isIn(ada)).toBe(true);
    world.clock.advance(1);
    expect(await isIn(ada)).toBe(false);
  });

  test("[B-12] a login's own timeouts go before the application's", async () => {
    const world = await open();
    const brief = await world.loggedIn("ada", "idle=1m&absolute=5m");
    const lasting = await world.loggedIn("ada", "idle=none&absolute=30d");
    world.clock.advance(MINUTE);
    expect([await isIn(brief), await isIn(lasting)]).toEqual([false, true]);
    world.clock.advance(30 * DAY - MINUTE - 1);
    expect(await isIn(lasting)).toBe(true);
    world.clock.advance(HOUR);
    expect(await isIn(lasting)).toBe(false);
  });

  test("[E-13] touch() slides the idle timeout although nothing else is due", async () => {
    const route = {
      method: "POST" as const,
      path: "/touch",
      handle: ({ session }: { session: { touch(): void } }) => {
        session.touch();
        return "ok";
      },
    };
    const world = await open({ routes: [route] });
    const ada = await world.loggedIn("ada");
    world.clock.advance(1);
    expect(await world.probe.callsOf(() => ada.post("/touch"))).toEqual(["read", "touch"]);
    world.clock.advance(30 * MINUTE - 1);
    expect(await isIn(ada)).toBe(true);
  });
});
