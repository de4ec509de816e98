/** What the tests share: an application with a session, a store under watch, a plain HTTP client. */
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import type { Store } from "@sojourn/core";
import { memoryStore, sessionPlugin, type SessionPluginOptions } from "@sojourn/fastify";
import fastify, { type FastifyInstance } from "fastify";
import { onTestFinished } from "vitest";

declare module "@sojourn/fastify" {
  interface SessionData {
    n?: number;
    cart?: string[];
  }
}

export const SECRET = "a secret of the tests that is long enough, 48 chars";

/** Closes the application when the test is over. */
export function closing<App extends { close(): Promise<unknown> }>(app: App): App {
  onTestFinished(async () => {
    await app.close();
  });
  return app;
}

/** An application with the session plugin and the routes `GET /n`, `POST /login/:user`. */
export async function appWith(
  options: Partial<SessionPluginOptions> = {},
  serverOptions: { trustProxy?: boolean } = {},
): Promise<FastifyInstance> {
  const app = closing(fastify(serverOptions));
  await app.register(sessionPlugin, { secret: SECRET, ...options });
  app.get("/n", (request) => ({ n: request.session.n ?? null, who: request.session.principal }));
  app.post<{ Params: { user: string } }>("/login/:user", async (request) => {
    await request.session.login(request.params.user);
    return { ok: true };
  });
  return app;
}

/** Something to wait for until it is opened. */
export class Gate {
  #open: (() => void) | undefined;
  readonly opened: Promise<void> = new Promise((resolve) => {
    this.#open = resolve;
  });
  open(): void {
    this.#open?.();
  }
}

/** A memory store that tells `before` the name of every operation and waits for it. */
export function watched(
  before: (operation: keyof Store) => unknown,
  store: Store = memoryStore(),
): Store {
  return new Proxy(store, {
    get(target, key) {
      const member: unknown = Reflect.get(target, key);
      if (typeof member !== "function" || key === "close") return member;
      return async (...args: unknown[]) => {
        await before(key as keyof Store);
        return (await member.apply(target, args)) as unknown;
      };
    },
  });
}

/** A memory store that notes the operations on sessions. */
export function counting(): { store: Store; calls: string[] } {
  const calls: string[] = [];
  const store = watched((operation) => {
    if (operation !== "open") calls.push(operation);
  });
  return { store, calls };
}

export interface Received {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: string;
  hints: http.IncomingHttpHeaders[];
  /** The `Cookie` header for the next request. */
  cookie: string;
}

/** Listens on a free port of the loopback address. */
export async function listen(app: FastifyInstance): Promise<number> {
  await app.listen({ port: 0, host: "127.0.0.1" });
  return (app.server.address() as AddressInfo).port;
}

/** One request over a real socket. */
export async function exchange(
  port: number,
  path: string,
  options: {
    method?: string;
    cookie?: string;
    agent?: http.Agent;
    headers?: Record<string, string>;
  } = {},
): Promise<Received> {
  const { method = "GET", cookie, agent, headers = {} } = options;
  const request = http.request({
    host: "127.0.0.1",
    port,
    path,
    method,
    ...(agent ? { agent } : {}),
    headers: { ...headers, ...(cookie ? { cookie } : {}) },
  });
  const hints: http.IncomingHttpHeaders[] = [];
  request.on("information", (info: { headers: http.IncomingHttpHeaders }) =>
    hints.push(info.headers),
  );
  request.end();
  const [response] = (await once(request, "response")) as [http.IncomingMessage];
  let body = "";
  for await (const chunk of response.setEncoding("utf8")) body += chunk as string;
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    body,
    hints,
    cookie: cookieHeader(response.headers["set-cookie"]),
  };
}

/** `name=value; name=value` of `Set-Cookie` header values. */
export function cookieHeader(setCookie: string | string[] | undefined): string {
  return [setCookie ?? []]
    .flat()
    .map((line) => line.split(";", 1)[0])
    .join("; ");
}
