/** The first screen of the README, and what surrounds a request: start, shutdown, manager, logger. */
import { once } from "node:events";
import { loginCookie } from "@sojourn/core/testing";
import { memoryStore, sessionPlugin } from "@sojourn/fastify";
import fastify from "fastify";
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

describe("a session on Fastify", () => {
  test("login, me and logout carry one user through", async () => {
    const app = await appWith();
    app.post("/logout", async (request) => {
      await request.session.logout();
      return { ok: true };
    });

    const login = await app.inject({ method: "POST", url: "/login/ann" });
    const cookie = cookieHeader(login.headers["set-cookie"]);
    expect(cookie).toMatch(/^sid=.+/);
    expect((await app.inject({ url: "/n", headers: { cookie } })).json()).toEqual({
      n: null,
      who: "ann",
    });

    const logout = await app.inject({ method: "POST", url: "/logout", headers: { cookie } });
    expect(logout.headers["set-cookie"]).toMatch(/^sid=;.*Max-Age=0.*Expires=Thu, 01 Jan 1970/);
    expect((await app.inject({ url: "/n", headers: { cookie } })).json()).toEqual({
      n: null,
      who: null,
    });
  });

  test("a ready-made logged-in session takes one line (F-16)", async () => {
    const app = await appWith();
    const response = await app.inject({
      url: "/n",
      headers: { cookie: await loginCookie(app.sessions, "ann") },
    });
    expect(response.json()).toEqual({ n: null, who: "ann" });
  });

  test("request.session is the new session after regenerate()", async () => {
    const app = await appWith();
    app.get("/regenerate", async (request) => {
      const before = request.session;
      before.n = 1;
      await before.regenerate();
      request.session.n = 2;
      return { same: before === request.session };
    });
    const response = await app.inject("/regenerate");
    const cookie = cookieHeader(response.headers["set-cookie"]);
    expect(response.json()).toEqual({ same: false });
    expect((await app.inject({ url: "/n", headers: { cookie } })).json()).toEqual({
      n: 2,
      who: null,
    });
  });

  test("a page that only looks at the session says so to caches, one that does not says nothing", async () => {
    const app = await appWith();
    app.get("/static", () => "same for all");
    app.get("/varied", (request, reply) => {
      reply.header("vary", "Accept-Encoding");
      return { n: request.session.n ?? null };
    });
    expect((await app.inject("/n")).headers).toMatchObject({
      vary: "Cookie",
      "cache-control": "private",
    });
    expect((await app.inject("/varied")).headers["vary"]).toBe("Accept-Encoding, Cookie");
    const untouched = await app.inject("/static");
    expect(untouched.headers).not.toHaveProperty("vary");
    expect(untouched.headers).not.toHaveProperty("cache-control");
  });
});

/** A log stream that keeps the messages. */
const logStream = (lines: string[] | undefined) => ({
  write: (line: string) => lines?.push((JSON.parse(line) as { msg: string }).msg),
});

describe("start and shutdown", () => {
  test("a store that does not open fails the registration, and ready() with it", async () => {
    const app = closing(fastify());
    const store = watched(
      (operation) => {
        if (operation === "open") throw new Error("no such disk");
      },
      { ...memoryStore(), open: async () => {} },
    );
    app.register(sessionPlugin, { secret: SECRET, store });
    await expect(app.ready()).rejects.toThrow(/no such disk/);
  });

  test("bad options fail the registration with their path", async () => {
    const app = closing(fastify());
    const options = { secret: SECRET, cookie: { sameSite: "none" as const, secure: false } };
    await expect(app.register(sessionPlugin, options)).rejects.toMatchObject({
      code: "SOJOURN_OPTIONS_INVALID",
      message: expect.stringContaining("cookie.sameSite") as string,
    });
  });

  test("close() waits for the commit of a request under way", async () => {
    const held = new Gate();
    const entered = new Gate();
    const store = watched(
      async (operation) => {
        if (operation !== "create") return;
        entered.open();
        await held.opened;
      },
      { ...memoryStore(), close: async () => {} },
    );
    const app = await appWith({ store });
    app.get("/write", (request) => {
      request.session.n = 1;
      return { ok: true };
    });
    const port = await listen(app);
    const answer = exchange(port, "/write");
    await entered.opened;
    const closed = app.close();
    held.open();
    expect((await answer).status).toBe(200);
    await closed;
    expect(await store.count("session")).toMatchObject({ active: 1 });
  });

  test("close() closes the manager", async () => {
    const app = await appWith();
    await app.inject("/n");
    await app.close();
    await expect(app.sessions.count()).rejects.toMatchObject({ code: "SOJOURN_STORE_CLOSED" });
  });

  test("events go to app.log, or to the logger given, or nowhere with logger: false", async () => {
    const seen: Record<string, string[]> = { app: [], own: [] };
    for (const own of [undefined, false, true] as const) {
      const app = closing(fastify({ logger: { level: "info", stream: logStream(seen["app"]) } }));
      const log = (_facts: object, message: string) => seen["own"]?.push(message);
      const given = { debug: log, info: log, warn: log, error: log };
      await app.register(sessionPlugin, {
        secret: SECRET,
        ...(own === undefined ? {} : { logger: own && given }),
      });
      app.get("/in", async (request) => {
        await request.session.login("ann");
        return "";
      });
      await app.inject("/in");
    }
    expect(seen["app"]?.filter((message) => message === "session login")).toHaveLength(1);
    expect(seen["own"]?.filter((message) => message === "session login")).toHaveLength(1);
  });

  test("where Fastify has no logger, warnings go to the process", async () => {
    const warned = once(process, "warning");
    const secret = process.env["SESSION_SECRET"];
    delete process.env["SESSION_SECRET"];
    onTestFinished(() => {
      if (secret !== undefined) process.env["SESSION_SECRET"] = secret;
    });
    await closing(fastify()).register(sessionPlugin);
    expect(await warned).toEqual([expect.objectContaining({ code: "SOJOURN_SECRET" })]);
  });
});
