/** E-20 E-22: every event, who gets it, and that nobody is disturbed by who listens badly. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { Readable, Writable } from "node:stream";
import { setTimeout } from "node:timers/promises";
import { describe, expect, test, vi } from "vitest";
import { type CsrfFacts, csrfPolicy } from "../src/csrf/policy.ts";
import { EVENT_CHANNEL, type AnySessionEvent, type Logger } from "../src/events.ts";
import { Line, sharedStore } from "./support/away.ts";
import { fakeClock, MINUTE, SECOND } from "./support/clock.ts";
import { settled } from "./support/intercept.ts";
import { must, world, type World } from "./support/world.ts";

/** A logger that remembers level, facts and message. */
function capture(): Logger & { lines: [level: string, facts: object, message: string][] } {
  const lines: [string, object, string][] = [];
  const at = (level: string) => (facts: object, message: string) =>
    void lines.push([level, facts, message]);
  return { lines, debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

const FORGED: CsrfFacts = {
  method: "POST",
  host: undefined,
  origin: undefined,
  secFetchSite: "cross-site",
  contentType: undefined,
  token: undefined,
};

/** A story in which every event happens at least once. */
async function everything(options: Parameters<typeof world>[0] = {}): Promise<World> {
  const clock = fakeClock();
  const line = new Line(sharedStore(clock));
  const breaker = { failures: 1, pause: "100ms" };
  const local = { onStoreError: "local", breaker } as const;
  const made = world({ ...local, binding: "report", ...options, clock, store: line.store });
  const { browser, sessions } = made;
  const one = browser();
  await one.visit((session) => void (session.a = 1));
  await one.visit((session) => void (session.a = 2));
  await one.visit((session) => session.login("ada"));
  await one.visit((session) => session.elevate());
  const elsewhere = one.clone();
  Object.assign(elsewhere, { parts: { ...one.parts, client: { ip: "203.0.113.9" } } });
  await elsewhere.visit((session) => session.checkCsrf(FORGED, csrfPolicy()));
  const old = one.clone();
  await one.visit((session) => session.rotate());
  clock.advance(MINUTE);
  await one.visit(() => {});
  await old.visit(() => {});
  const two = browser();
  await two.visit((session) => session.login("ada", { max: 1 }));
  await browser()
    .visit((session) => session.login("ada", { max: 1, onLimit: "reject" }))
    .catch(() => {});
  const slow = await two.open();
  await sessions.revokeAll("ada");
  slow.session.b = 2;
  await slow.close();
  const three = browser();
  await three.visit((session) => session.login("bob"));
  await three.visit((session) => session.logout());
  const four = browser();
  await four.visit((session) => session.login("eve"));
  clock.advance(31 * MINUTE);
  await four.visit(() => {});
  await four.open("__Host-sid=junk");
  const headless = await browser().open();
  headless.session.a = 1;
  await made.pipeline.commit(headless.context, { headersSent: true });
  line.cut("rejects");
  const five = browser();
  await five.visit((session) => session.login("eve"));
  line.restore();
  await setTimeout(150);
  await five.visit(() => {});
  await twoSessions(made);
  const snapshot: Buffer[] = [];
  await sessions.export(
    new Writable({ write: (part: Buffer, _, done) => (snapshot.push(part), done()) }),
  );
  await sessions.import(Readable.from(snapshot), { limit: 1 });
  await sessions.import(Readable.from(["no snapshot"])).catch(() => {});
  return made;
}

async function twoSessions({ browser }: Pick<World, "browser">): Promise<void> {
  for (const user of ["fay", "gil"]) await browser().visit((session) => session.login(user));
}

const LEVELS: Record<AnySessionEvent["type"], string> = {
  created: "debug",
  loaded: "debug",
  committed: "debug",
  touched: "debug",
  rotated: "info",
  login: "info",
  elevated: "info",
  logout: "info",
  revoked: "info",
  evicted: "info",
  expired: "info",
  denied: "warn",
  "cookie-rejected": "warn",
  "cookie-unsent": "warn",
  "client-changed": "warn",
  "csrf-rejected": "warn",
  "changes-dropped": "warn",
  "token-reused": "warn",
  degraded: "debug",
  promoted: "info",
  exported: "info",
  restored: "info",
  "restore-failed": "error",
  "restore-limited": "warn",
  "store-down": "error",
  "store-up": "info",
  "store-failed": "error",
};

describe("E-20 every event", () => {
  test("happens, is an object with its type, and the time of the clock", async () => {
    const { events, clock } = await everything();
    expect(new Set(events.map(({ type }) => type))).toEqual(new Set(Object.keys(LEVELS)));
    for (const event of events) {
      expect(Object.getPrototypeOf(event)).toBe(Object.prototype);
      expect(event.at).toBeGreaterThan(clock.now() - 40 * MINUTE);
      expect(event.at).toBeLessThanOrEqual(clock.now());
      expect(() => structuredClone(event)).not.toThrow();
    }
  });

  test.each(Object.keys(LEVELS) as AnySessionEvent["type"][])(
    "'%s' comes to its own listener as to the one for all, once each",
    async (type) => {
      const clock = fakeClock();
      const own: AnySessionEvent[] = [];
      const made = world({ clock });
      const stop = made.sessions.on(type, (event) => own.push(event));
      await made.browser().visit((session) => session.set("a", 1) && session.login("ada"));
      expect(own).toEqual(made.told(type));
      stop();
    },
  );

  test("a listener that stopped gets nothing more; stopping twice is no error", async () => {
    const { sessions } = world();
    const seen: string[] = [];
    const stop = sessions.on("login", ({ principal }) => void seen.push(String(principal)));
    await sessions.create({ principal: "ada" });
    stop();
    stop();
    await sessions.create({ principal: "bob" });
    expect(seen).toEqual(["ada"]);
  });

  test("the payloads of a login, a change and a touch are exact", async () => {
    const { browser, events, clock } = world();
    const visitor = browser();
    await visitor.visit((session) => session.login("ada"));
    const handle = must(await visitor.visit((session) => session.handle));
    clock.advance(60 * SECOND);
    await visitor.visit(() => {});
    await visitor.visit((session) => session.set("a", 1).set("b", 2) && undefined);
    const at = clock.now();
    const principal = "ada";
    expect(events).toEqual([
      { type: "created", at: at - 60 * SECOND, handle, principal },
      {
        type: "login",
        at: at - 60 * SECOND,
        handle,
        principal,
        previous: null,
        client: { ip: "192.0.2.7", userAgent: "Test/1" },
      },
      { type: "loaded", at: at - 60 * SECOND, handle, principal },
      { type: "loaded", at, handle, principal },
      { type: "touched", at, handle, principal },
      { type: "loaded", at, handle, principal },
      { type: "committed", at, handle, principal, keys: ["a", "b"] },
    ]);
  });
});

describe("a listener that fails disturbs nobody", () => {
  test("throwing: the request, the other listeners and the log go on", async () => {
    const logger = capture();
    const { sessions, browser, told } = world({ logger });
    sessions.on("login", () => {
      throw new Error("bad listener");
    });
    const later: string[] = [];
    sessions.on("login", ({ principal }) => void later.push(String(principal)));
    await browser().visit((session) => session.login("ada"));
    expect(later).toEqual(["ada"]);
    expect(told("login")).toHaveLength(1);
    const errors = logger.lines.filter(([level]) => level === "error");
    expect(errors).toMatchObject([
      ["error", { err: { message: "bad listener" } }, "a listener of session event 'login' threw"],
    ]);
  });

  test("throwing without a logger: a process warning", async () => {
    const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const { sessions } = world();
    sessions.on("login", () => {
      throw new Error("bad listener");
    });
    await sessions.create({ principal: "ada" });
    expect(String(warn.mock.calls[0]?.[0])).toContain("bad listener");
    vi.restoreAllMocks();
  });

  test("rejecting: an asynchronous listener does not take the process down", async () => {
    const logger = capture();
    const { sessions } = world({ logger });
    const publish = (): Promise<void> => Promise.reject(new Error("bus is down"));
    // oxlint-disable-next-line typescript/no-misused-promises -- the case
    sessions.on("login", publish);
    await sessions.create({ principal: "ada" });
    await settled(3);
    expect(logger.lines.filter(([level]) => level === "error")).toMatchObject([
      ["error", { err: { message: "bus is down" } }, expect.stringContaining("'login'")],
    ]);
  });

  test("a logger that throws does not fail the request, and is told as a process warning", async () => {
    const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const logger = capture();
    const broken = {
      ...logger,
      info: () => {
        throw new Error("disk full");
      },
    };
    const { browser } = world({ logger: broken });
    const visitor = browser();
    await visitor.visit((session) => session.login("ada"));
    expect(await visitor.visit((session) => session.principal)).toBe("ada");
    expect(String(warn.mock.calls[0]?.[0])).toContain("disk full");
    vi.restoreAllMocks();
  });

  test("a listener that adds or stops listeners while it is told", async () => {
    const { sessions } = world();
    let calls = 0;
    const stop = sessions.on("login", () => {
      calls++;
      stop();
      sessions.on("logout", () => {});
    });
    await sessions.create({ principal: "ada" });
    await sessions.create({ principal: "ada" });
    expect(calls).toBe(1);
  });
});

describe("E-22 where else they go", () => {
  test("the log: each event at its level, with the event as facts", async () => {
    const logger = capture();
    const { events } = await everything({ logger });
    const told = logger.lines.filter(([, , message]) => message.startsWith("session "));
    expect(
      told.map(([level, { session }]: [string, { session?: unknown }, string]) => [level, session]),
    ).toEqual(events.map((event) => [LEVELS[event.type], event]));
    for (const [, , message] of told) expect(message).toMatch(/^session [a-z-]+$/);
  });

  test("node:diagnostics_channel: every event of every manager, and none after unsubscribing", async () => {
    const seen: unknown[] = [];
    const listener = (message: unknown): void => void seen.push(message);
    subscribe(EVENT_CHANNEL, listener);
    const [one, two] = [world(), world()];
    await one.sessions.create({ principal: "ada" });
    await two.sessions.create({ principal: "bob" });
    unsubscribe(EVENT_CHANNEL, listener);
    await one.sessions.create({ principal: "eve" });
    expect(seen).toEqual([...one.events.slice(0, 2), ...two.events]);
  });

  test("the application's own bus, in three lines", async () => {
    const bus = {
      sent: [] as [string, object][],
      publish: (topic: string, body: object) => void bus.sent.push([topic, body]),
    };
    const { sessions } = world();

    const stop = sessions.on("*", ({ type, ...facts }) => {
      bus.publish(`session.${type}`, facts);
    });

    await sessions.create({ principal: "ada" });
    stop();
    expect(bus.sent.map(([topic]) => topic)).toEqual(["session.created", "session.login"]);
  });
});

describe("a cookie that could not be set", () => {
  test("is told by an event for each, and by one warning", async () => {
    const logger = capture();
    const { browser, told } = world({ logger, cookie: { secure: true } });
    for (const _ of [1, 2, 3])
      await browser({ secure: false }).visit((session) => session.login("ada"));
    expect(told("cookie-unsent")).toHaveLength(3);
    expect(logger.lines.filter(([, , message]) => message.includes("trust proxy"))).toHaveLength(1);
  });
});
