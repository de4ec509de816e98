import express from "express";
import { describe, expect, test } from "vitest";
import { sessionMiddleware } from "../src/index.ts";
import type { SessionResponse } from "../src/index.ts";
import { express4, expresses, frameworks, handler, http1 } from "./support/apps.ts";
import type { Req, Step } from "./support/apps.ts";
import { cookieOf } from "./support/client.ts";
import { SECRET, tested } from "./support/sessions.ts";

const touch = handler(async (req, res) => {
  req.session.set("a", 1);
  await req.session.save();
  res.end(req.session.handle);
});

const otherOwner: Step = (req, _res, next) => {
  Object.assign(req, { session: {} });
  next();
};

const attempt = (response: object): Promise<[unknown, Req]> =>
  new Promise((resolve) => {
    const req = { headers: {}, socket: {}, url: "/", method: "GET" } as Req;
    tested().middleware(req, response as SessionResponse, (error) => resolve([error, req]));
  });

describe.each(frameworks)("$name", ({ serve }) => {
  test("skip(): no session, 0 store calls, also with a cookie", async () => {
    const sessions = tested({ skip: (req) => req.url === "/health" });
    const app = await serve(
      sessions.step,
      handler((req, res) => {
        if (req.url === "/health") return res.end(typeof req.session);
        req.session.set("a", 1);
        res.end();
      }),
    );
    const cookie = cookieOf(await app.ask());
    sessions.calls.length = 0;
    expect((await app.ask({ path: "/health", cookie })).text).toBe("undefined");
    expect(sessions.calls).toEqual([]);
  });

  test("mounted twice, it serves once", async () => {
    const sessions = tested();
    const app = await serve(sessions.step, sessions.step, touch);
    const answer = await app.ask();
    expect(answer.cookies).toHaveLength(1);
    expect(sessions.calls).toEqual(["create"]);
  });

  test("a property that belongs to something else is SOJOURN_ADAPTER_MISUSE to next", async () => {
    const app = await serve(otherOwner, tested().step, touch);
    expect((await app.ask()).status).toBe(500);
    expect(app.errors).toMatchObject([{ code: "SOJOURN_ADAPTER_MISUSE" }]);
  });

  test("two middlewares on one property are SOJOURN_ADAPTER_MISUSE", async () => {
    const app = await serve(tested().step, tested().step, touch);
    await app.ask();
    expect(app.errors).toMatchObject([{ code: "SOJOURN_ADAPTER_MISUSE" }]);
  });

  test("regenerate() changes what req.session is", async () => {
    const app = await serve(
      tested().step,
      handler(async (req, res) => {
        const before = req.session;
        before.set("a", 1);
        await before.regenerate();
        res.end(`${req.session === before} ${req.session.has("a")}`);
      }),
    );
    expect((await app.ask()).text).toBe("false false");
  });
});

describe.each(expresses)("$name and the proxy", ({ name }) => {
  const serveBehind = async (trust: boolean) => {
    const parent = name === "Express 5" ? express() : express4();
    if (trust) parent.set("trust proxy", true);
    const sessions = tested({ cookie: { secure: "auto" } });
    parent.use(sessions.middleware);
    parent.use(touch as never);
    const app = await http1.serve((req, res) => parent(req as never, res as never));
    return { app, sessions };
  };
  const headers = { "x-forwarded-proto": "https", "x-forwarded-for": "203.0.113.9" };

  test("trusted: the cookie is secure, the client is the forwarded one", async () => {
    const { app, sessions } = await serveBehind(true);
    const answer = await app.ask({ headers });
    expect(answer.cookies).toEqual([
      expect.stringMatching(/^__Host-sid=[\w.-]+; Path=\/; HttpOnly; Secure; SameSite=Lax$/),
    ]);
    expect((await sessions.middleware.sessions.get(answer.text))?.client.ip).toContain("203.0.113");
  });

  test("not trusted: forwarded headers mean nothing", async () => {
    const { app, sessions } = await serveBehind(false);
    const answer = await app.ask({ headers });
    expect(answer.cookies).toEqual([
      expect.stringMatching(/^sid=[\w.-]+; Path=\/; HttpOnly; SameSite=Lax$/),
    ]);
    expect((await sessions.middleware.sessions.get(answer.text))?.client.ip).not.toContain("203");
  });
});

describe("golden Set-Cookie", () => {
  const golden: [string, Parameters<typeof sessionMiddleware>[0] & object, string][] = [
    ["defaults over http", {}, "sid=*; Path=/; HttpOnly; SameSite=Lax"],
    [
      "secure",
      { cookie: { secure: true } },
      "__Host-sid=*; Path=/; HttpOnly; Secure; SameSite=Lax",
    ],
    [
      "CHIPS, priority, SameSite=None",
      { cookie: { secure: true, sameSite: "none", partitioned: true, priority: "high" } },
      "__Host-sid=*; Path=/; HttpOnly; Secure; SameSite=None; Partitioned; Priority=High",
    ],
    [
      "domain and path",
      { cookie: { secure: true, domain: "example.com", path: "/app" } },
      "__Secure-sid=*; Domain=example.com; Path=/app; HttpOnly; Secure; SameSite=Lax",
    ],
    ["own name", { cookie: { name: "shop" } }, "shop=*; Path=/; HttpOnly; SameSite=Lax"],
  ];
  describe.each(frameworks)("$name", ({ serve }) => {
    test.each(golden)("%s", async (_name, options, expected) => {
      const sessions = tested(options);
      // TLS ends in front of the test: say so as Express would.
      const secure: Step = (req, _res, next) => {
        const isSecure = JSON.stringify(options).includes('"secure":true');
        Object.defineProperty(req, "secure", { value: isSecure });
        next();
      };
      const app = await serve(secure, sessions.step, touch);
      const { cookies } = await app.ask();
      expect(cookies.map((cookie) => cookie.replace(/=[^;]+/, "=*"))).toEqual([expected]);
    });
  });

  test.each([
    [{ cookie: { sameSite: "none", secure: false } }],
    [{ cookie: { name: "__Host-x", path: "/app" } }],
    [{ cookie: { partitioned: true, secure: false } }],
  ] as const)("impossible: %j", (options) => {
    expect(() => sessionMiddleware({ secret: SECRET, ...options })).toThrow(
      "SOJOURN_OPTIONS_INVALID",
    );
  });
});

describe("responses that are none", () => {
  test("{} of ws: the session is there", async () => {
    const [error, req] = await attempt({});
    expect(error).toBeUndefined();
    req.session.set("a", 1);
    await req.session.save();
    expect(req.session.handle).toEqual(expect.any(String));
  });

  test("the five functions of socket.io: the head is completed and passed on", async () => {
    const headers: Record<string, unknown> = {};
    let heads = 0;
    const left = new Promise<void>((resolve) => {
      const response = {
        getHeader: (name: string) => headers[name],
        setHeader: (name: string, value: unknown) => void (headers[name] = value),
        removeHeader: (name: string) => void Reflect.deleteProperty(headers, name),
        write: () => true,
        // engine.io calls it so before the upgrade, to let middleware set headers.
        writeHead: () => {
          heads += 1;
          resolve();
        },
        end: () => {},
      };
      void attempt(response).then(([, req]) => {
        req.session.set("a", 1);
        return response.writeHead();
      });
    });
    await left;
    expect(heads).toBe(1);
    expect(headers["Set-Cookie"]).toEqual([expect.stringMatching(/^sid=/)]);
  });
});
