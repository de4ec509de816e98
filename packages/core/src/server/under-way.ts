/** The requests and upgraded connections that are under way on a server. */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { Bag, type Bagged, NO_PLACE } from "../collections/bag.ts";
import { fieldsOf } from "../shape.ts";

/** What was cut, as it is reported. */
export interface CutConnection {
  readonly kind: "request" | "upgrade";
  readonly method: string;
  /** Express: the route; else the path. Never the query. */
  readonly route: string;
  /** Since it began, in ms. */
  readonly ageMs: number;
}

/** A request whose answer is not complete, or a connection that was upgraded. */
export interface OpenConnection extends CutConnection {
  readonly request: IncomingMessage;
  /** Null: it was upgraded. */
  readonly response: ServerResponse | null;
  readonly socket: Duplex;
}

/** Names a request where the path would tell too much. */
export type RouteOf = (request: IncomingMessage) => string;

interface Entry extends Bagged, Pick<OpenConnection, "request" | "response" | "socket"> {
  readonly beganAt: number;
}

/** Events by which a server hands on what a client wants. */
const ASKS = ["request", "checkContinue", "checkExpectation", "upgrade"] as const;
const REFUSED = { connection: "close", "retry-after": "2", "cache-control": "no-store" };

/** Watches a server from its first request on. */
export class UnderWay {
  /** Requests that were refused because they came too late. */
  refused = 0;
  readonly #server: Server;
  readonly #routeOf: RouteOf;
  readonly #open = new Bag<Entry>();
  #isLast = false;
  #emptied: () => void = () => {};

  constructor(server: Server, routeOf: RouteOf = routeOfRequest) {
    this.#server = server;
    this.#routeOf = routeOf;
    server.prependListener("request", this.#requested);
    if (server.listenerCount("upgrade") > 0) server.prependListener("upgrade", this.#upgraded);
    server.on("newListener", this.#listenerAdded);
    server.on("removeListener", this.#listenerRemoved);
  }

  get size(): number {
    return this.#open.size;
  }

  /** What is open now, the oldest first. */
  list(): OpenConnection[] {
    const now = performance.now();
    const oldestFirst = this.#open.list().toSorted((one, other) => one.beganAt - other.beganAt);
    return oldestFirst.map(({ request, response, socket, beganAt }) => ({
      request,
      response,
      socket,
      kind: response ? "request" : "upgrade",
      method: request.method ?? "",
      route: this.#routeOf(request),
      ageMs: Math.round(now - beganAt),
    }));
  }

  /** From now on every answer is the last one of its connection (RFC 9112 9.6). */
  windDown(): void {
    this.#isLast = true;
    for (const { response } of this.#open.list()) sayLast(response);
  }

  /** From now on nothing is accepted: what comes on open connections gets 503. */
  refuse(): void {
    for (const event of ASKS) this.#server.removeAllListeners(event);
    this.#server.on("request", (_request, response) => {
      this.refused += 1;
      response.writeHead(503, REFUSED).end();
    });
  }

  /** Resolves when nothing is open, after `ms`, or when `signal` says so. */
  async settled(ms: number, signal: AbortSignal): Promise<void> {
    if (this.#open.size === 0) return;
    const over = new AbortController();
    const emptied = new Promise<void>((resolve) => {
      this.#emptied = resolve;
    });
    const waited = pause(Math.max(0, ms), undefined, {
      signal: AbortSignal.any([signal, over.signal]),
    }).catch(() => {});
    await Promise.race([emptied, waited]);
    over.abort();
  }

  /** Cuts what is open, and says what it was. */
  cut(): CutConnection[] {
    const open = this.list();
    for (const { socket } of open) socket.destroy();
    return open.map(({ kind, method, route, ageMs }) => ({ kind, method, route, ageMs }));
  }

  /** Does not watch any more. */
  forget(): void {
    this.#server.off("newListener", this.#listenerAdded);
    this.#server.off("removeListener", this.#listenerRemoved);
    this.#server.off("request", this.#requested);
    this.#server.off("upgrade", this.#upgraded);
  }

  readonly #requested = (request: IncomingMessage, response: ServerResponse): void => {
    if (this.#isLast) sayLast(response);
    const entry = this.#began({ request, response, socket: request.socket });
    response.once("close", () => this.#ended(entry));
  };

  readonly #upgraded = (request: IncomingMessage, socket: Duplex): void => {
    const entry = this.#began({ request, response: null, socket });
    socket.once("close", () => this.#ended(entry));
  };

  /** A server whose only listener is ours would take upgrades and leave them hanging. */
  readonly #listenerAdded = (event: string | symbol): void => {
    const isFirst = event === "upgrade" && this.#server.listenerCount("upgrade") === 0;
    if (!isFirst) return;
    this.#server.off("newListener", this.#listenerAdded);
    this.#server.prependListener("upgrade", this.#upgraded);
    this.#server.on("newListener", this.#listenerAdded);
  };

  readonly #listenerRemoved = (event: string | symbol): void => {
    if (event === "upgrade" && this.#server.listenerCount("upgrade") === 1)
      this.#server.off("upgrade", this.#upgraded);
  };

  #began({ request, response, socket }: Omit<Entry, "beganAt" | "place">): Entry {
    const entry = { request, response, socket, beganAt: performance.now(), place: NO_PLACE };
    this.#open.add(entry);
    return entry;
  }

  #ended(entry: Entry): void {
    this.#open.remove(entry);
    if (this.#open.size === 0) this.#emptied();
  }
}

/** Where the head has left or is about to, the connection is closed once it is idle. */
function sayLast(response: ServerResponse | null): void {
  if (response && !response.headersSent) response.setHeader("connection", "close");
}

/** Express leaves the route on the request; a path may hold more than it should. */
function routeOfRequest(request: IncomingMessage): string {
  const { route, baseUrl } = fieldsOf(request);
  const { path } = fieldsOf(route);
  if (typeof path === "string") return `${typeof baseUrl === "string" ? baseUrl : ""}${path}`;
  const { originalUrl } = fieldsOf(request);
  const url = typeof originalUrl === "string" ? originalUrl : (request.url ?? "");
  return url.split("?", 1)[0] ?? "";
}
