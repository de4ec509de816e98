/** [F-10] [B-10] A WebSocket closes within 100 ms when its session ends in another process on one Redis. */
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { createSessionManager, type Sessions } from "@sojourn/core";
import { redisStore } from "../src/index.ts";
import type { RedisClient } from "../src/index.ts";
import { clusterClient, startCluster, startServer } from "./support/server.ts";

const IN_TIME = 100;
/** A busy machine may hold one try up; what is shown is that it takes no poll. */
const BEST_OF_FIVE = { retry: 4 };
const SECRET = "a secret of the tests that is long enough, 48 chars";

/** One application process: its sessions, and sockets that close with theirs. */
interface Process {
  readonly sessions: Sessions;
  readonly port: number;
}

async function start(client: RedisClient & { disconnect(): void }): Promise<Process> {
  const store = redisStore({ client });
  const { sessions } = createSessionManager({ secret: SECRET, logger: false, store });
  const server = http.createServer();
  const sockets = new WebSocketServer({ noServer: true });
  server.on("upgrade", (request, socket, head) => {
    void sessions.fromUpgrade(request).then((session) =>
      sockets.handleUpgrade(request, socket, head, (open) => {
        const stop = sessions.watch(session.handle ?? "", ({ why }) => open.close(4401, why));
        open.on("close", stop);
        open.send(`hello ${session.principal}`);
      }),
    );
  });
  server.listen(0);
  await once(server, "listening");
  await new Promise<void>((resolve) => {
    store.signals?.listen("session", { message: () => {}, opened: resolve });
  });
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await sessions.close();
    client.disconnect();
  });
  return { sessions, port: (server.address() as AddressInfo).port };
}

/** Opens a socket; resolves to how it ended, and when. */
async function connect(
  { port }: Process,
  cookie: string,
): Promise<{ closed: Promise<{ why: string; at: number }> }> {
  const socket = new WebSocket(`ws://localhost:${port}/`, { headers: { cookie } });
  const closed = new Promise<{ why: string; at: number }>((resolve) => {
    socket.on("close", (_, why) => resolve({ why: why.toString(), at: performance.now() }));
  });
  await once(socket, "message");
  // The first look at the store is over.
  await new Promise((resolve) => setTimeout(resolve, 50));
  return { closed };
}

type End = (sessions: Sessions, handle: string) => Promise<unknown>;

const ENDINGS: [name: string, why: string, end: End][] = [
  ["revoke by handle", "revoked", (sessions, handle) => sessions.revoke(handle)],
  ["revokeAll", "revoked", (sessions) => sessions.revokeAll("ada")],
  ["revokeEveryone", "revoked", (sessions) => sessions.revokeEveryone()],
  ["eviction", "evicted", (sessions) => sessions.create({ principal: "ada", max: 1 })],
];

describe.each(["server", "cluster"])("[F-10] two processes on one %s", (layout) => {
  let client: () => RedisClient & { disconnect(): void };
  let stop: () => Promise<void>;
  beforeAll(async () => {
    if (layout === "server") {
      const server = await startServer();
      client = () => server.client();
      stop = () => server.stop();
    } else {
      const cluster = await startCluster();
      client = () => clusterClient(cluster);
      stop = () => cluster.stop();
    }
  }, 60_000);
  afterAll(() => stop());

  test.each(ENDINGS)(
    "a socket of the one closes within 100 ms of %s at the other",
    BEST_OF_FIVE,
    async (_, why, end) => {
      const [one, two] = [await start(client()), await start(client())];
      const { session, setCookie } = await one.sessions.create({ principal: "ada" });
      const { closed } = await connect(one, setCookie.split(";")[0] ?? "");
      await end(two.sessions, session.handle);
      const ended = performance.now();
      const seen = await closed;
      expect(seen.why).toBe(why);
      expect(seen.at - ended).toBeLessThan(IN_TIME);
      await one.sessions.revokeEveryone();
    },
  );
});
