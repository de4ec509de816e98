// What a program in ES modules does with the packages.
import { rm } from "node:fs/promises";
import { once } from "node:events";
import express from "express";
import Fastify from "fastify";
import { memoryStore } from "@sojourn/core";
import { gracefulShutdown } from "@sojourn/core/server";
import { loginCookie } from "@sojourn/core/testing";
import { sessionMiddleware } from "@sojourn/express";
import { sessionPlugin } from "@sojourn/fastify";
import { fileStore } from "@sojourn/store-file";

const secret = "a secret of the consumers, long enough";
const path = "./data-esm/sessions.sojourn";

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
await rm("./data-esm", { recursive: true });
