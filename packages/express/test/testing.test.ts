import { loginCookie } from "@sojourn/core/testing";
import express from "express";
import supertest from "supertest";
import { expect, test } from "vitest";
import { cookieOf } from "./support/client.ts";
import { tested } from "./support/sessions.ts";
import type { Tested } from "./support/sessions.ts";

function application(): { app: express.Express; sessions: Tested["middleware"]["sessions"] } {
  const { middleware } = tested();
  const app = express();
  app.use(middleware);
  app.post("/count", (req, res) => {
    req.session.set("count", Number(req.session.get("count") ?? 0) + 1);
    res.json(req.session.get("count"));
  });
  app.get("/me", (req, res) => void res.json({ user: req.session.principal }));
  return { app, sessions: middleware.sessions };
}

test("a supertest agent keeps its session", async () => {
  const agent = supertest.agent(application().app);
  await agent.post("/count").expect(200, "1");
  await agent.post("/count").expect(200, "2");
});

test("loginCookie() makes a request logged in, in one line", async () => {
  const { app, sessions } = application();
  const cookie = await loginCookie(sessions, "ada");
  await supertest(app).get("/me").set("Cookie", cookie).expect(200, { user: "ada" });
  const stranger = await supertest(app).get("/me").expect(200, { user: null });
  expect(cookieOf({ cookies: stranger.get("Set-Cookie") ?? [] })).toBeUndefined();
});
