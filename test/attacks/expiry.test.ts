/** T-EXP: a deadline that the store knows counts, whatever the cookie, the browser or a late store says. */
import type { SessionOptions } from "@sojourn/core";
import { expect, test } from "vitest";
import { everywhere, HOUR, MINUTE, SECOND } from "../scenarios/matrix.ts";
import type { World } from "../scenarios/matrix.ts";
import { set } from "../scenarios/shop.ts";

const kinds: readonly (readonly [name: string, options: SessionOptions])[] = [
  ["idle and absolute", { absolute: "1h" }],
  ["absolute alone", { idle: null, absolute: "1h" }],
  ["touched at each use", { absolute: "1h", touchAfter: 0 }],
  ["a persistent cookie", { absolute: "1h", cookie: { persistent: true } }],
  [
    "a persistent cookie, absolute alone",
    { idle: null, absolute: "1h", cookie: { persistent: true } },
  ],
];

/** Each use that goes through the store again. */
const USES = ["/me", set("a", 1), "/increment", "/rotate", "/elevate"];

/** What the store says of the only session of the user. */
async function kept(world: World, user: string) {
  const [only] = (await world.sessions.list(user)).items;
  if (!only) throw new Error(`${user} has no session`);
  return only;
}

everywhere(({ open }) => {
  test.for(kinds)(
    "T-EXP1 T-EXP3 %s: after every kind of use dead at the very deadline, also for who ignores Max-Age",
    async ([, options]) => {
      const world = await open({ options });
      for (const [index, use] of USES.entries()) {
        const user = `user${index}`;
        const client = await world.loggedIn(user);
        const { absoluteExpiresAt } = await kept(world, user);
        for (let round = 0; round < 2; round++) {
          world.clock.advance(10 * MINUTE);
          const { status, cookies } = await client.ask(use, {
            method: use === "/me" ? "GET" : "POST",
          });
          expect(status).toBe(200);
          const session = await kept(world, user);
          const idleEnd = options.idle === null ? Infinity : session.seenAt + 30 * MINUTE;
          expect(session.absoluteExpiresAt).toBe(absoluteExpiresAt);
          expect(session.expiresAt).toBe(Math.min(idleEnd, absoluteExpiresAt));
          for (const cookie of options.cookie ? cookies : []) {
            const seconds = (session.expiresAt - world.clock.now()) / SECOND;
            expect(cookie).toContain(`; Max-Age=${seconds};`);
          }
        }
        const { expiresAt } = await kept(world, user);
        world.clock.advance(expiresAt - world.clock.now());
        expect((await client.copy().get("/private")).status).toBe(401);
        await client.copy().ask(use, { method: use === "/me" ? "GET" : "POST" });
        expect((await world.sessions.list(user)).items).toEqual([]);
        expect((await client.get("/private")).status).toBe(401);
      }
    },
  );

  test("T-EXP1 a store that gives a dead record back gets nobody in", async () => {
    const world = await open();
    const ada = await world.loggedIn("ada");
    let record: unknown;
    world.probe.around = async (operation, call) => {
      const result = await call();
      if (operation === "read") record ??= result;
      return operation === "read" ? record : result;
    };
    expect((await ada.get("/private")).status).toBe(200);
    world.clock.advance(30 * MINUTE);
    const late = await ada.copy().get("/me");
    expect(late.body).toMatchObject({ principal: null, ending: { why: "idle" } });
    expect(late.body["data"]).toEqual({});
  });

  test("T-EXP2 a cookie that was cleared goes on opening nothing, on every node", async () => {
    const world = await open();
    const ada = await world.loggedIn("ada");
    const thief = ada.copy();
    await ada.post("/logout");
    const other = await world.node();
    for (const url of [world.app.url, other.url]) {
      const replay = thief.copy();
      replay.url = url;
      expect((await replay.get("/private")).status).toBe(401);
    }
    world.clock.advance(HOUR);
    expect((await thief.get("/private")).status).toBe(401);
  });
});
