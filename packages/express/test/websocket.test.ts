/** [F-10] WebSockets of a plain Node server beside Express: the session of the upgrade, and its end. */
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import {
  memoryStore,
  sessionMiddleware,
  type Session,
  type SessionMiddleware,
} from "../src/index.ts";
import type { ExpressSessionOptions } from "../src/index.ts";
import type { Store } from "@sojourn/core/store";
import express from "express";
import { describe, expect, onTestFinished, test } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { BEST_OF_FIVE, bus, connect, refusal } from "../../../test/support/sockets.ts";

const SECRET = "a secret of the tests that is long enough, 48 chars";

interface App {
  readonly port: number;
  readonly middleware: SessionMiddleware;
  /** The `Cookie` header of a fresh login. */
  login(user: string): Promise<string>;
  post(path: string, cookie: string): Promise<Response>;
}

async function listen(server: http.Server): Promise<number> {
  server.listen(0);
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Says who it is, echoes into the session, and closes with the session. */
function talk(socket: WebSocket, session: Session, { sessions }: SessionMiddleware): void {
  const stop = sessions.watch(session.handle ?? "", ({ why }) => socket.close(4401, why));
  socket.on("close", stop);
  socket.on("message", (data) => {
    session.set("said", (data as Buffer).toString());
    void session.save().then(
      () => socket.send("saved"),
      ({ code }: { code: string }) => socket.send(code),
    );
  });
  socket.send(`hello ${session.principal} ${String(session.get("n"))}`);
}

async function app(options: ExpressSessionOptions): Promise<App> {
  const middleware = sessionMiddleware({ secret: SECRET, logger: false, ...options });
  const web = express();
  web.use(middleware);
  web.post("/login/:user", async (req, res) => {
    req.session.set("n", 7);
    await req.session.login(req.params.user);
    res.end();
  });
  web.post("/logout", async (req, res) => {
    await req.session.logout();
    res.end();
  });
  const server = http.createServer(web);
  const sockets = new WebSocketServer({ noServer: true });
  server.on("upgrade", (request, socket, head) => {
    const refuse = (status: string): void => void socket.end(`HTTP/1.1 ${status}\r\n\r\n`);
    middleware.sessions.fromUpgrade(request).then(
      (session) => {
        if (session.principal === null) return refuse("401 Unauthorized");
        sockets.handleUpgrade(request, socket, head, (open) => talk(open, session, middleware));
      },
      () => refuse("503 Service Unavailable"),
    );
  });
  const port = await listen(server);
  const post = (path: string, cookie = ""): Promise<Response> =>
    fetch(`http://localhost:${port}${path}`, { method: "POST", headers: { cookie } });
  return {
    port,
    middleware,
    post,
    async login(user) {
      const response = await post(`/login/${user}`);
      return (response.headers.getSetCookie()[0] ?? "").split(";")[0] ?? "";
    },
  };
}

const urlOf = ({ port }: Pick<App, "port">): string => `ws://localhost:${port}/`;

/** Two applications on one store. */
async function pair(): Promise<[App, App]> {
  const store: Store = { ...memoryStore(), signals: bus() };
  return [await app({ store }), await app({ store })];
}

const ENDINGS: [
  name: string,
  why: string,
  end: (where: App, cookie: string) => Promise<unknown>,
][] = [
  ["logout", "logout", (where, cookie) => where.post("/logout", cookie)],
  ["revokeAll", "revoked", ({ middleware }) => middleware.sessions.revokeAll("ada")],
  ["revokeEveryone", "revoked", ({ middleware }) => middleware.sessions.revokeEveryone()],
  [
    "revoke by handle",
    "revoked",
    async ({ middleware: { sessions } }) => {
      for (const { handle } of (await sessions.list("ada")).items) await sessions.revoke(handle);
    },
  ],
  ["a login over it", "rotated", (where, cookie) => where.post("/login/bob", cookie)],
  [
    "eviction",
    "evicted",
    ({ middleware }) => middleware.sessions.create({ principal: "ada", max: 1 }),
  ],
];

describe("[F-10] a WebSocket beside Express", () => {
  test("has the session of its upgrade: principal and data; what it saves is seen by requests", async () => {
    const one = await app({});
    const cookie = await one.login("ada");
    const { heard, socket } = await connect(urlOf(one), cookie);
    expect(heard).toEqual(["hello ada 7"]);
    socket.send("something");
    await once(socket, "message");
    expect(heard[1]).toBe("saved");
    const { items } = await one.middleware.sessions.list("ada");
    expect(items[0]?.data).toEqual({ n: 7, said: "something" });
  });

  test("is refused without a session, with a forged and with an ended one", async () => {
    const one = await app({});
    const cookie = await one.login("ada");
    expect((await refusal(urlOf(one), "")).statusCode).toBe(401);
    expect((await refusal(urlOf(one), `${cookie.slice(0, -2)}xx`)).statusCode).toBe(401);
    await one.post("/logout", cookie);
    expect((await refusal(urlOf(one), cookie)).statusCode).toBe(401);
  });

  test.each(ENDINGS)("closes within 100 ms of %s", BEST_OF_FIVE, async (_, why, end) => {
    const one = await app({});
    const cookie = await one.login("ada");
    const { closed } = await connect(urlOf(one), cookie);
    await end(one, cookie);
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
      const cookie = await one.login("ada");
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
    const [ada, bob] = [await one.login("ada"), await one.login("bob")];
    const [hers, his] = [await connect(urlOf(two), ada), await connect(urlOf(two), bob)];
    await one.middleware.sessions.revokeAll("bob");
    expect((await his.closed).reason).toBe("revoked");
    hers.socket.send("still here");
    await once(hers.socket, "message");
    expect(hers.heard[1]).toBe("saved");
  });
});

describe("[F-10] the middleware itself on an upgrade, as with express-session", () => {
  test("sessionMiddleware(request, {}, next) gives the request its session", async () => {
    const middleware = sessionMiddleware({ secret: SECRET, logger: false });
    const { setCookie } = await middleware.sessions.create({ principal: "ada", data: { n: 7 } });
    const server = http.createServer();
    const sockets = new WebSocketServer({ noServer: true });
    server.on("upgrade", (request, socket, head) => {
      middleware(request, {} as http.ServerResponse, (error) => {
        const { session } = request as typeof request & { session: Session };
        if (error !== undefined || session.principal === null) return void socket.destroy();
        sockets.handleUpgrade(request, socket, head, (open) => talk(open, session, middleware));
      });
    });
    const port = await listen(server);
    const cookie = setCookie.split(";")[0] ?? "";
    const { heard, socket, closed } = await connect(urlOf({ port }), cookie);
    expect(heard).toEqual(["hello ada 7"]);
    socket.send("something");
    await once(socket, "message");
    expect(heard[1]).toBe("saved");
    await middleware.sessions.revokeAll("ada");
    expect((await closed).code).toBe(4401);
  });
});
