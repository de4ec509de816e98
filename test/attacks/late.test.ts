/** T-RES1: the cookie of a slow answer comes after the session's end, and opens nothing. */
import { expect, test } from "vitest";
import type { Client } from "../scenarios/client.ts";
import { everywhere, MINUTE } from "../scenarios/matrix.ts";
import type { World } from "../scenarios/matrix.ts";

type End = (world: World, other: Client) => Promise<unknown>;

const revoked: End = (world) => world.sessions.revokeAll("ada");
const loggedOut: End = (_world, other) => other.post("/logout");

/** A slow request, the call of the store that it is held behind, and how the session ends meanwhile. */
const slow: readonly (readonly [what: string, path: string, operation: string, end: End])[] = [
  ["a touch, logged out meanwhile", "/me", "touch", loggedOut],
  ["a touch, revoked meanwhile", "/me", "touch", revoked],
  ["a write, logged out meanwhile", "/increment", "update", loggedOut],
  ["a rotation, logged out meanwhile", "/rotate", "replace", loggedOut],
  ["a rotation, revoked meanwhile", "/rotate", "replace", revoked],
  ["an elevation, revoked meanwhile", "/elevate", "replace", revoked],
  ["a re-authentication, revoked meanwhile", "/reauthenticate", "replace", revoked],
  ["a login, revoked meanwhile", "/login?user=ada", "replace", revoked],
];

everywhere(({ open }) => {
  for (const when of ["before", "after"] as const) {
    // A login that reaches the store after the revocation is a new proof, and stays.
    const ended = slow.filter(([, path]) => when === "after" || !path.startsWith("/login"));
    test.for(ended)(
      `T-RES1 held ${when} the store's work, the late cookie of %s opens nothing, and a new login works`,
      async ([, path, operation, end]) => {
        const world = await open({ options: { cookie: { persistent: true } } });
        const ada = await world.loggedIn("ada");
        world.clock.advance(2 * MINUTE);
        const other = ada.copy();
        const held = world.probe.hold(operation, when);
        const answer = ada.ask(path, { method: path === "/me" ? "GET" : "POST" });
        await held.reached;
        await end(world, other);
        held.release();
        await answer;

        expect((await world.sessions.list("ada")).items).toEqual([]);
        expect((await ada.copy().get("/private")).status).toBe(401);
        expect((await ada.post("/login?user=ada")).status).toBe(200);
        expect((await ada.get("/private")).status).toBe(200);
      },
    );
  }
});
