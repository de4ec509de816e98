/** A small application on any framework, with sessions in memory: `node app.mjs fastify <snapshot>`. */
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { gracefulShutdown, snapshotFile } from "@sojourn/core/server";
import type { ShutdownTarget } from "@sojourn/core/server";
import { sessionMiddleware } from "@sojourn/express";
import type { Session, Sessions } from "@sojourn/express";
import { sessionPlugin } from "@sojourn/fastify";
import express from "express";
import express4 from "express4";
import Fastify from "fastify";
import { once } from "node:events";

const OPTIONS = { secret: "for tests only: 32 characters or more", logger: false } as const;

interface Application {
  readonly target: ShutdownTarget;
  readonly sessions: Sessions;
  listen(): Promise<Server>;
}

/** Takes its time, then logs in; the session is one more of the snapshot. */
async function login(session: Session, user: string, wait: string): Promise<object> {
  await pause(Number(wait));
  await session.login(user);
  return { user };
}

async function onFastify(): Promise<Application> {
  const app = Fastify();
  await app.register(sessionPlugin, OPTIONS);
  app.post<{ Params: { user: string; wait: string } }>(
    "/login/:user/:wait",
    ({ session, params }) => login(session, params.user, params.wait),
  );
  app.get("/me", async ({ session }) => ({ user: session.principal }));
  app.get("/stuck/:id", () => new Promise(() => {}));
  const listen = async (): Promise<Server> => {
    await app.listen({ port: 0, host: "127.0.0.1" });
    return app.server;
  };
  return { target: app, sessions: app.sessions, listen };
}

function onExpress(framework: typeof express): Application {
  const app = framework();
  const middleware = sessionMiddleware(OPTIONS);
  app.use(middleware);
  app.post("/login/:user/:wait", ({ session, params }, response, next) => {
    login(session, params.user, params.wait).then((answer) => response.json(answer), next);
  });
  app.get("/me", ({ session }, response) => void response.json({ user: session.principal }));
  app.get("/stuck/:id", () => {});
  const server = createServer(app);
  const listen = async (): Promise<Server> => {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return server;
  };
  return { target: server, sessions: middleware.sessions, listen };
}

const [, , framework, path = ""] = process.argv;
const application =
  framework === "fastify"
    ? await onFastify()
    : onExpress(framework === "express4" ? express4 : express);
const { target, sessions, listen } = application;
const snapshot = snapshotFile(path, { logger: false });
await snapshot.restore(sessions);
const shutdown = gracefulShutdown(target, sessions, { budget: "5s", snapshot, logger: false });
const server = await listen();
console.log(`port ${(server.address() as AddressInfo).port}`);
console.log(JSON.stringify(await shutdown.done));
