/** What the load asks, as a server sees it. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, RequestListener, Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import type { Route } from "../src/contender.ts";
import { Load } from "../src/load/load.ts";
import { userName } from "../src/session-data.ts";

let server: Server | undefined;
afterEach(() => {
  server?.close();
  server?.closeAllConnections();
});

/** A server of this answer, and the load on it. */
async function loadOn(
  answer: RequestListener,
  { route, cookies, connections = 2 }: { route: Route; cookies: string[]; connections?: number },
): Promise<Load> {
  server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return new Load({ port, route, cookies, connections });
}

/** Keeps the requests that come, by the connection that they come on, in the order of the cookies that come first. */
function recorder(): { answer: RequestListener; byConnection: () => IncomingMessage[][] } {
  const seen = new Map<unknown, IncomingMessage[]>();
  return {
    answer: (request, response) => {
      seen.set(request.socket, [...(seen.get(request.socket) ?? []), request]);
      response.end("{}");
    },
    byConnection: () =>
      [...seen.values()].toSorted(([one], [other]) => (cookieOf(one) < cookieOf(other) ? -1 : 1)),
  };
}

const cookieOf = (request: IncomingMessage | undefined): string => request?.headers.cookie ?? "";

const COOKIES = ["id=0", "id=1", "id=2", "id=3"];

test("it asks exactly as often as it is told, each connection with its own sessions in turn", async () => {
  const { answer, byConnection } = recorder();
  const load = await loadOn(answer, { route: "read", cookies: COOKIES });
  await load.run(7);
  expect(load.answered).toBe(7);
  const cookies = byConnection().map((requests) => requests.map(({ headers }) => headers.cookie));
  expect(cookies).toEqual([
    ["id=0", "id=2", "id=0", "id=2"],
    ["id=1", "id=3", "id=1"],
  ]);
  expect(byConnection()[0]?.[0]).toMatchObject({ method: "GET", url: "/read" });
});

test("asked less often than it has connections, it uses fewer of them", async () => {
  const { answer, byConnection } = recorder();
  const load = await loadOn(answer, { route: "write", cookies: COOKIES, connections: 50 });
  await load.run(3);
  expect(byConnection().map((requests) => requests.length)).toEqual([1, 1, 1]);
  const [[first] = []] = byConnection();
  expect(first?.method).toBe("POST");
  expect(first?.headers).toMatchObject({ "content-length": "0", "x-forwarded-proto": "https" });
});

test("without a cookie, it sends none", async () => {
  const { answer, byConnection } = recorder();
  const load = await loadOn(answer, { route: "anon", cookies: COOKIES });
  await load.run(4);
  for (const { headers } of byConnection().flat()) expect(headers).not.toHaveProperty("cookie");
});

test("asked for a while, it tells how long that was, and counts what was answered", async () => {
  const { answer, byConnection } = recorder();
  const load = await loadOn(answer, { route: "none", cookies: COOKIES });
  const ms = await load.runFor(300);
  expect(ms).toBeGreaterThan(200);
  expect(ms).toBeLessThan(2_000);
  expect(load.answered).toBeGreaterThan(10);
  const underWay = byConnection().flat().length - load.answered;
  expect(underWay).toBeGreaterThanOrEqual(0);
  expect(underWay).toBeLessThanOrEqual(2);
});

test.each([
  ["one cookie", "Set-Cookie", (n: number) => `id=new-${n}; Path=/`, (n: number) => `id=new-${n}`],
  [
    "two cookies",
    "set-cookie",
    (n: number) => [`id=new-${n}; Secure`, `id.sig=${n}`],
    (n: number) => `id=new-${n}; id.sig=${n}`,
  ],
])("a login goes on with what it was given, %s", async (_what, name, given, sentBack) => {
  const seen: unknown[] = [];
  const login: RequestListener = ({ headers }, response) => {
    seen.push([headers["x-user"], headers.cookie]);
    response.setHeader(name, given(seen.length)).end("{}");
  };
  const load = await loadOn(login, { route: "login", cookies: COOKIES, connections: 1 });
  await load.run(3);
  await load.run(2);
  expect(seen).toEqual([
    [userName(0), "id=0"],
    [userName(1), sentBack(1)],
    [userName(2), sentBack(2)],
    [userName(3), sentBack(3)],
    [userName(0), sentBack(4)],
  ]);
});

test("where a login gives no cookie, one user after another logs in with the first", async () => {
  const { answer, byConnection } = recorder();
  const load = await loadOn(answer, { route: "login", cookies: COOKIES });
  await load.run(6);
  const [first] = byConnection().map((requests) => requests.map(({ headers }) => headers));
  expect(first?.map((headers) => headers["x-user"])).toEqual([0, 2, 0].map(userName));
  expect(new Set(first?.map(({ cookie }) => cookie))).toEqual(new Set(["id=0"]));
});

test("any answer but 200 rejects with status and route, and no cookie", async () => {
  const refuse: RequestListener = (_request, response) => void response.writeHead(204).end();
  const load = await loadOn(refuse, { route: "write", cookies: COOKIES });
  await expect(load.runFor(10_000)).rejects.toThrow(/^\/write: the server answers 204$/);
  await expect(load.run(1_000)).rejects.toThrow(/^\/write: the server answers 204$/);
});

test("a server that hangs up, or is not there, rejects", async () => {
  let requests = 0;
  const hangUp: RequestListener = (request, response) => {
    requests += 1;
    if (requests === 5) request.socket.end();
    else response.end("{}");
  };
  const load = await loadOn(hangUp, { route: "read", cookies: COOKIES });
  await expect(load.run(20)).rejects.toThrow("/read: the server hung up on 1 requests");
  requests = 0;
  await expect(load.runFor(100)).rejects.toThrow("/read: the server hung up on 1 requests");
  server?.close();
  server?.closeAllConnections();
  await expect(load.run(20)).rejects.toThrow(/^\/read: connect ECONNREFUSED/);
});

test("stopped, it rejects at once", async () => {
  const { answer } = recorder();
  const load = await loadOn(answer, { route: "read", cookies: COOKIES });
  const running = load.runFor(60_000);
  load.stop();
  await expect(running).rejects.toThrow("/read: it was stopped");
});
