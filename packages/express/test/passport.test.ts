import type { Express, Request, Response } from "express";
import express from "express";
import passport from "passport";
import { Strategy } from "passport-local";
import { describe, expect, test } from "vitest";
import { express4, http1 } from "./support/apps.ts";
import type { App } from "./support/apps.ts";
import { cookieOf } from "./support/client.ts";
import { tested } from "./support/sessions.ts";
import type { Tested } from "./support/sessions.ts";

interface User {
  readonly id: string;
}

function passportOf(): passport.Authenticator {
  const authenticator = new passport.Passport();
  authenticator.use(
    new Strategy((username, password, done) => {
      done(null, password === "right" ? { id: username } : false);
    }),
  );
  authenticator.serializeUser((user, done) => done(null, (user as User).id));
  authenticator.deserializeUser((id: string, done) => done(null, { id }));
  return authenticator;
}

const who = (req: Request): string =>
  JSON.stringify({
    user: (req.user as User | undefined)?.id ?? null,
    principal: req.session.principal,
    handle: req.session.handle,
    cart: req.session.get("cart"),
  });

const showUser = (req: Request, res: Response): void => void res.send(who(req));

async function serve(make: () => Express): Promise<{ app: App; sessions: Tested }> {
  const sessions = tested({
    principal: (data) => (data as { passport?: { user?: string } }).passport?.user ?? null,
  });
  const server = make();
  const authenticator = passportOf();
  server.use(express.urlencoded({ extended: false }));
  server.use(sessions.middleware);
  server.use(authenticator.session() as express.RequestHandler);
  server.post("/cart", (req, res) => {
    req.session.set("cart", ["pen"]);
    res.send("ok");
  });
  server.post("/login", authenticator.authenticate("local") as express.RequestHandler, showUser);
  server.post(
    "/login-and-keep",
    authenticator.authenticate("local", { keepSessionInfo: true }) as express.RequestHandler,
    showUser,
  );
  server.post("/logout", (req, res, next) => {
    req.logout((error) => (error ? next(error) : showUser(req, res)));
  });
  server.get("/", showUser);
  const app = await http1.serve((req, res) => server(req as never, res as never));
  return { app, sessions };
}

const seen = (text: string): unknown => JSON.parse(text);

const post = (path: string, cookie?: string) => ({
  path: `${path}?username=ada&password=right`,
  method: "POST",
  cookie,
});

describe.each([
  ["Express 5", () => express()],
  ["Express 4", () => express4()],
])("passport 0.7 on %s", (_name, make) => {
  test("T-FIX1 login: a new cookie and handle, the old cookie is dead, the principal is known", async () => {
    const { app, sessions } = await serve(make);
    const anonymous = cookieOf(await app.ask(post("/cart")));
    const before = seen((await app.ask({ cookie: anonymous })).text) as { handle: string };
    const login = await app.ask(post("/login", anonymous));
    const cookie = cookieOf(login);
    expect(login.status).toBe(200);
    expect(cookie).toBeDefined();
    expect(cookie).not.toBe(anonymous);
    const after = seen((await app.ask({ cookie })).text) as { handle: string };
    expect(after).toMatchObject({ user: "ada", principal: "ada" });
    expect(after).not.toHaveProperty("cart");
    expect(after.handle).not.toBe(before.handle);
    expect(seen((await app.ask({ cookie: anonymous })).text)).toMatchObject({
      user: null,
      principal: null,
    });
    const { items } = await sessions.middleware.sessions.list("ada");
    expect(items.map(({ handle }) => handle)).toEqual([after.handle]);
  });

  test("keepSessionInfo keeps the data, and still changes the cookie", async () => {
    const { app } = await serve(make);
    const anonymous = cookieOf(await app.ask(post("/cart")));
    const login = await app.ask(post("/login-and-keep", anonymous));
    expect(cookieOf(login)).not.toBe(anonymous);
    expect(seen((await app.ask({ cookie: cookieOf(login) })).text)).toMatchObject({
      user: "ada",
      cart: ["pen"],
    });
    expect(seen((await app.ask({ cookie: anonymous })).text)).toMatchObject({ user: null });
  });

  test("logout: the cookie of the login is dead", async () => {
    const { app, sessions } = await serve(make);
    const cookie = cookieOf(await app.ask(post("/login")));
    const logout = await app.ask(post("/logout", cookie));
    expect(seen(logout.text)).toMatchObject({ user: null });
    expect(seen((await app.ask({ cookie })).text)).toMatchObject({ user: null, principal: null });
    expect((await sessions.middleware.sessions.list("ada")).items).toEqual([]);
  });

  test("a wrong password: 401, nobody is logged in", async () => {
    const { app, sessions } = await serve(make);
    const answer = await app.ask({ path: "/login?username=ada&password=wrong", method: "POST" });
    expect(answer).toMatchObject({ status: 401, cookies: [] });
    expect(sessions.calls).toEqual([]);
  });
});

describe("express-style methods on req.session", () => {
  test("save, reload, regenerate and destroy call back, and return promises without a callback", async () => {
    const sessions = tested();
    const server = express();
    server.use(sessions.middleware);
    server.get("/callbacks", (req, res, next) => {
      const steps: string[] = [];
      const { session } = req;
      session.set("a", 1);
      void session.save((saved) => {
        steps.push(`saved ${saved === undefined}`);
        void session.reload((reloaded) => {
          steps.push(`reloaded ${reloaded === undefined} ${String(req.session.get("a"))}`);
          void session.regenerate((regenerated) => {
            steps.push(`regenerated ${regenerated === undefined} ${String(req.session.get("a"))}`);
            void req.session.destroy((destroyed) => {
              if (destroyed) return next(destroyed);
              res.json([...steps, "destroyed"]);
            });
          });
        });
      });
    });
    server.get("/promises", async (req, res) => {
      req.session.set("a", 1);
      await req.session.save();
      await req.session.reload();
      await req.session.regenerate();
      await req.session.destroy();
      res.json(["ok"]);
    });
    const app = await http1.serve((req, res) => server(req as never, res as never));
    const callbacks = await app.ask({ path: "/callbacks" });
    expect(seen(callbacks.text)).toEqual([
      "saved true",
      "reloaded true 1",
      "regenerated true undefined",
      "destroyed",
    ]);
    expect(seen((await app.ask({ path: "/promises" })).text)).toEqual(["ok"]);
  });
});
