/** One small way to write routes, served by Fastify 5, Express 5 and Express 4 over real HTTP. */
import http from "node:http";
import { once } from "node:events";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import type { Session, SessionOptions, Sessions } from "@sojourn/core";
import { sessionMiddleware } from "@sojourn/express";
import type { SessionRequest } from "@sojourn/express";
import { sessionPlugin } from "@sojourn/fastify";
import express5 from "express";
import { fastify } from "fastify";
import type { FastifyReply } from "fastify";

/** What a handler is given. */
export interface Exchange {
  readonly session: Session;
  /** The session under another property, where the scenario has one. */
  readonly named: (property: string) => Session;
  readonly sessions: Sessions;
  readonly query: (name: string) => string | undefined;
}

/** What a handler may return in place of a JSON value. */
export class Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}) {
    this.status = status;
    this.body = body;
    this.headers = headers;
  }
}

/** One route. `session: false`: it goes without one. */
export interface Route {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly session?: false;
  readonly handle: (exchange: Exchange) => unknown;
}

/** Options by property of the request. */
export type NamedOptions = Readonly<Record<string, SessionOptions>>;

/** A listening application. */
export interface App {
  readonly url: string;
  readonly sessions: Sessions;
  /** Stops listening; closes its managers, and with them their stores. */
  close(): Promise<void>;
}

/** A framework under test. */
export interface Framework {
  readonly name: string;
  start(options: SessionOptions, routes: readonly Route[], more?: NamedOptions): Promise<App>;
}

const queryOf =
  (url: string) =>
  (name: string): string | undefined =>
    new URL(url, "http://localhost").searchParams.get(name) ?? undefined;

const fastify5: Framework = {
  name: "Fastify 5",
  async start(options, routes, more = {}) {
    const app = fastify();
    await app.register(sessionPlugin, options);
    for (const [property, named] of Object.entries(more)) {
      await app.register(sessionPlugin, { ...named, property });
    }
    for (const { method, path, session, handle } of routes) {
      app.route({
        method,
        url: path,
        config: session === false ? { session } : {},
        async handler(request, reply) {
          const result = await handle({
            get session() {
              return request.session;
            },
            named: (property) => Reflect.get(request, property) as Session,
            sessions: app.sessions,
            query: queryOf(request.url),
          });
          return sendByFastify(reply, result);
        },
      });
    }
    const url = await app.listen({ host: "127.0.0.1", port: 0 });
    return { url, sessions: app.sessions, close: () => app.close() };
  },
};

function sendByFastify(reply: FastifyReply, result: unknown): FastifyReply {
  if (!(result instanceof Answer)) return reply.send(result);
  const { status, body, headers } = result;
  if (headers["location"] !== undefined) return reply.redirect(headers["location"], status);
  reply.code(status).headers(headers);
  return reply.send(isStreamed(body) ? Readable.from(body.chunks) : body);
}

function express(name: string, make: typeof express5): Framework {
  return {
    name,
    async start(options, routes, more = {}) {
      const bare = new Set(
        routes.filter((route) => route.session === false).map(({ path }) => path),
      );
      const skip = ({ url = "" }: SessionRequest) => bare.has(url.split("?")[0] ?? "");
      const middleware = sessionMiddleware({ ...options, skip });
      const others = Object.entries(more).map(([property, named]) =>
        sessionMiddleware({ ...named, property, skip }),
      );
      const app = make();
      for (const one of [middleware, ...others]) app.use(one);
      for (const { method, path, handle } of routes) {
        const serve: express5.RequestHandler = (request, response, next) => {
          const given: Exchange = {
            get session() {
              return request.session;
            },
            named: (property) => Reflect.get(request, property) as Session,
            sessions: middleware.sessions,
            query: queryOf(request.url),
          };
          Promise.resolve()
            .then(() => handle(given))
            .then((result) => sendByExpress(response, result))
            .catch(next);
        };
        if (method === "GET") app.get(path, serve);
        else app.post(path, serve);
      }
      return listen(
        app,
        async () => {
          for (const { sessions } of [middleware, ...others]) await sessions.close();
        },
        middleware.sessions,
      );
    },
  };
}

function sendByExpress(response: express5.Response, result: unknown): void {
  if (!(result instanceof Answer)) return void response.json(result);
  const { status, body, headers } = result;
  if (headers["location"] !== undefined) return response.redirect(status, headers["location"]);
  response.status(status).set(headers);
  if (isStreamed(body)) return void Readable.from(body.chunks).pipe(response);
  if (body === undefined) return void response.end();
  response.send(body);
}

async function listen(
  listener: http.RequestListener,
  closeSessions: () => Promise<void>,
  sessions: Sessions,
): Promise<App> {
  const server = http.createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sessions,
    async close() {
      server.closeAllConnections();
      server.close();
      await closeSessions();
    },
  };
}

interface Streamed {
  readonly chunks: Iterable<string> | AsyncIterable<string>;
}

function isStreamed(body: unknown): body is Streamed {
  return typeof body === "object" && body !== null && "chunks" in body;
}

// Has no types of its own; the routes of this file are the same in both.
const express4 = createRequire(import.meta.url)("express4") as typeof express5;

/** Every framework under test. */
export const frameworks: readonly Framework[] = [
  fastify5,
  express("Express 5", express5),
  express("Express 4", express4),
];
