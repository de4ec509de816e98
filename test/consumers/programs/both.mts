// Types merged through @sojourn/core, seen by both adapters in one program.
import express from "express";
import Fastify from "fastify";
import { sessionMiddleware } from "@sojourn/express";
import { sessionPlugin } from "@sojourn/fastify";

declare module "@sojourn/core" {
  interface SessionData {
    visits?: number;
  }
}

const app = Fastify();
await app.register(sessionPlugin);
app.get("/", async ({ session }) => ({ visits: (session.visits ?? 0) + 1 }));

const legacy = express();
legacy.use(sessionMiddleware());
legacy.get("/", (request, response) => {
  const visits: number | undefined = request.session.visits;
  // @ts-expect-error -- visits are a number
  request.session.visits = "many";
  response.json({ visits });
});
