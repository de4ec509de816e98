/** F-08: the commit and the cookie are right in every kind of response, over HTTP/1.1 and HTTP/2. */
import { once } from "node:events";
import http from "node:http";
import http2 from "node:http2";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { sessionPlugin } from "@sojourn/fastify";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  appWith,
  closing,
  cookieHeader,
  exchange,
  Gate,
  listen,
  SECRET,
  watched,
} from "./harness.ts";

type Handler = (request: FastifyRequest, reply: FastifyReply) => unknown;
interface Case {
  readonly answer: Handler;
  readonly status: number;
  readonly body?: string | RegExp;
  readonly method?: string;
}

/** Each handler runs after `request.session.n = 1`. */
const CASES: Record<string, Case> = {
  json: { answer: () => ({ ok: true }), status: 200, body: '{"ok":true}' },
  text: { answer: () => "text", status: 200, body: "text" },
  buffer: { answer: () => Buffer.from("bytes"), status: 200, body: "bytes" },
  stream: { answer: () => Readable.from(["a", "b"]), status: 200, body: "ab" },
  "web stream": { answer: () => new Blob(["web"]).stream(), status: 200, body: "web" },
  "web Response": {
    answer: () => new Response("made", { status: 201 }),
    status: 201,
    body: "made",
  },
  "reply.send": { answer: (_request, reply) => reply.send("sent"), status: 200, body: "sent" },
  "204": { answer: (_request, reply) => reply.code(204).send(), status: 204, body: "" },
  "304": {
    answer: (_request, reply) => reply.header("etag", '"1"').code(304).send(),
    status: 304,
    body: "",
  },
  redirect: { answer: (_request, reply) => reply.redirect("/elsewhere"), status: 302, body: "" },
  "HEAD by GET route": { method: "HEAD", answer: () => "text", status: 200, body: "" },
  "async throw": {
    answer: async () => Promise.reject(new Error("broke")),
    status: 500,
    body: /broke/,
  },
  "sync throw": {
    answer: () => {
      throw Object.assign(new Error("no tea"), { statusCode: 418 });
    },
    status: 418,
    body: /no tea/,
  },
  "not found by handler": {
    answer: (_request, reply) => reply.callNotFound(),
    status: 404,
    body: /not found/i,
  },
};

/** A route a case, and `/n` to see what was committed. */
async function tableApp(app: FastifyInstance): Promise<void> {
  await app.register(sessionPlugin, { secret: SECRET });
  app.get("/n", (request) => ({ n: request.session.n ?? null }));
  for (const [name, { answer }] of Object.entries(CASES)) {
    app.get(pathOf(name), (request, reply) => {
      request.session.n = 1;
      return answer(request, reply);
    });
  }
}
const pathOf = (name: string) => `/${name.replaceAll(" ", "-")}`;

describe.each(Object.entries(CASES))("%s", (name, { status, body = /.*/, method = "GET" }) => {
  test("over HTTP/1.1", async () => {
    const app = closing(fastify());
    await tableApp(app);
    const port = await listen(app);
    const answer = await exchange(port, pathOf(name), { method });
    expect(answer.status).toBe(status);
    expect(answer.body).toMatch(typeof body === "string" ? new RegExp(`^${body}$`) : body);
    expect(answer.headers).toMatchObject({ "cache-control": "no-store", vary: "Cookie" });
    expect(answer.headers["set-cookie"]).toEqual([expect.stringMatching(/^sid=/)]);
    expect((await exchange(port, "/n", { cookie: answer.cookie })).body).toBe('{"n":1}');
  });

  test("over HTTP/2", async () => {
    const app = closing(fastify({ http2: true })) as unknown as FastifyInstance;
    await tableApp(app);
    await app.listen({ port: 0, host: "127.0.0.1" });
    const client = http2.connect(`http://127.0.0.1:${(app.server.address() as AddressInfo).port}`);
    onTestFinished(() => client.close());
    const answer = await exchange2(client, { ":path": pathOf(name), ":method": method });
    expect(answer.headers[":status"]).toBe(status);
    expect(answer.body).toMatch(typeof body === "string" ? new RegExp(`^${body}$`) : body);
    expect(answer.headers).toMatchObject({ "cache-control": "no-store", vary: "Cookie" });
    const cookie = cookieHeader(answer.headers["set-cookie"]);
    expect(cookie).toMatch(/^sid=[^;]+$/);
    expect((await exchange2(client, { ":path": "/n", cookie })).body).toBe('{"n":1}');
    // RFC 9113 8.2.3: a client may split the Cookie header into crumbs
    const crumbs = { ":path": "/n", cookie: ["other=1", cookie] as unknown as string };
    expect((await exchange2(client, crumbs)).body).toBe('{"n":1}');
  });
});

async function exchange2(client: http2.ClientHttp2Session, headers: http2.OutgoingHttpHeaders) {
  const stream = client.request(headers);
  const [received] = (await once(stream, "response")) as [http2.IncomingHttpHeaders];
  let body = "";
  for await (const chunk of stream.setEncoding("utf8")) body += chunk as string;
  return { headers: received, body };
}

describe("around the answer", () => {
  test("T-HDR 103 early hints leave before the commit, the cookie comes with the final answer", async () => {
    const app = await appWith();
    app.get("/hints", async (request, reply) => {
      reply.writeEarlyHints({ link: "</style.css>; rel=preload" });
      request.session.n = 1;
      return { ok: true };
    });
    const port = await listen(app);
    const answer = await exchange(port, "/hints");
    expect(answer.hints).toEqual([{ link: "</style.css>; rel=preload" }]);
    expect(answer.cookie).toMatch(/^sid=/);
    expect((await exchange(port, "/n", { cookie: answer.cookie })).body).toContain('"n":1');
  });

  test("100 requests over one kept-alive connection count to 100", async () => {
    const app = await appWith();
    app.get("/count", async (request) => {
      request.session.n = (request.session.n ?? 0) + 1;
      return { n: request.session.n };
    });
    const port = await listen(app);
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    let { cookie, body } = await exchange(port, "/count", { agent });
    for (let request = 2; request <= 100; request++) {
      const answer = await exchange(port, "/count", { agent, cookie });
      expect(answer.headers).not.toHaveProperty("set-cookie");
      ({ body } = answer);
    }
    expect(body).toBe('{"n":100}');
  });

  test("an unknown route carries a session too", async () => {
    const app = await appWith();
    app.setNotFoundHandler(async (request, reply) => {
      request.session.n = 404;
      return reply.code(404).send("nothing here");
    });
    const answer = await app.inject("/unknown");
    expect(answer.statusCode).toBe(404);
    const cookie = cookieHeader(answer.headers["set-cookie"]);
    expect((await app.inject({ url: "/n", headers: { cookie } })).json()).toMatchObject({ n: 404 });
  });

  test("an error handler's own changes are committed, and one cookie is set", async () => {
    const app = await appWith();
    app.setErrorHandler(async (_error, request, reply) => {
      request.session.n = (request.session.n ?? 0) + 10;
      return reply.code(500).send("sorry");
    });
    app.get("/fails", async (request) => {
      request.session.n = 1;
      throw new Error("broke");
    });
    const answer = await app.inject("/fails");
    const cookie = cookieHeader(answer.headers["set-cookie"]);
    expect((await app.inject({ url: "/n", headers: { cookie } })).json()).toMatchObject({ n: 11 });
  });

  test("a later onSend hook that throws leaves the commit and exactly one cookie", async () => {
    const app = await appWith();
    app.get("/late", { onSend: async () => Promise.reject(new Error("late")) }, (request) => {
      request.session.n = 1;
      return "body";
    });
    const answer = await app.inject("/late");
    expect(answer.statusCode).toBe(500);
    expect([answer.headers["set-cookie"]].flat()).toHaveLength(1);
    const cookie = cookieHeader(answer.headers["set-cookie"]);
    expect((await app.inject({ url: "/n", headers: { cookie } })).json()).toMatchObject({ n: 1 });
  });

  test("the headers of a web Response do not open the cookie to shared caches", async () => {
    const app = await appWith();
    app.get("/cached", (request) => {
      request.session.n = 1;
      const headers = {
        "cache-control": "public, max-age=60",
        vary: "Accept",
        "set-cookie": "other=1",
      };
      return new Response("body", { headers });
    });
    const answer = await app.inject("/cached");
    expect(answer.headers).toMatchObject({ "cache-control": "no-store", vary: "Accept, Cookie" });
    expect(cookieHeader(answer.headers["set-cookie"])).toMatch(/sid=.+; other=1|other=1; sid=.+/);
    expect(answer.body).toBe("body");
  });

  test("a web Response whose body was read already is an error, not an empty page", async () => {
    const app = await appWith();
    app.get("/used", async (request) => {
      request.session.n = 1;
      const response = new Response("body");
      await response.text();
      return response;
    });
    expect((await app.inject("/used")).json()).toMatchObject({
      code: "FST_ERR_REP_RESPONSE_BODY_CONSUMED",
    });
  });

  test.each(["/in", "/saved"])(
    "the redirect of %s does not reach the browser before the commit (G7)",
    async (path) => {
      const held = new Gate();
      const writing = new Gate();
      const store = watched(async (operation) => {
        if (operation !== "create" && operation !== "replace") return;
        writing.open();
        await held.opened;
      });
      const app = await appWith({ store });
      app.get("/in", async (request, reply) => {
        request.session.n = 1;
        await request.session.login("ann");
        return reply.redirect("/n");
      });
      app.get("/saved", async (request, reply) => {
        request.session.n = 1;
        return reply.redirect("/n");
      });
      const port = await listen(app);
      const request = http.get({ port, host: "127.0.0.1", path });
      let arrived = 0;
      request.on("socket", (socket) => socket.on("data", (chunk) => (arrived += chunk.length)));
      const answered = once(request, "response");
      await writing.opened;
      await roundTrip(port);
      expect(arrived).toBe(0);
      held.open();
      const [response] = (await answered) as [http.IncomingMessage];
      expect(response.statusCode).toBe(302);
      response.resume();
      const cookie = cookieHeader(response.headers["set-cookie"]);
      expect((await exchange(port, "/n", { cookie })).body).toContain('"n":1');
    },
  );
});

/** When another request has been answered, anything that had left before it has arrived. */
async function roundTrip(port: number): Promise<void> {
  for (let i = 0; i < 3; i++) await exchange(port, "/n");
}
