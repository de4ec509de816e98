import http from "node:http";
import { Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { failingKey } from "../../../test/support/failing-key.ts";
import { expresses, frameworks, handler } from "./support/apps.ts";
import { cookieOf } from "./support/client.ts";
import { tested } from "./support/sessions.ts";
import { withResolvers } from "./support/stores.ts";

describe.each(frameworks)("$name", ({ version, serve }) => {
  test("a redirect after login reaches the browser only when the login is committed", async () => {
    const sessions = tested();
    const app = await serve(
      sessions.step,
      handler((req, res) => {
        req.session.set("user", "ada");
        res.writeHead(303, { Location: "/home" });
        res.end();
      }),
    );
    const gate = sessions.hold();
    const exchange = app.open({ method: "POST" });
    await gate.reached;
    await app.settled();
    expect(exchange.arrived()).toBe(false);
    gate.release();
    expect(await exchange.answer).toMatchObject({ status: 303, headers: { location: "/home" } });
  });

  test("a commit that fails is a 503 with Retry-After, without a word of the answer", async () => {
    const sessions = tested();
    sessions.refuse("writes");
    const callbacks: unknown[] = [];
    const app = await serve(
      sessions.step,
      handler((req, res) => {
        req.session.set("user", "ada");
        if (version === 1) res.statusMessage = "Fine";
        res.writeHead(200, {
          "Content-Type": "application/json",
          "Content-Length": "99",
          "Content-Security-Policy": "default-src 'self'",
          "Cache-Control": "public, max-age=99",
          "Last-Modified": "x",
          Location: "/secret",
          ETag: '"1"',
          "X-Request-Id": "7",
        });
        res.write("payload", (error) => callbacks.push(error?.message));
        res.end("secret payload", () => callbacks.push("end"));
      }),
    );
    const answer = await app.ask();
    expect(answer.status).toBe(503);
    expect(answer.message).toBe(version === 1 ? "Service Unavailable" : undefined);
    expect(answer.text).not.toContain("payload");
    expect(answer.headers).toMatchObject({ "retry-after": "2", "x-request-id": "7" });
    expect(Object.keys(answer.headers)).not.toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^(etag|location|last-modified|cache-control)$/),
      ]),
    );
    expect(answer.headers["content-type"]).not.toBe("application/json");
    expect(answer.headers["content-length"]).not.toBe("99");
    expect(answer.headers["content-security-policy"]).toBeDefined();
    expect(answer.cookies).toEqual([]);
    await app.settled();
    expect(callbacks).toEqual([expect.stringContaining("SOJOURN_STORE_UNAVAILABLE"), "end"]);
    expect(app.errors).toHaveLength(1);
    expect(sessions.calls.filter((call) => call === "create")).toHaveLength(1);
  });

  test("a store that hangs on writing is a 503 within its deadline", async () => {
    const sessions = tested({ storeDeadline: "50ms" });
    sessions.hold();
    const app = await serve(
      sessions.step,
      handler((req, res) => {
        req.session.set("user", "ada");
        res.end("payload");
      }),
    );
    const startedAt = performance.now();
    const answer = await app.ask();
    expect(answer).toMatchObject({ status: 503, headers: { "retry-after": "2" } });
    expect(performance.now() - startedAt).toBeLessThan(1000);
    expect(app.errors).toMatchObject([{ code: "SOJOURN_STORE_TIMEOUT" }]);
  });

  test.each([undefined, null, "", 0, false])("%j thrown is an error too", async (nothing) => {
    const { key, fail } = failingKey();
    const sessions = tested({ secret: [key] });
    const app = await serve(
      sessions.step,
      handler((req, res) => {
        req.session.set("user", "ada");
        res.end("x");
      }),
    );
    const cookie = cookieOf(await app.ask());
    expect((await app.ask({ cookie })).status).toBe(200);
    fail(nothing);
    expect((await app.ask({ cookie })).status).toBe(500);
  });

  test("a store that fails on reading is a 503 before the handler runs", async () => {
    const sessions = tested();
    let ran = 0;
    const app = await serve(
      sessions.step,
      handler((req, res) => {
        ran += 1;
        req.session.set("user", "ada");
        res.end("x");
      }),
    );
    const cookie = cookieOf(await app.ask());
    sessions.refuse("reads");
    expect(await app.ask({ cookie })).toMatchObject({
      status: 503,
      headers: { "retry-after": "2" },
    });
    expect(ran).toBe(1);
  });

  test.each(["when its write calls back", "when the answer is over"])(
    "a handler that goes on writing behind the error answer, %s, crashes nobody",
    async (when) => {
      const sessions = tested();
      const goOn = withResolvers();
      const late: unknown[] = [];
      sessions.refuse("writes");
      const app = await serve(
        sessions.step,
        handler(async (req, res) => {
          req.session.set("user", "ada");
          res.write("first", () => {
            if (when === "when its write calls back") goOn.resolve();
          });
          await goOn.promise;
          late.push(
            res.writableEnded,
            res.write("second", () => late.push("called back")),
            res.end("third") === res,
          );
          await new Promise((resolve) => setImmediate(resolve));
          late.push("alive");
        }),
      );
      const answer = await app.ask();
      expect(answer.status).toBe(503);
      expect(answer.text).not.toMatch(/first|second|third/);
      if (when === "when the answer is over") goOn.resolve();
      while (late.at(-1) !== "alive") await app.settled();
      expect(late).toEqual([true, false, true, "called back", "alive"]);
    },
  );

  test("a handler that goes on writing before the error answer: never a success", async () => {
    const sessions = tested();
    sessions.refuse("writes");
    const app = await serve(
      sessions.step,
      handler(async (req, res) => {
        req.session.set("user", "ada");
        res.write("first");
        for (let ticks = 0; ticks < 1000 && app.errors.length === 0; ticks++)
          await Promise.resolve();
        res.end("second");
      }),
    );
    const status = await app.ask().then(
      (answer) => answer.status,
      () => "cut",
    );
    expect(["cut", 503]).toContain(status);
    expect(app.errors).toMatchObject([{ code: "SOJOURN_STORE_UNAVAILABLE" }]);
  });

  test("an unserialisable value is a 500 instead of the answer, and the server lives on", async () => {
    const sessions = tested();
    const app = await serve(
      sessions.step,
      handler((req, res) => {
        if (req.url === "/bad") req.session.set("list", [1n]);
        res.end("payload");
      }),
    );
    const answer = await app.ask({ path: "/bad" });
    expect(answer.status).toBe(500);
    expect(answer.text).not.toContain("payload");
    expect((await app.ask()).status).toBe(200);
  });
});

describe.each(expresses)("$name", ({ serve }) => {
  test("a handler that answers and then throws: the answer arrives, then the connection ends", async () => {
    const sessions = tested();
    const gate = sessions.hold();
    const app = await serve(
      sessions.step,
      handler((req, res) => {
        req.session.set("user", "ada");
        res.end("the answer");
        throw new Error("too late");
      }),
    );
    const agent = new http.Agent({ keepAlive: true });
    const closed = withResolvers();
    app.server.once("connection", (socket) => socket.once("close", closed.resolve));
    const exchange = app.open({ agent });
    await gate.reached;
    await app.settled();
    expect(app.errors).toMatchObject([{ message: "too late" }]);
    gate.release();
    const answer = await exchange.answer;
    expect(answer).toMatchObject({ status: 200, text: "the answer" });
    expect(cookieOf(answer)).toBeDefined();
    await closed.promise;
    agent.destroy();
  });

  test("a handler that answers and throws while the commit fails: the 503 arrives", async () => {
    const sessions = tested({ storeDeadline: "50ms" });
    sessions.hold();
    const app = await serve(
      sessions.step,
      handler((req, res) => {
        req.session.set("user", "ada");
        res.end("the answer");
        throw new Error("too late");
      }),
    );
    expect(await app.ask()).toMatchObject({ status: 503, headers: { "retry-after": "2" } });
  });

  test("the application's own error handler answers a failed commit", async () => {
    const sessions = tested();
    sessions.refuse("writes");
    const app = await serve(
      sessions.step,
      handler((req, res) => {
        req.session.set("user", "ada");
        res.end("payload");
      }),
      ((
        error: { code: string },
        _req: unknown,
        res: import("node:http").ServerResponse,
        _next: unknown,
      ) => {
        res.statusCode = 503;
        res.end(`sorry: ${error.code}`);
      }) as never,
    );
    expect(await app.ask()).toMatchObject({
      status: 503,
      text: "sorry: SOJOURN_STORE_UNAVAILABLE",
    });
  });

  test("a connection that was kept for a held answer is as before for the next", async () => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const sessions = tested();
    const guarded: boolean[] = [];
    const app = await serve(
      sessions.step,
      handler((req, res) => {
        guarded.push(Reflect.get(req.socket, "destroy") !== Socket.prototype.destroy);
        req.session.set("user", "ada");
        res.end("x");
      }),
    );
    const gate = sessions.hold();
    const first = app.open({ agent });
    await gate.reached;
    await app.settled();
    gate.release();
    await first.answer;
    await app.ask({ agent });
    agent.destroy();
    expect(guarded).toEqual([false, false]);
  });
});
