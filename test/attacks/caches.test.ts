/** T-CACHE: a cache that several people share keeps nobody's page and nobody's cookie. */
import { inspect } from "node:util";
import { KeyRing } from "@sojourn/core";
import type { Session } from "@sojourn/core";
import { expect, test } from "vitest";
import type { Received } from "../scenarios/client.ts";
import type { Route } from "../scenarios/frameworks.ts";
import { everywhere, MINUTE } from "../scenarios/matrix.ts";

/** Every way to look at a session that tells something of it. */
const looks: Record<string, (session: Session) => unknown> = {
  property: (session) => Reflect.get(session, "cart"),
  in: (session) => "cart" in session,
  keys: (session) => Object.keys(session).length,
  entries: (session) => Object.entries(session).length,
  spread: (session) => Object.keys({ ...session }).length,
  get: (session) => session.get("cart"),
  has: (session) => session.has("cart"),
  json: (session) => JSON.stringify(session),
  inspect: (session) => inspect(session).length,
  principal: (session) => session.principal,
  handle: (session) => session.handle,
  level: (session) => session.level,
  isNew: (session) => session.isNew,
  expiresAt: (session) => session.expiresAt,
  ending: (session) => session.ending,
  locked: (session) => session.locked,
  client: (session) => session.checkClient(),
};

const routes: readonly Route[] = Object.entries(looks).map(([name, look]) => ({
  method: "GET",
  path: `/look-${name}`,
  handle({ session }) {
    look(session);
    return { ok: true };
  },
}));

const told = ({ headers }: Received): unknown => ({
  vary: headers.vary?.toLowerCase().includes("cookie"),
  cacheControl: headers["cache-control"],
});

everywhere(({ open }) => {
  test(`T-CACHE2 each of ${Object.keys(looks).length} ways to look at the session tells caches, with and without one`, async () => {
    const world = await open({ routes });
    for (const client of [world.client(), await world.loggedIn("ada")]) {
      for (const { path } of routes) {
        const answer = await client.get(path);
        expect([path, answer.status, told(answer)]).toEqual([
          path,
          200,
          { vary: true, cacheControl: "private" },
        ]);
      }
    }
  });

  test("T-CACHE1 a cookie that slides, is signed anew, comes first or is cleared with nobody looking: no-store", async () => {
    const ring = new KeyRing(["the first secret of these tests, 32 c and more"]);
    const world = await open({
      options: { secret: ring, deviceCookie: true, cookie: { persistent: true } },
    });
    const secret = { vary: true, cacheControl: "no-store" };
    const visitor = world.client();
    const first = await visitor.post("/login?user=ada");
    expect([first.cookies.length, told(first)]).toEqual([2, secret]);

    world.clock.advance(5 * MINUTE);
    const slid = await visitor.get("/plain");
    expect([slid.cookies.length, told(slid)]).toEqual([1, secret]);

    ring.add("the second secret of these tests, 32 c and more");
    const signed = await visitor.get("/plain");
    expect([signed.cookies.length > 0, told(signed)]).toEqual([true, secret]);

    await world.sessions.revokeAll("ada");
    const cleared = await visitor.get("/plain");
    expect([cleared.cookies.length > 0, told(cleared)]).toEqual([true, secret]);
  });
});
