/** what a shutdown waits for, what it refuses, what it cuts, in which order. */
import { once } from "node:events";
import { createServer } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { gracefulShutdown, readiness } from "../../src/server/index.ts";
import { parallel, world } from "../support/world.ts";
import { gate, keepAlive, plainSocket, send, site, stream, until } from "./site.ts";

describe("requests under way", () => {
  test("[A-14] 20 of them all finish, each as the last of its connection; the report counts them", async () => {
    const door = gate();
    let begun = 0;
    const { port, shutdown } = await site(async (_request, response) => {
      begun += 1;
      await door.opened;
      response.end("done");
    });
    const agent = keepAlive();
    const replies = parallel(20, (index) => send(port, `/${index}`, { agent }));
    await until(() => begun === 20);
    const ending = shutdown.start("test");
    await pause(20);
    door.open();
    for (const reply of await replies) {
      expect(reply).toMatchObject({ status: 200, body: "done", connection: "close" });
    }
    const report = await ending;
    expect(report).toMatchObject({
      cause: "test",
      drained: 20,
      cut: [],
      failures: [],
      clean: true,
    });
    expect(report.tookMs).toBeLessThan(5_000);
  });

  test("[A-14] none that comes later is accepted: no connection, and 503 on an open one", async () => {
    const door = gate();
    const served: (string | undefined)[] = [];
    const { port, shutdown } = await site(async ({ url }, response) => {
      served.push(url);
      await door.opened;
      response.end();
    });
    const open = await plainSocket(port);
    const first = send(port, "/first");
    await until(() => served.length === 1);
    const ending = shutdown.start();
    expect(await send(port, "/new-connection")).toMatchObject({ error: "ECONNREFUSED" });
    open.write("POST /open-connection HTTP/1.1\r\nHost: x\r\n\r\n");
    const [answer] = (await once(open, "data")) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1.1 503 .*\r\nconnection: close\r\n/is);
    door.open();
    expect((await first).status).toBe(200);
    expect(await ending).toMatchObject({ drained: 1, refused: 1, clean: true });
    expect(served).toEqual(["/first"]);
  });

  test("[A-14] idle and never used connections do not hold it up", async () => {
    const { port, shutdown } = await site((_request, response) => void response.end());
    await plainSocket(port);
    await send(port, "/", { agent: keepAlive() });
    expect((await shutdown.start()).tookMs).toBeLessThan(5_000);
  });

  test("[A-14] an answer whose head has left stays whole, and its connection is closed after it", async () => {
    const door = gate();
    const { port, server, shutdown } = await site(async (_request, response) => {
      response.write("one,");
      await door.opened;
      response.end("two");
    });
    const reply = send(port, "/", { agent: keepAlive() });
    await once(server, "request");
    const ending = shutdown.start();
    door.open();
    expect((await reply).body).toBe("one,two");
    expect(await ending).toMatchObject({ drained: 1, clean: true });
  });

  test("[A-14] a stuck one is cut at the deadline and reported without its query; the others finish", async () => {
    const told: object[] = [];
    const logger = { debug() {}, info() {}, warn() {}, error: (facts: object) => told.push(facts) };
    const { port, shutdown } = await site(
      ({ url }, response) => void (url === "/quick" && setTimeout(() => response.end(), 50)),
      { budget: "2s", reserve: "1s", logger },
    );
    const [stuck, quick] = [
      send(port, "/stuck/7?token=secret", { method: "PUT" }),
      send(port, "/quick"),
    ];
    await pause(30);
    const report = await shutdown.start();
    expect(await stuck).toMatchObject({ error: "ECONNRESET" });
    expect((await quick).status).toBe(200);
    expect(report).toMatchObject({ drained: 1, clean: false });
    expect(report.cut).toEqual([
      { kind: "request", method: "PUT", route: "/stuck/7", ageMs: expect.any(Number) as number },
    ]);
    expect(report.cut[0]?.ageMs).toBeGreaterThanOrEqual(960);
    expect(report.tookMs).toBeGreaterThanOrEqual(995);
    expect(report.tookMs).toBeLessThan(2_000);
    expect(told).toEqual([{ cut: report.cut[0] }]);
  });

  test("[A-14] the option route names what was cut", async () => {
    const { port, server, shutdown } = await site(() => {}, {
      budget: "100ms",
      route: () => "/invitations/:code",
    });
    void send(port, "/invitations/secret");
    await once(server, "request");
    expect((await shutdown.start()).cut[0]?.route).toBe("/invitations/:code");
  });

  test("[A-14] during the notice requests are served, readiness says no, and connections are given back", async () => {
    const { port, sessions, shutdown } = await site(
      (_request, response) => void response.end("ok"),
      {
        notice: "1s",
      },
    );
    expect((await readiness(sessions)).status).toBe(200);
    const ending = shutdown.start();
    const reply = await send(port, "/", { agent: keepAlive() });
    expect(reply).toMatchObject({ status: 200, connection: "close" });
    expect(await readiness(sessions)).toMatchObject({ status: 503, body: { stage: "stopping" } });
    await ending;
    expect(await send(port, "/")).toMatchObject({ error: "ECONNREFUSED" });
  });
});

describe("long-lived connections", () => {
  test("[A-14] an event stream is told by onDrain, and ends by itself", async () => {
    const { port, shutdown } = await site(
      (_request, response) => {
        response.writeHead(200, { "content-type": "text/event-stream" }).write("data: 1\n\n");
      },
      {
        onDrain(open) {
          expect(open.map(({ kind, route }) => [kind, route])).toEqual([["request", "/events"]]);
          for (const { response } of open) response?.end("event: bye\n\n");
        },
      },
    );
    const response = await stream(port, "/events");
    const ended = once(response, "end");
    expect(await shutdown.start()).toMatchObject({ drained: 1, clean: true });
    await ended;
  });

  test("[A-14] an upgraded connection is cut at the deadline, whenever the upgrade listener was added", async () => {
    const { port, server, shutdown } = await site(() => {}, { budget: "200ms" });
    server.on("upgrade", (_request, socket) => {
      socket.on("error", () => {});
      socket.write(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n",
      );
    });
    const socket = await plainSocket(port);
    socket.write(
      "GET /live?who=1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n",
    );
    await once(socket, "data");
    const closed = once(socket, "close");
    const { cut, clean } = await shutdown.start();
    await closed;
    expect(clean).toBe(false);
    expect(cut).toMatchObject([{ kind: "upgrade", method: "GET", route: "/live" }]);
  });

  test("[A-14] a server that upgrades nothing goes on answering such requests", async () => {
    const { port, server } = await site((_request, response) => void response.end("plain"));
    const upgrade = { headers: { connection: "upgrade", upgrade: "echo" } };
    expect(await send(port, "/", upgrade)).toMatchObject({ status: 200, body: "plain" });
    const listener = (): void => {};
    server.on("upgrade", listener).off("upgrade", listener);
    expect(server.listenerCount("upgrade")).toBe(0);
    expect(await send(port, "/", upgrade)).toMatchObject({ status: 200, body: "plain" });
  });
});

describe("the steps", () => {
  test("[A-14] drain, snapshot, close of the store, hooks: in this order", async () => {
    const order: string[] = [];
    const made = world();
    const close = made.store.close.bind(made.store);
    made.store.close = async () => {
      order.push("store closed");
      await close();
    };
    const { port, server, shutdown } = await site(
      (_request, response) =>
        void setTimeout(() => {
          order.push("answered");
          response.end();
        }, 50),
      {
        onDrain: () => void order.push("told"),
        async snapshot(sessions) {
          order.push("snapshot");
          const { active } = await sessions.count();
          return { snapshot: "s", exported: active, skipped: NONE, bytes: 0, tookMs: 0 };
        },
        beforeExit: [() => void order.push("first"), async () => void order.push("second")],
      },
      made,
    );
    await made.sessions.create({ principal: "ada" });
    const reply = send(port, "/");
    await once(server, "request");
    expect(await shutdown.start()).toMatchObject({ exported: 1, clean: true });
    await reply;
    expect(order).toEqual(["told", "answered", "snapshot", "store closed", "first", "second"]);
  });

  test("[A-14] [G7] what a handler changes right after its answer is in the snapshot", async () => {
    const made = world();
    const { session } = await made.sessions.create({ principal: "ada" });
    let exported: unknown;
    const { port, server, shutdown } = await site(
      (_request, response) => {
        response.once("close", () => {
          void made.sessions.updateWhere({ principal: "ada" }, (data) => {
            data["late"] = true;
          });
        });
        setTimeout(() => response.end(), 50);
      },
      {
        async snapshot(sessions) {
          exported = (await sessions.get(session.handle))?.data;
          return { snapshot: "s", exported: 1, skipped: NONE, bytes: 0, tookMs: 0 };
        },
      },
      made,
    );
    void send(port, "/");
    await once(server, "request");
    await shutdown.start();
    expect(exported).toEqual({ late: true });
  });

  test("[A-14] one that fails or hangs is reported, the others are done, and the budget is kept", async () => {
    const done: string[] = [];
    let aborted = false;
    const { shutdown, sessions } = await site(() => {}, {
      budget: "2s",
      reserve: "1s",
      onDrain() {
        throw new Error("no such thing");
      },
      snapshot: (_sessions, { signal } = {}) =>
        new Promise(() => {
          signal?.addEventListener("abort", () => {
            aborted = true;
          });
        }),
      beforeExit: [() => Promise.reject(new Error("pool")), () => void done.push("log")],
    });
    const report = await shutdown.start();
    expect(report).toMatchObject({ clean: false, exported: null });
    expect(report.failures.map(({ step, error }) => [step, String(error)])).toEqual([
      ["onDrain", "Error: no such thing"],
      ["snapshot", expect.stringMatching(/^TimeoutError: not over after 1[45]\d\d ms$/) as string],
      ["beforeExit", "Error: pool"],
    ]);
    expect(aborted).toBe(true);
    expect(done).toEqual(["log"]);
    expect(report.tookMs).toBeLessThan(2_000);
    expect((await sessions.health()).status).toBe("down");
  });

  test("[A-14] an application that closes its server itself is asked to, and told of addresses that it hides", async () => {
    const { sessions, store } = world();
    let closed = 0;
    store.close = async () => void (closed += 1);
    const messages: string[] = [];
    const logger = {
      debug() {},
      info() {},
      warn() {},
      error: (_facts: object, message: string) => messages.push(message),
    };
    const target = {
      server: createServer(),
      addresses: () => ["127.0.0.1", "::1"],
      close: () => Promise.reject(new Error("a hook failed")),
    };
    const options = { signals: [], exit: false, logger };
    const { failures } = await gracefulShutdown(target, sessions, options).start();
    expect(failures).toMatchObject([{ step: "close", error: { message: "a hook failed" } }]);
    expect(closed).toBe(1);
    expect(messages[0]).toContain("give listen() one host");
  });

  test("[A-14] it happens once, whoever asks for it", async () => {
    const { shutdown } = await site(() => {});
    const [one, other] = await Promise.all([shutdown.start("one"), shutdown.start("other")]);
    expect(other).toBe(one);
    expect(await shutdown.done).toBe(one);
    expect(one.cause).toBe("one");
  });
});

describe("signals", () => {
  test("[A-14] SIGTERM begins it; an echo within a second is none; a second one ends the waiting", async () => {
    const before = process.listenerCount("SIGTERM");
    const { port, server, shutdown } = await site(() => {}, { signals: ["SIGTERM"] });
    const stuck = send(port, "/");
    await once(server, "request");
    process.emit("SIGTERM", "SIGTERM");
    process.emit("SIGTERM", "SIGTERM");
    expect(await send(port, "/")).toMatchObject({ error: "ECONNREFUSED" });
    await pause(1_050);
    process.emit("SIGTERM", "SIGTERM");
    const { cause, cut } = await shutdown.done;
    expect([cause, cut.length]).toEqual(["SIGTERM", 1]);
    expect(cut[0]?.ageMs).toBeGreaterThanOrEqual(1_000);
    expect((await stuck).error).toBe("ECONNRESET");
    expect(process.listenerCount("SIGTERM")).toBe(before);
  });

  test("[A-14] once it is over, where the process goes on, signals do again what they did before", async () => {
    const before = process.listenerCount("SIGTERM");
    const { shutdown } = await site(() => {}, { signals: ["SIGTERM"] });
    expect(process.listenerCount("SIGTERM")).toBe(before + 1);
    await shutdown.start();
    expect(process.listenerCount("SIGTERM")).toBe(before);
  });

  test("[A-14] dispose() takes the handlers away", async () => {
    const before = process.listenerCount("SIGINT");
    const { shutdown, server } = await site(() => {}, { signals: ["SIGINT"] });
    expect(process.listenerCount("SIGINT")).toBe(before + 1);
    shutdown.dispose();
    expect(process.listenerCount("SIGINT")).toBe(before);
    expect(server.listenerCount("request")).toBe(1);
  });
});

describe("options", () => {
  test("[A-14] every problem at once", async () => {
    const wrong = {
      budget: 30,
      signals: ["SIGKILL"],
      snapshot: {},
      beforeExit: [1],
      patience: 1,
    } as object;
    await expect(site(() => {}, wrong)).rejects.toMatchObject({
      code: "SOJOURN_OPTIONS_INVALID",
      details: {
        problems: [
          expect.stringContaining("budget: 30 looks like seconds") as string,
          expect.stringContaining("signals.0: must be a signal") as string,
          expect.stringContaining("snapshot: must be") as string,
          expect.stringContaining("beforeExit.0: must be a function") as string,
          expect.stringContaining("patience") as string,
        ],
      },
    });
    await expect(site(() => {}, { budget: "10s", notice: "8s" })).rejects.toThrow(
      "budget: must be longer than notice and reserve together",
    );
  });
});

const NONE = { expired: 0, filtered: 0, limit: 0 };
