/** F-09: data that changes while or after the answer leaves is committed, and nothing hangs. */
import { once } from "node:events";
import http from "node:http";
import { Readable } from "node:stream";
import { memoryStore, sessionPlugin, type SessionEvents } from "@sojourn/fastify";
import fastify, { type FastifyInstance } from "fastify";
import { expect, test } from "vitest";
import { appWith, closing, exchange, Gate, listen, SECRET, watched } from "./harness.ts";

/** Logs in and returns the cookie. */
async function loggedIn(port: number): Promise<string> {
  return (await exchange(port, "/login/ann", { method: "POST" })).cookie;
}

/** Resolves at the next event of that name. */
function next(app: FastifyInstance, name: keyof SessionEvents): Promise<unknown> {
  return new Promise((resolve) => app.sessions.on(name, resolve));
}

test("a stream whose source changes the session after the headers left is committed", async () => {
  const app = await appWith();
  app.get("/stream", (request) =>
    Readable.from(
      (async function* () {
        yield "first";
        request.session.n = 7;
        yield "last";
      })(),
    ),
  );
  const port = await listen(app);
  const cookie = await loggedIn(port);
  const committed = next(app, "committed");
  expect((await exchange(port, "/stream", { cookie })).body).toBe("firstlast");
  await committed;
  expect((await exchange(port, "/n", { cookie })).body).toBe('{"n":7,"who":"ann"}');
});

test("a session that begins after the headers left is committed, its missing cookie is an event", async () => {
  const app = await appWith();
  app.get("/stream", (request) =>
    Readable.from(
      (async function* () {
        yield "first";
        request.session.n = 7;
        yield "last";
      })(),
    ),
  );
  const port = await listen(app);
  const unsent = next(app, "cookie-unsent");
  const answer = await exchange(port, "/stream");
  expect(answer.headers).not.toHaveProperty("set-cookie");
  expect(await unsent).toMatchObject({ reason: "headers-sent" });
});

test("save() before streaming is what gives the browser its cookie", async () => {
  const app = await appWith();
  app.get("/stream", async (request) => {
    request.session.n = 7;
    await request.session.save();
    return Readable.from(["body"]);
  });
  const port = await listen(app);
  const { cookie } = await exchange(port, "/stream");
  expect((await exchange(port, "/n", { cookie })).body).toContain('"n":7');
});

test("server-sent events over a hijacked reply: changes are committed when it ends", async () => {
  const app = await appWith();
  app.get("/events", (request, reply) => {
    reply.hijack();
    reply.raw.writeHead(200, { "content-type": "text/event-stream" });
    reply.raw.write("data: 1\n\n");
    request.session.n = 8;
    reply.raw.end("data: 2\n\n");
  });
  const port = await listen(app);
  const cookie = await loggedIn(port);
  const committed = next(app, "committed");
  expect((await exchange(port, "/events", { cookie })).body).toBe("data: 1\n\ndata: 2\n\n");
  await committed;
  expect((await exchange(port, "/n", { cookie })).body).toContain('"n":8');
});

test("a client that leaves a hijacked stream: changes until then are committed", async () => {
  const app = await appWith();
  app.get("/events", (request, reply) => {
    reply.hijack();
    reply.raw.writeHead(200, { "content-type": "text/event-stream" });
    reply.raw.write("data: 1\n\n");
    request.session.n = 9;
  });
  const port = await listen(app);
  const cookie = await loggedIn(port);
  const committed = next(app, "committed");
  const request = http.get({ port, host: "127.0.0.1", path: "/events", headers: { cookie } });
  const [response] = (await once(request, "response")) as [http.IncomingMessage];
  response.destroy();
  await committed;
  expect((await exchange(port, "/n", { cookie })).body).toContain('"n":9');
});

test("raw writes without hijack are committed", async () => {
  const app = await appWith();
  app.get("/raw", async (request, reply) => {
    request.session.n = 3;
    reply.raw.end("raw");
    return reply;
  });
  const port = await listen(app);
  const cookie = await loggedIn(port);
  const committed = next(app, "committed");
  expect((await exchange(port, "/raw", { cookie })).body).toBe("raw");
  await committed;
  expect((await exchange(port, "/n", { cookie })).body).toContain('"n":3');
});

test("headers written raw before a stream: the missing cookie is an event, the data is committed", async () => {
  const app = await appWith();
  app.get("/raw", async (request, reply) => {
    reply.raw.writeHead(200);
    reply.raw.write("head ");
    request.session.n = 5;
    return reply.send(Readable.from(["body"]));
  });
  const port = await listen(app);
  const unsent = next(app, "cookie-unsent");
  expect((await exchange(port, "/raw")).body).toBe("head body");
  expect(await unsent).toMatchObject({ reason: "headers-sent" });
  expect(await app.sessions.count()).toMatchObject({ active: 1 });
});

test("a client that gives up on a handler which never answers: changes until then are committed", async () => {
  const app = await appWith();
  const working = new Gate();
  app.get("/never", async (request) => {
    request.session.n = 6;
    working.open();
    await new Promise(() => {});
  });
  const port = await listen(app);
  const cookie = await loggedIn(port);
  const committed = next(app, "committed");
  const request = http.get({ port, host: "127.0.0.1", path: "/never", headers: { cookie } });
  request.on("error", () => {});
  await working.opened;
  request.destroy();
  await committed;
  expect((await exchange(port, "/n", { cookie })).body).toContain('"n":6');
});

test("a not-found handler outside the session's scope: the data is committed all the same", async () => {
  const app = closing(fastify());
  const store = memoryStore();
  await app.register(async (child) => {
    await child.register(sessionPlugin, { secret: SECRET, store });
    child.get("/gone", (request, reply) => {
      request.session.n = 1;
      reply.callNotFound();
    });
  });
  const port = await listen(app);
  expect((await exchange(port, "/gone")).status).toBe(404);
  await expect.poll(async () => (await store.count("session")).active).toBe(1);
});

test("a client that gives up while the handler works: the handler's changes are committed", async () => {
  const app = await appWith();
  const working = new Gate();
  const proceed = new Gate();
  app.get("/slow", async (request, reply) => {
    working.open();
    await proceed.opened;
    request.session.n = 4;
    return reply.send("nobody reads this");
  });
  const port = await listen(app);
  const cookie = await loggedIn(port);
  const committed = next(app, "committed");
  const request = http.get({ port, host: "127.0.0.1", path: "/slow", headers: { cookie } });
  request.on("error", () => {});
  await working.opened;
  request.destroy();
  proceed.open();
  await committed;
  expect((await exchange(port, "/n", { cookie })).body).toContain('"n":4');
});

test("a commit after the answer that fails is an error in the request's log, and no crash", async () => {
  const logged = new Gate();
  const lines: string[] = [];
  const stream = {
    write: (line: string) => {
      lines.push(line);
      if (line.includes("are lost")) logged.open();
    },
  };
  let isDown = false;
  const store = watched((operation) => {
    if (isDown && operation === "update") throw new Error("disk on fire");
  });
  const app = closing(fastify({ logger: { level: "error", stream } }));
  await app.register(sessionPlugin, { secret: SECRET, store });
  app.get("/in", async (request) => request.session.login("ann"));
  app.get("/events", (request, reply) => {
    reply.hijack();
    reply.raw.write("data: 1\n\n");
    request.session.n = 8;
    isDown = true;
    reply.raw.end();
  });
  const port = await listen(app);
  const { cookie } = await exchange(port, "/in");
  expect((await exchange(port, "/events", { cookie })).status).toBe(200);
  await logged.opened;
  expect(lines.join("")).toContain("disk on fire");
});

test("an answer without a session change costs one read and no write, before or after it", async () => {
  const operations: string[] = [];
  const app = await appWith({ store: watched((operation) => operations.push(operation)) });
  const port = await listen(app);
  const cookie = await loggedIn(port);
  operations.length = 0;
  for (let i = 0; i < 3; i++) await exchange(port, "/n", { cookie });
  expect(operations).toEqual(["read", "read", "read"]);
});
