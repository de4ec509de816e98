/** A `node:http` server with sessions, and clients that look closely. */
import { once } from "node:events";
import { Agent, createServer, get, request as ask } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { connect } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { gracefulShutdown } from "../../src/server/index.ts";
import type { GracefulShutdown, ShutdownOptions } from "../../src/server/index.ts";
import { onTestFinished } from "vitest";
import { world, type World } from "../support/world.ts";

/** What {@link site} gives. */
export interface Site extends World {
  readonly server: Server;
  readonly port: number;
  readonly shutdown: GracefulShutdown;
}

/** A server that listens, and its shutdown, which ends no process. */
export async function site(
  handler: (request: IncomingMessage, response: ServerResponse) => void | Promise<void>,
  options: ShutdownOptions = {},
  made: World = world(),
): Promise<Site> {
  const server = createServer((request, response) => void handler(request, response));
  const shutdown = gracefulShutdown(server, made.sessions, {
    signals: [],
    exit: false,
    logger: false,
    ...options,
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    shutdown.dispose();
    server.close();
    server.closeAllConnections();
  });
  return { ...made, server, shutdown, port: (server.address() as AddressInfo).port };
}

/** What came back; `status` null: the connection ended, or there was none. */
export interface Reply {
  readonly status: number | null;
  readonly connection: string | undefined;
  readonly body: string;
  readonly error: string | undefined;
}

/** Sends one request; never rejects. */
export async function send(
  port: number,
  path: string,
  { agent, method = "GET", headers = {} }: Sending = {},
): Promise<Reply> {
  const asked = ask({ host: "127.0.0.1", port, path, method, agent, headers });
  asked.end();
  try {
    const [response] = (await once(asked, "response")) as [IncomingMessage];
    let body = "";
    for await (const chunk of response) body += String(chunk);
    const { statusCode = 0, headers: its } = response;
    return { status: statusCode, connection: its.connection, body, error: undefined };
  } catch (error) {
    const { code } = error as { code?: string };
    return { status: null, connection: undefined, body: "", error: code };
  }
}
interface Sending {
  readonly agent?: Agent;
  readonly method?: string;
  readonly headers?: Record<string, string>;
}

/** Connections that stay open for the next request. */
export function keepAlive(): Agent {
  const agent = new Agent({ keepAlive: true });
  onTestFinished(() => agent.destroy());
  return agent;
}

/** A response whose body goes on. */
export async function stream(port: number, path: string): Promise<IncomingMessage> {
  const asked = get({ host: "127.0.0.1", port, path });
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  response.resume();
  response.on("error", () => {});
  return response;
}

/** A connection without a request. */
export async function plainSocket(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  await once(socket, "connect");
  onTestFinished(() => void socket.destroy());
  return socket;
}

/** A door that opens once. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/** Waits until it is so. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}
