/** E-08, F-11: the Set-Cookie header, its neighbours, and @fastify/cookie registered before or after. */
import cookiePlugin from "@fastify/cookie";
import { sessionPlugin, type SessionOptions } from "@sojourn/fastify";
import fastify from "fastify";
import fastifyPlugin from "fastify-plugin";
import { describe, expect, test } from "vitest";
import { appWith, closing, cookieHeader, exchange, listen, SECRET } from "./harness.ts";

/** `Set-Cookie` header values with the token cut out. */
function shapes(setCookie: string | string[] | undefined): string[] {
  return [setCookie ?? []].flat().map((line) => line.replace(/=[\w.-]{80,}/, "=<token>"));
}

describe("Set-Cookie", () => {
  const https = { "x-forwarded-proto": "https" };
  const golden: [string, SessionOptions["cookie"], Record<string, string>, string][] = [
    ["http", {}, {}, "sid=<token>; Path=/; HttpOnly; SameSite=Lax"],
    [
      "https behind a trusted proxy",
      {},
      https,
      "__Host-sid=<token>; Path=/; HttpOnly; Secure; SameSite=Lax",
    ],
    [
      "secure: auto on https",
      { secure: "auto" },
      https,
      "__Host-sid=<token>; Path=/; HttpOnly; Secure; SameSite=Lax",
    ],
    [
      "secure: true on https",
      { secure: true },
      https,
      "__Host-sid=<token>; Path=/; HttpOnly; Secure; SameSite=Lax",
    ],
    [
      "secure: false on https",
      { secure: false },
      https,
      "sid=<token>; Path=/; HttpOnly; SameSite=Lax",
    ],
    ["a name", { name: "mine" }, {}, "mine=<token>; Path=/; HttpOnly; SameSite=Lax"],
    [
      "a path",
      { path: "/app" },
      https,
      "__Secure-sid=<token>; Path=/app; HttpOnly; Secure; SameSite=Lax",
    ],
    [
      "a domain",
      { domain: "example.com" },
      https,
      "__Secure-sid=<token>; Domain=example.com; Path=/; HttpOnly; Secure; SameSite=Lax",
    ],
    [
      "persistent",
      { persistent: true },
      {},
      "sid=<token>; Max-Age=1800; Path=/; HttpOnly; SameSite=Lax",
    ],
    ["strict", { sameSite: "strict" }, {}, "sid=<token>; Path=/; HttpOnly; SameSite=Strict"],
    [
      "partitioned and priority (CHIPS)",
      { sameSite: "none", partitioned: true, priority: "high" },
      https,
      "__Host-sid=<token>; Path=/; HttpOnly; Secure; SameSite=None; Partitioned; Priority=High",
    ],
    ["scripts may read", { httpOnly: false }, {}, "sid=<token>; Path=/; SameSite=Lax"],
  ];
  test.each(golden)("%s", async (_name, cookie, headers, expected) => {
    const app = await appWith({ cookie }, { trustProxy: true });
    const answer = await app.inject({ method: "POST", url: "/login/ann", headers });
    expect(shapes(answer.headers["set-cookie"])).toEqual([expected]);
    const back = { ...headers, cookie: cookieHeader(answer.headers["set-cookie"]) };
    expect((await app.inject({ url: "/n", headers: back })).json()).toMatchObject({ who: "ann" });
  });

  test("x-forwarded-proto of a proxy that is not trusted changes nothing", async () => {
    const app = await appWith();
    const answer = await app.inject({ method: "POST", url: "/login/ann", headers: https });
    expect(shapes(answer.headers["set-cookie"])).toEqual([
      "sid=<token>; Path=/; HttpOnly; SameSite=Lax",
    ]);
  });

  test("secure: true on plain http sets none, and says so", async () => {
    const app = await appWith({ cookie: { secure: true } });
    const unsent: unknown[] = [];
    app.sessions.on("cookie-unsent", (event) => unsent.push(event));
    const answer = await app.inject({ method: "POST", url: "/login/ann" });
    expect(answer.headers).not.toHaveProperty("set-cookie");
    expect(unsent).toEqual([expect.objectContaining({ reason: "insecure-request" })]);
  });

  test("the address behind the proxy and the user agent are what the session remembers", async () => {
    const app = await appWith({}, { trustProxy: true });
    const headers = { "x-forwarded-for": "203.0.113.9", "user-agent": "test/1" };
    await app.inject({ method: "POST", url: "/login/ann", headers });
    const { items } = await app.sessions.list("ann");
    expect(items[0]?.client).toEqual({ ip: "203.0.113.9", userAgent: "test/1" });
  });
});

const login = async (app: Awaited<ReturnType<typeof appWith>>) =>
  shapes((await app.inject({ method: "POST", url: "/login/ann" })).headers["set-cookie"]);

describe("@fastify/cookie", () => {
  const OPTIONS = { secret: SECRET };
  const route = fastifyPlugin(async (app) => {
    app.post("/login/:user", async (request) => request.session.login("ann"));
    app.get("/others", (request, reply) => {
      request.session.n = 1;
      reply.setCookie("theme", "dark", { path: "/" }).header("set-cookie", "raw=1");
      return request.cookies;
    });
  });

  test("is not needed, and not registered by us", async () => {
    const app = closing(fastify());
    await app.register(sessionPlugin, OPTIONS).register(route);
    expect(await login(app)).toEqual(["sid=<token>; Path=/; HttpOnly; SameSite=Lax"]);
    expect(app.hasReplyDecorator("setCookie")).toBe(false);
  });

  test.each(["onRequest", "preParsing", "preValidation", "preHandler", false] as const)(
    "registered by the application with hook: %s",
    async (hook) => {
      const app = closing(fastify());
      await app.register(cookiePlugin, { hook }).register(sessionPlugin, OPTIONS).register(route);
      expect(await login(app)).toEqual(["sid=<token>; Path=/; HttpOnly; SameSite=Lax"]);
    },
  );

  test("defaults of the application's cookies are not those of ours, when set and when cleared", async () => {
    const app = closing(fastify());
    await app.register(cookiePlugin, {
      secret: "signs the application's own cookies",
      parseOptions: {
        domain: "example.com",
        path: "/app",
        maxAge: 5,
        expires: new Date(1e12),
        partitioned: true,
        priority: "low",
        signed: true,
        encode: () => "mangled",
      },
    });
    await app.register(sessionPlugin, OPTIONS).register(route);
    app.get("/out", async (request) => request.session.logout());
    const answer = await app.inject({ method: "POST", url: "/login/ann" });
    expect(shapes(answer.headers["set-cookie"])).toEqual([
      "sid=<token>; Path=/; HttpOnly; SameSite=Lax",
    ]);
    const cookie = cookieHeader(answer.headers["set-cookie"]);
    expect((await app.inject({ url: "/out", headers: { cookie } })).headers["set-cookie"]).toBe(
      "sid=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/; HttpOnly; SameSite=Lax",
    );
  });

  test.each(["before", "after"])(
    "registered %s ours: cookies of others survive beside ours",
    async (when) => {
      const app = closing(fastify());
      if (when === "before") await app.register(cookiePlugin);
      await app.register(sessionPlugin, OPTIONS);
      if (when === "after") await app.register(cookiePlugin);
      await app.register(route);
      app.addHook("onSend", async (_request, reply) => void reply.setCookie("late", "1"));
      const { headers } = await app.inject("/others");
      const names = [headers["set-cookie"]].flat().map((line) => line?.split("=")[0]);
      expect(names).toHaveLength(4);
      expect(new Set(names)).toEqual(new Set(["late", "raw", "sid", "theme"]));
    },
  );

  test("other cookies of the browser do not disturb, whatever they hold", async () => {
    const app = await appWith();
    const port = await listen(app);
    const { cookie } = await exchange(port, "/login/ann", { method: "POST" });
    for (const others of [
      `a=1; ${cookie}; b="x;y`,
      `${cookie};a=%E0%A4%A`,
      `xsid=1; ${cookie}; sid2=3`,
    ]) {
      expect((await exchange(port, "/n", { cookie: others })).body).toContain('"who":"ann"');
    }
  });
});
