/** A store that fails or hangs: an error answer within the deadline, and nothing of the original. */
import { Readable } from "node:stream";
import type { Store } from "@sojourn/core";
import { loginCookie } from "@sojourn/core/testing";
import type { FastifyInstance } from "fastify";
import { describe, expect, test } from "vitest";
import { failingKey } from "../../../test/support/failing-key.ts";
import { appWith, watched } from "./harness.ts";

/** An application with a logged-in cookie and a store that misbehaves from `fail` on. */
async function failing(how: () => unknown, ...broken: (keyof Store)[]) {
  let isDown = false;
  const store = watched((operation) => (isDown && broken.includes(operation) ? how() : undefined));
  const app = await appWith({ store, storeDeadline: "50ms" });
  const headers = { cookie: await loginCookie(app.sessions, "ann") };
  return { app, headers, fail: (now = true) => (isDown = now) };
}

const DOWN = () => {
  throw new Error("ECONNREFUSED");
};
const HANGS = () => new Promise(() => {});

/** What must not be in an answer that was taken back. */
function expectNothingOfTheOriginal(answer: Awaited<ReturnType<FastifyInstance["inject"]>>): void {
  expect(answer.statusCode).toBe(503);
  expect(answer.headers["retry-after"]).toBe("2");
  expect(answer.body).not.toContain("original");
  expect(answer.headers["content-type"]).toMatch(/^application\/json/);
  for (const name of [
    "set-cookie",
    "etag",
    "content-encoding",
    "location",
    "content-disposition",
  ]) {
    expect(answer.headers).not.toHaveProperty(name);
  }
  expect(answer.headers["cache-control"] ?? "").not.toContain("public");
}

describe("loading fails", () => {
  test.each([
    ["refuses", DOWN, "SOJOURN_STORE_UNAVAILABLE"],
    ["hangs", HANGS, "SOJOURN_STORE_TIMEOUT"],
  ])(
    "a store that %s is 503 with Retry-After, and the handler does not run",
    async (_how, how, code) => {
      const { app, headers, fail } = await failing(how, "read");
      let ran = 0;
      app.get("/handler", () => {
        ran++;
        return "original";
      });
      fail();
      const answer = await app.inject({ url: "/handler", headers });
      expectNothingOfTheOriginal(answer);
      expect(answer.json()).toMatchObject({ code });
      expect(ran).toBe(0);
    },
  );

  test.each([undefined, null, "", 0, false])("%j thrown is an error too", async (nothing) => {
    const { key, fail } = failingKey();
    const app = await appWith({ secret: [key] });
    app.get("/handler", () => "original");
    const headers = { cookie: await loginCookie(app.sessions, "ann") };
    expect((await app.inject({ url: "/handler", headers })).statusCode).toBe(200);
    fail(nothing);
    expect((await app.inject({ url: "/handler", headers })).statusCode).toBe(500);
  });

  test("an error handler that reads request.session gets the store's error again", async () => {
    const { app, headers, fail } = await failing(DOWN, "read");
    app.setErrorHandler((_error, request, reply) =>
      reply.code(500).send({ who: request.session.principal }),
    );
    app.get("/handler", () => "original");
    fail();
    const answer = await app.inject({ url: "/handler", headers });
    expect(answer.statusCode).toBe(503);
    expect(answer.json()).toMatchObject({ code: "SOJOURN_STORE_UNAVAILABLE" });
  });

  test("a request without a cookie needs no store", async () => {
    const { app, fail } = await failing(DOWN, "read");
    fail();
    expect((await app.inject("/n")).statusCode).toBe(200);
  });
});

describe("the commit fails", () => {
  test.each([
    ["refuses", DOWN],
    ["hangs", HANGS],
  ])("a store that %s is 503 instead of the answer", async (_how, how) => {
    const { app, headers, fail } = await failing(how, "update");
    app.get("/write", (request, reply) => {
      request.session.n = 1;
      fail();
      reply.headers({
        etag: '"original"',
        "content-encoding": "identity",
        "cache-control": "public, max-age=60",
        "content-disposition": "attachment",
        location: "/original",
      });
      return reply.code(201).send({ original: true });
    });
    expectNothingOfTheOriginal(await app.inject({ url: "/write", headers }));
  });

  test("a first session that cannot be created sets no cookie", async () => {
    const { app, fail } = await failing(DOWN, "create");
    app.get("/write", (request) => {
      request.session.n = 1;
      fail();
      return "original";
    });
    expectNothingOfTheOriginal(await app.inject("/write"));
  });

  test("a redirect is taken back", async () => {
    const { app, headers, fail } = await failing(DOWN, "update");
    app.get("/write", (request, reply) => {
      request.session.n = 1;
      fail();
      return reply.redirect("/original");
    });
    expectNothingOfTheOriginal(await app.inject({ url: "/write", headers }));
  });

  test.each(["stream", "web stream", "web Response"])(
    "the source of a %s is let go",
    async (kind) => {
      const { app, headers, fail } = await failing(DOWN, "update");
      let isReleased = false;
      const cancel = () => {
        isReleased = true;
      };
      const destroy = (_error: unknown, callback: (error: Error) => void) => {
        cancel();
        callback(new Error("the source fails while it is let go"));
      };
      const node = new Readable({ read: () => {}, destroy });
      const web = new ReadableStream({ cancel });
      app.get("/write", (request) => {
        request.session.n = 1;
        fail();
        if (kind === "stream") return node;
        return kind === "web stream" ? web : new Response(web);
      });
      expectNothingOfTheOriginal(await app.inject({ url: "/write", headers }));
      expect(isReleased).toBe(true);
    },
  );

  test("the application's error handler answers, once, and can read the session", async () => {
    const { app, headers, fail } = await failing(DOWN, "update");
    const seen: unknown[] = [];
    app.setErrorHandler((error, request, reply) => {
      seen.push(error);
      return reply.type("text/html").send(`<p>sorry, ${String(request.session.principal)}</p>`);
    });
    app.get("/write", (request) => {
      request.session.n = 1;
      fail();
      return "original";
    });
    const answer = await app.inject({ url: "/write", headers });
    expect(answer.statusCode).toBe(503);
    expect(answer.headers["retry-after"]).toBe("2");
    expect(answer.body).toBe("<p>sorry, ann</p>");
    expect(seen).toEqual([expect.objectContaining({ code: "SOJOURN_STORE_UNAVAILABLE" })]);
  });

  test("what was refused is not written later", async () => {
    let attempts = 0;
    const refuse = () => {
      attempts++;
      DOWN();
    };
    const { app, headers, fail } = await failing(refuse, "update");
    app.get("/write", (request) => {
      request.session.n = 1;
      fail();
      return "original";
    });
    expectNothingOfTheOriginal(await app.inject({ url: "/write", headers }));
    fail(false);
    expect((await app.inject({ url: "/n", headers })).json()).toMatchObject({ n: null });
    expect(attempts).toBe(1);
  });

  test("unserialisable data is 500 with the path, and nothing of the answer", async () => {
    const app = await appWith();
    app.get("/write", (request, reply) => {
      request.session.set("bad", { when: 1n });
      return reply.send("original");
    });
    const answer = await app.inject("/write");
    expect(answer.statusCode).toBe(500);
    expect(answer.json()).toMatchObject({
      code: "SOJOURN_DATA_UNSERIALISABLE",
      message: expect.stringContaining("session.bad.when") as string,
    });
    expect(answer.headers).not.toHaveProperty("set-cookie");
  });
});
