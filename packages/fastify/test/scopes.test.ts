/** F-06, F-07: routes without a session, sessions of one scope, several sessions side by side. */
import { memoryStore, sessionPlugin, type Session } from "@sojourn/fastify";
import fastify, { type FastifyInstance } from "fastify";
import { describe, expect, test } from "vitest";
import { appWith, closing, cookieHeader, counting, SECRET } from "./harness.ts";

declare module "fastify" {
  interface FastifyRequest {
    adminSession: Session;
  }
  interface FastifyContextConfig {
    adminSession?: boolean;
  }
}

async function withOptOut() {
  const { store, calls } = counting();
  const app = await appWith({ store });
  const off = { config: { session: false } };
  app.get("/health", off, () => "up");
  app.get("/reads", off, (request) => ({ n: request.session.n ?? null }));
  const login = await app.inject({ method: "POST", url: "/login/ann" });
  const headers = { cookie: cookieHeader(login.headers["set-cookie"]) };
  calls.length = 0;
  return { app, calls, headers };
}

describe("a route with config: { session: false }", () => {
  test("makes no store call and leaves the answer alone, also with a valid cookie", async () => {
    const { app, calls, headers } = await withOptOut();
    const answer = await app.inject({ url: "/health", headers });
    expect(answer.body).toBe("up");
    expect(answer.headers).not.toHaveProperty("vary");
    expect(calls).toEqual([]);
    await app.inject({ url: "/n", headers });
    expect(calls).toEqual(["read"]);
  });

  test("refuses to read request.session, naming the route and the way out", async () => {
    const { app, headers } = await withOptOut();
    const answer = await app.inject({ url: "/reads", headers });
    expect(answer.statusCode).toBe(500);
    expect(answer.json()).toMatchObject({
      code: "SOJOURN_ADAPTER_MISUSE",
      message: expect.stringMatching(/GET \/reads.*config: \{ session: false \}.*Remove/) as string,
    });
  });

  test("is the only way to no session: without a cookie there are 0 store calls anyway", async () => {
    const { app, calls } = await withOptOut();
    expect((await app.inject("/n")).json()).toEqual({ n: null, who: null });
    expect(
      (await app.inject({ url: "/n", headers: { cookie: "sid=forged.forged.forged" } })).statusCode,
    ).toBe(200);
    expect(calls).toEqual([]);
  });
});

describe("encapsulation", () => {
  test("a session registered in a child scope is in that scope and below, nowhere else", async () => {
    const { store, calls } = counting();
    const app = closing(fastify());
    app.get("/outside", (request) => ({
      has: "session" in request,
      manager: app.hasDecorator("sessions"),
    }));
    await app.register(async (child) => {
      await child.register(sessionPlugin, { secret: SECRET, store });
      child.post("/in", async (request) => request.session.login("ann"));
      child.register(async (grandchild) => {
        grandchild.get("/inside", (request) => ({ who: request.session.principal }));
      });
    });
    const login = await app.inject({ method: "POST", url: "/in" });
    const headers = { cookie: cookieHeader(login.headers["set-cookie"]) };
    expect((await app.inject({ url: "/inside", headers })).json()).toEqual({ who: "ann" });
    calls.length = 0;
    const outside = await app.inject({ url: "/outside", headers });
    expect(outside.json()).toEqual({ has: false, manager: false });
    expect(outside.headers).not.toHaveProperty("vary");
    expect(calls).toEqual([]);
  });

  test("sibling scopes have sessions of their own under one name", async () => {
    const app = closing(fastify());
    for (const area of ["shop", "office"]) {
      await app.register(
        async (scope) => {
          const cookie = { name: area, path: `/${area}` };
          await scope.register(sessionPlugin, { secret: SECRET, cookie });
          scope.get("/in", async (request) => request.session.login(area));
          scope.get("/who", (request) => ({ who: request.session.principal }));
        },
        { prefix: `/${area}` },
      );
    }
    const shop = cookieHeader((await app.inject("/shop/in")).headers["set-cookie"]);
    const office = cookieHeader((await app.inject("/office/in")).headers["set-cookie"]);
    const headers = { cookie: `${shop}; ${office}` };
    expect((await app.inject({ url: "/shop/who", headers })).json()).toEqual({ who: "shop" });
    expect((await app.inject({ url: "/office/who", headers })).json()).toEqual({ who: "office" });
  });

  test("a scope made before the plugin was registered has the session too", async () => {
    const app = closing(fastify());
    app.register(async (early) => {
      early.get("/early", (request) => ({ n: request.session.n ?? null }));
    });
    await app.register(sessionPlugin, { secret: SECRET });
    expect((await app.inject("/early")).json()).toEqual({ n: null });
  });

  test("an onRequest hook before ours is told what to do", async () => {
    const app = closing(fastify());
    app.addHook("onRequest", async (request) => void request.session.n);
    await app.register(sessionPlugin, { secret: SECRET });
    app.get("/", () => "");
    const answer = await app.inject("/");
    expect(answer.statusCode).toBe(500);
    expect(answer.json()).toMatchObject({
      code: "SOJOURN_ADAPTER_MISUSE",
      message: expect.stringMatching(
        /GET \/ before the session began.*Register sessionPlugin/,
      ) as string,
    });
  });
});

const life = ({ principal, expiresAt, createdAt }: Session) => ({
  principal,
  life: (expiresAt ?? 0) - (createdAt ?? 0),
});

async function twoSessions() {
  const user = counting();
  const admin = counting();
  const app = closing(fastify());
  await app.register(sessionPlugin, { secret: SECRET, store: user.store, idle: "30m" });
  await app.register(sessionPlugin, {
    property: "adminSession",
    secret: SECRET,
    store: admin.store,
    idle: "5m",
    cookie: { name: "admin", sameSite: "strict", persistent: true },
  });
  app.get("/user", async (request) => request.session.login("ann"));
  app.get("/admin", async (request) => request.adminSession.login("root"));
  app.get("/both", (request) => ({
    user: life(request.session),
    admin: life(request.adminSession),
  }));
  app.get(
    "/user-only",
    { config: { adminSession: false } },
    (request) => request.session.principal,
  );
  return { app, user, admin };
}

describe("two sessions side by side", () => {
  test("each has its name, cookie, lifetime, store and manager", async () => {
    const { app, user, admin } = await twoSessions();
    const first = (await app.inject("/user")).headers["set-cookie"];
    const second = (await app.inject("/admin")).headers["set-cookie"];
    expect(first).toMatch(/^sid=[^;]+; Path=\/; HttpOnly; SameSite=Lax$/);
    expect(second).toMatch(/^admin=[^;]+; Max-Age=300; Path=\/; HttpOnly; SameSite=Strict$/);
    const headers = { cookie: `${cookieHeader(first)}; ${cookieHeader(second)}` };
    user.calls.length = 0;
    admin.calls.length = 0;
    expect((await app.inject({ url: "/both", headers })).json()).toEqual({
      user: { principal: "ann", life: 1_800_000 },
      admin: { principal: "root", life: 300_000 },
    });
    expect([user.calls, admin.calls]).toEqual([["read"], ["read"]]);
    const managers = app as unknown as Record<
      "sessions" | "adminSessions",
      FastifyInstance["sessions"]
    >;
    expect((await managers.sessions.list("ann")).items).toHaveLength(1);
    expect((await managers.adminSessions.list("root")).items).toHaveLength(1);
    expect((await managers.sessions.list("root")).items).toEqual([]);
  });

  test("a route goes without one of them by its name", async () => {
    const { app, admin } = await twoSessions();
    const cookies = [await app.inject("/user"), await app.inject("/admin")].map((answer) =>
      cookieHeader(answer.headers["set-cookie"]),
    );
    admin.calls.length = 0;
    const answer = await app.inject({ url: "/user-only", headers: { cookie: cookies.join("; ") } });
    expect(answer.body).toBe("ann");
    expect(admin.calls).toEqual([]);
  });

  test("both may set their cookie in one answer", async () => {
    const { app } = await twoSessions();
    app.get("/in", async (request) => {
      await request.session.login("ann");
      await request.adminSession.login("root");
    });
    const answer = await app.inject("/in");
    expect(cookieHeader(answer.headers["set-cookie"])).toMatch(/sid=.+; admin=.+/);
    expect(answer.headers["vary"]).toBe("Cookie");
  });

  const twice = { secret: SECRET, store: memoryStore() };
  test.each([
    [
      "the same property",
      twice,
      { ...twice, cookie: { name: "other" } },
      /request\.session is taken/,
    ],
    [
      "the same default cookie",
      twice,
      { ...twice, property: "admin" },
      /cookie 'sid' with path '\/' is taken/,
    ],
    [
      "the same cookie name and path",
      { ...twice, cookie: { name: "a", path: "/x" } },
      { ...twice, property: "admin", cookie: { name: "a", path: "/x" } },
      /cookie 'a' with path '\/x' is taken/,
    ],
    [
      "a property of Fastify",
      { ...twice, property: "admin" },
      { ...twice, property: "headers" },
      /request\.headers is taken/,
    ],
  ])("OWASP-names %s is refused at registration", async (_what, first, second, message) => {
    const app = closing(fastify());
    await app.register(sessionPlugin, first);
    await expect(app.register(sessionPlugin, second)).rejects.toMatchObject({
      code: "SOJOURN_ADAPTER_MISUSE",
      message: expect.stringMatching(message) as string,
    });
  });

  test("a nested scope that would begin the same session again is refused", async () => {
    const app = closing(fastify());
    await app.register(sessionPlugin, twice);
    const nested = app.register(async (child) => {
      await child.register(sessionPlugin, twice);
    });
    await expect(nested).rejects.toMatchObject({ code: "SOJOURN_ADAPTER_MISUSE" });
  });

  test("a nested scope that began the same session before is refused at ready()", async () => {
    const app = closing(fastify());
    await app.register(async (child) => {
      await child.register(sessionPlugin, twice);
    });
    await app.register(sessionPlugin, twice);
    await expect(app.ready()).rejects.toMatchObject({ code: "SOJOURN_ADAPTER_MISUSE" });
  });

  test("the same cookie name on another path is accepted", async () => {
    const app = closing(fastify());
    await app.register(sessionPlugin, twice);
    await app.register(sessionPlugin, {
      ...twice,
      property: "admin",
      cookie: { name: "sid", path: "/admin" },
    });
    await app.ready();
  });
});
