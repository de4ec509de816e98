/** One way to serve the same steps from Express 5, Express 4, node:http and the HTTP/2 compat API. */
import { createRequire } from "node:module";
import http from "node:http";
import http2 from "node:http2";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import express5 from "express";
import { onTestFinished } from "vitest";
import type { Session } from "../../src/index.ts";
import { exchange1, exchange2 } from "./client.ts";
import type { Answer, Asked, Exchange } from "./client.ts";

/** No types of its own under this name; what the tests use of it is as in Express 5. */
export const express4 = createRequire(import.meta.url)("express4") as typeof express5;

export type Req = http.IncomingMessage & { session: Session & Record<string, unknown> };
export type Res = http.ServerResponse;
export type Step = (req: Req, res: Res, next: (error?: unknown) => void) => void;

export interface App {
  readonly origin: string;
  readonly server: http.Server | http2.Http2Server;
  /** Errors that reached the end of the line. */
  readonly errors: unknown[];
  readonly open: (asked: Asked) => Exchange;
  readonly ask: (asked?: Asked) => Promise<Answer>;
  /** Resolves when whatever the server had sent so far must have arrived. */
  readonly settled: () => Promise<void>;
}

export interface Framework {
  readonly name: string;
  readonly version: 1 | 2;
  readonly serve: (...steps: Step[]) => Promise<App>;
}

const ping: Step = (req, res, next) => {
  if (req.url === "/ping") res.end("pong");
  else next();
};

/** A last step: answers, or throws, or rejects. */
export function handler(handle: (req: Req, res: Res) => unknown): Step {
  return (req, res, next) => {
    const result = handle(req, res);
    if (result instanceof Promise) void result.then(undefined, next);
  };
}

function answerError(res: Res, error: unknown): void {
  if (res.headersSent) return void res.destroy();
  const {
    statusCode = 500,
    headers = {},
    message,
  } = error as {
    statusCode?: number;
    headers?: Record<string, string>;
    message: string;
  };
  res.statusCode = statusCode;
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
  res.end(message);
}

function connectStyle(steps: Step[], errors: unknown[]): (req: unknown, res: unknown) => void {
  return (req, res) => {
    const run = (index: number, error?: unknown): void => {
      if (error !== undefined) {
        errors.push(error);
        return answerError(res as Res, error);
      }
      try {
        steps[index]?.(req as Req, res as Res, (failure) => run(index + 1, failure));
      } catch (thrown) {
        run(index, thrown);
      }
    };
    run(0);
  };
}

function expressStyle(
  make: typeof express5,
  steps: Step[],
  errors: unknown[],
): http.RequestListener {
  const app = make();
  for (const step of steps) app.use(step as unknown as express5.RequestHandler);
  app.use(((error, _req, _res, next) => {
    errors.push(error);
    next(error);
  }) as express5.ErrorRequestHandler);
  return app as http.RequestListener;
}

async function listen(
  server: http.Server | http2.Http2Server,
  exchange: typeof exchange1,
  errors: unknown[],
): Promise<App> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  onTestFinished(() => {
    if ("closeAllConnections" in server) server.closeAllConnections();
    server.close();
  });
  const open = (asked: Asked) => exchange(origin, asked);
  const ask = (asked: Asked = {}) => open(asked).answer;
  const settled = async (): Promise<void> => {
    for (const path of ["/ping", "/ping"]) await ask({ path });
  };
  return { origin, server, errors, open, ask, settled };
}

const framework = (
  name: string,
  version: 1 | 2,
  app: (steps: Step[], errors: unknown[]) => (req: never, res: never) => void,
): Framework => ({
  name,
  version,
  serve: (...steps) => {
    const errors: unknown[] = [];
    const listener = app([ping, ...steps], errors);
    return version === 1
      ? listen(http.createServer(listener as http.RequestListener), exchange1, errors)
      : listen(http2.createServer(listener as () => void), exchange2, errors);
  },
});

export const expresses: readonly Framework[] = [
  framework("Express 5", 1, (steps, errors) => expressStyle(express5, steps, errors)),
  framework("Express 4", 1, (steps, errors) => expressStyle(express4, steps, errors)),
];

export const http1: Framework = framework("node:http", 1, connectStyle);
export const frameworks: readonly Framework[] = [
  ...expresses,
  http1,
  framework("node:http2 compat", 2, connectStyle),
];
