/** [F-10] WebSockets of @fastify/websocket: the session of the upgrade, and its end. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import websocket from "@fastify/websocket";
import { memoryStore, sessionPlugin, type SessionPluginOptions } from "@sojourn/fastify";
import type { Store } from "@sojourn/core/store";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { describe, expect, test } from "vitest";
import { BEST_OF_FIVE, bus, connect, refusal } from "../../../test/support/sockets.ts";
import { closing, SECRET } from "./harness.ts";

async function app(options: Partial<SessionPluginOptions> = {}): Promise<FastifyInstance> {
  const server = closing(fastify());
  await server.register(sessionPlugin, { secret: SECRET, logger: false, ...options });
  await server.register(websocket);
  server.post<{ Params: { user: string } }>("/login/:user", async (request) => {
    request.session.n = 7;
    await request.session.login(request.params.user);
    return {};
  });
  server.post("/logout", async (request) => {
    await request.session.logout();
    return {};
  });
  const requireLogin = async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> =>
    request.session.principal === null ? reply.code(401).send() : undefined;
  server.get("/live", { websocket: true, preValidation: requireLogin }, (socket, { session }) => {
    const stop = server.sessions.watch(session.handle ?? "", ({ why }) => socket.close(4401, why));
    socket.on("close", stop);
    socket.on("message", (data: Buffer) => {
      session.set("cart", [data.toString()]);
      if (data.toString() === "unsaved") return socket.send("not saved");
      void session.save().then(
        () => socket.send("saved"),
        ({ code }: { code: string }) => socket.send(code),
      );
    });
    socket.send(`hello ${session.principal} ${session.n}`);
  });
  await server.listen({ port: 0 });
  return server;
}

function portOf({ server }: FastifyInstance): number {
  return (server.address() as AddressInfo).port;
}

async function login(server: FastifyInstance, user: string, cookie = ""): Promise<string> {
  const { headers } = await server.inject({
    method: "POST",
    url: `/login/${user}`,
    headers: { cookie },
  });
  return String(headers["set-cookie"]).split(";")[0] ?? "";
}

const urlOf = (server: FastifyInstance): string => `ws://localhost:${portOf(server)}/live`;

/** Two applications on one store. */
async function pair(): Promise<[FastifyInstance, FastifyInstance]> {
  const store: Store = { ...memoryStore(), signals: bus() };
  return [await app({ store }), await app({ store })];
}

type End = (where: FastifyInstance, cookie: string) => Promise<unknown>;

const ENDINGS: [name: string, why: string, end: End][] = [
  [
    "logout",
    "logout",
    (where, cookie) => where.inject({ method: "POST", url: "/logout", headers: { cookie } }),
  ],
  ["revokeAll", "revoked", ({ sessions }) => sessions.revokeAll("ada")],
  ["revokeEveryone", "revoked", ({ sessions }) => sessions.revokeEveryone()],
  [
    "revoke by handle",
    "revoked",
    async ({ sessions }) => {
      for (const { handle } of (await sessions.list("ada")).items) await sessions.revoke(handle);
    },
  ],
  ["a login over it", "rotated", (where, cookie) => login(where, "bob", cookie)],
  ["eviction", "evicted", ({ sessions }) => sessions.create({ principal: "ada", max: 1 })],
];

describe("[F-10] a WebSocket of Fastify", () => {
  test("has the session of its upgrade: principal and data; what it saves is seen by requests", async () => {
    const server = await app();
    const cookie = await login(server, "ada");
    const { heard, socket, closed } = await connect(urlOf(server), cookie);
    expect(heard).toEqual(["hello ada 7"]);
    socket.send("tea");
    await once(socket, "message");
    expect(heard[1]).toBe("saved");
    socket.close();
    await closed;
    const { items } = await server.sessions.list("ada");
    expect(items[0]?.data).toEqual({ n: 7, cart: ["tea"] });
  });

  test("is refused without a session, with a forged and with an ended one, as any request is", async () => {
    const server = await app();
    const cookie = await login(server, "ada");
    expect((await refusal(urlOf(server), "")).statusCode).toBe(401);
    expect((await refusal(urlOf(server), `${cookie.slice(0, -2)}xx`)).statusCode).toBe(401);
    await server.sessions.revokeAll("ada");
    const response = await refusal(urlOf(server), cookie);
    expect(response.statusCode).toBe(401);
    expect(String(response.headers["set-cookie"])).toMatch(/Max-Age=0|Expires=/);
  });

  test.each(ENDINGS)("closes within 100 ms of %s", BEST_OF_FIVE, async (_, why, end) => {
    const server = await app();
    const cookie = await login(server, "ada");
    const { closed } = await connect(urlOf(server), cookie);
    await end(server, cookie);
    const ended = performance.now();
    const { code, reason, at } = await closed;
    expect({ code, reason }).toEqual({ code: 4401, reason: why });
    expect(at - ended).toBeLessThan(100);
  });

  test.each(ENDINGS)(
    "closes within 100 ms of %s in another process",
    BEST_OF_FIVE,
    async (_, why, end) => {
      const [one, two] = await pair();
      const cookie = await login(one, "ada");
      const [here, there] = [await connect(urlOf(one), cookie), await connect(urlOf(two), cookie)];
      await end(two, cookie);
      const ended = performance.now();
      for (const { closed } of [here, there]) {
        const { reason, at } = await closed;
        expect(reason).toBe(why);
        expect(at - ended).toBeLessThan(100);
      }
    },
  );

  test("stays open while others are logged out", async () => {
    const [one, two] = await pair();
    const [ada, bob] = [await login(one, "ada"), await login(one, "bob")];
    const [hers, his] = [await connect(urlOf(two), ada), await connect(urlOf(two), bob)];
    await one.sessions.revokeAll("bob");
    expect((await his.closed).reason).toBe("revoked");
    hers.socket.send("still here");
    await once(hers.socket, "message");
    expect(hers.heard[1]).toBe("saved");
  });

  test("what a handler changes and does not save is written when the socket closes", async () => {
    const server = await app();
    const cookie = await login(server, "ada");
    const { socket, closed, heard } = await connect(urlOf(server), cookie);
    socket.send("unsaved");
    await once(socket, "message");
    expect(heard[1]).toBe("not saved");
    const data = async (): Promise<unknown> => (await server.sessions.list("ada")).items[0]?.data;
    expect(await data()).toEqual({ n: 7 });
    socket.close();
    await closed;
    await expect.poll(data).toEqual({ n: 7, cart: ["unsaved"] });
  });
});
