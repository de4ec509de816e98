// What a CommonJS program does with the packages: require() of ES modules, Node 20.19 and later.
const { rm } = require("node:fs/promises");
const { once } = require("node:events");
const express = require("express");
const Fastify = require("fastify");
const { memoryStore } = require("@sojourn/core");
const { gracefulShutdown } = require("@sojourn/core/server");
const { loginCookie } = require("@sojourn/core/testing");
const { sessionMiddleware } = require("@sojourn/express");
const { sessionPlugin } = require("@sojourn/fastify");
const { fileStore } = require("@sojourn/store-file");

const secret = "a secret of the consumers, long enough";
const path = "./data-cjs/sessions.sojourn";

async function main() {
  const fastify = Fastify();
  await fastify.register(sessionPlugin, { secret, store: fileStore({ path }) });
  fastify.get("/me", async (request) => request.session.principal);
  const cookie = await loginCookie(fastify.sessions, "ada");
  const { body } = await fastify.inject({ url: "/me", headers: { cookie } });
  console.log(`fastify: ${body}`);
  await fastify.close();

  const middleware = sessionMiddleware({ secret, store: memoryStore(), logger: false });
  const app = express();
  app.use(middleware);
  app.get("/me", (request, response) => response.send(request.session.principal));
  const server = app.listen(0);
  await once(server, "listening");
  const answer = await fetch(`http://localhost:${server.address().port}/me`, {
    headers: { cookie: await loginCookie(middleware.sessions, "ada") },
  });
  console.log(`express: ${await answer.text()}`);
  const shutdown = gracefulShutdown(server, middleware.sessions, { exit: false });
  if (!(await shutdown.start()).clean) console.log("express: not shut down cleanly");

  const store = fileStore({ path });
  const { active } = await store.count("session");
  console.log(`file: ${active} session`);
  await store.close();
  await rm("./data-cjs", { recursive: true });
}

void main();
