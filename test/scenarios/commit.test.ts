/** G7: the answer waits for the truth, and a store that fails or hangs is an answer. */
import { expect, test } from "vitest";
import type { Client, Received } from "./client.ts";
import { Answer } from "./frameworks.ts";
import type { Route } from "./frameworks.ts";
import { everywhere, MINUTE, SECOND } from "./matrix.ts";
import type { World } from "./matrix.ts";
import { set } from "./shop.ts";

const choose: Route = {
  method: "POST",
  path: "/choose",
  handle({ session }) {
    session.set("chosen", true);
    return new Answer(303, undefined, { location: "/me" });
  },
};

type Ask = (client: Client) => Promise<Received>;

/** Requests that need the store, the call of theirs that fails, and how to prepare for them. */
const asks: readonly (readonly [name: string, operation: string, ask: Ask])[] = [
  ["a visitor's first write", "create", (client) => client.post("/cart?item=book")],
  ["a redirect after a change", "create", (client) => client.post("/choose")],
  ["a redirect after a login", "create", (client) => client.post("/enter?user=ada")],
];
const loggedInAsks: typeof asks = [
  ["a read", "read", (client) => client.get("/me")],
  ["a write", "update", (client) => client.post(set("a", 1))],
  ["a redirect after a change, logged in", "update", (client) => client.post("/choose")],
  ["an increment", "update", (client) => client.post("/increment")],
  ["a touch", "touch", (client) => client.get("/me")],
  ["a rotation", "replace", (client) => client.post("/rotate")],
  ["a login over a login", "replace", (client) => client.post("/enter?user=bob")],
  ["a logout", "end", (client) => client.post("/logout")],
];

type Trouble = (call: () => Promise<unknown>) => Promise<unknown>;

function breakStore(world: World, operation: string, trouble: Trouble): void {
  world.probe.around = (name, call) => (name === operation ? trouble(call) : call());
}

async function expectRefusal(world: World, ask: Promise<Received>): Promise<void> {
  const { status, headers, cookies } = await ask;
  expect(status).toBe(503);
  expect(headers["retry-after"]).toBe("2");
  expect(headers.location).toBeUndefined();
  expect(cookies).toEqual([]);
  expect(world.eventsOf("store-failed")).toHaveLength(1);
}

const fail: Trouble = () => Promise.reject(new Error("connection refused"));
const hang: Trouble = () => new Promise(() => {});

everywhere(({ open }) => {
  for (const path of ["/enter?user=ada", "/choose"]) {
    test(`[G7] POST ${path} redirects only after the store has the session`, async () => {
      const world = await open({ routes: [choose] });
      const client = world.client();
      const held = world.probe.hold("create", "after");
      let hasHead = false;
      const answer = client.post(path, { onHead: () => void (hasHead = true) });
      await held.reached;
      for (let index = 0; index < 3; index++) await world.client().get("/plain");
      expect(hasHead).toBe(false);
      held.release();
      expect(await answer).toMatchObject({ status: 303, headers: { location: "/me" } });
      expect((await client.get("/me")).body).toMatchObject({ isNew: false });
    });
  }

  for (const [kind, trouble] of [
    ["fails", fail],
    ["hangs", hang],
  ] as const) {
    const options = { storeDeadline: "250ms" };

    for (const [name, operation, ask] of asks) {
      test(`[G7] the store ${kind} in ${operation}: ${name} is 503 with Retry-After and no cookie`, async () => {
        const world = await open({ options, routes: [choose] });
        const client = world.client();
        breakStore(world, operation, trouble);
        const began = performance.now();
        await expectRefusal(world, ask(client));
        expect(performance.now() - began).toBeLessThan(2 * SECOND);
        world.probe.around = (_name, call) => call();
        expect((await client.get("/me")).body).toMatchObject({ principal: null, data: {} });
      });
    }

    for (const [name, operation, ask] of loggedInAsks) {
      test(`[G7] the store ${kind} in ${operation}: ${name} is 503, and the session is as it was`, async () => {
        const world = await open({ options, routes: [choose] });
        const client = await world.loggedIn("ada");
        world.clock.advance(2 * MINUTE);
        breakStore(world, operation, trouble);
        const began = performance.now();
        await expectRefusal(world, ask(client));
        expect(performance.now() - began).toBeLessThan(2 * SECOND);
        world.probe.around = (_name, call) => call();
        expect((await client.get("/me")).body).toMatchObject({ principal: "ada", data: {} });
      });
    }
  }

  test("[A-27] health tells a store that answers from one that does not, and makes no session", async () => {
    const world = await open();
    await world.loggedIn("ada");
    const up = await world.sessions.health();
    expect(up).toMatchObject({ status: "up" });
    breakStore(world, "read", fail);
    expect(await world.sessions.health()).toMatchObject({
      status: "down",
      code: "SOJOURN_STORE_UNAVAILABLE",
    });
    world.probe.around = (_name, call) => call();
    expect((await world.sessions.count()).active).toBe(1);
    const hanging = await open({ options: { storeDeadline: "250ms" } });
    breakStore(hanging, "read", hang);
    expect(await hanging.sessions.health()).toMatchObject({
      status: "down",
      code: "SOJOURN_STORE_TIMEOUT",
    });
  });
});
