/** Options: every one has an effect, and every problem is listed. */
import { describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { createSessionManager } from "../src/create.ts";
import { BREAKER_DEFAULTS, DEFAULTS } from "../src/options/defaults.ts";
import { parseDuration } from "../src/options/duration.ts";
import type { SessionOptions } from "../src/options/types.ts";
import { memoryStore } from "../src/store/memory/store.ts";
import { Line, sharedStore } from "./support/away.ts";
import { fakeClock, HOUR, MINUTE, SECOND } from "./support/clock.ts";
import { interceptStore } from "./support/intercept.ts";
import { failure, failureCode, SECRET, world } from "./support/world.ts";

const make = (options: unknown): unknown => createSessionManager(options as SessionOptions);

async function problemsOf(options: unknown): Promise<string[]> {
  const error = await failure(() => make(options));
  expect(error.code).toBe("SOJOURN_OPTIONS_INVALID");
  return (error.details as { problems: string[] }).problems;
}

describe("durations", () => {
  test.each<[number | string, number]>([
    [1_000, 1_000],
    [0, 0],
    ["0s", 0],
    ["500ms", 500],
    ["90s", 90_000],
    ["30m", 30 * MINUTE],
    ["1.5h", 1.5 * HOUR],
    ["30d", 720 * HOUR],
    ["3650d", 87_600 * HOUR],
  ])("%s is %d ms", (given, ms) => {
    expect(parseDuration(given)).toBe(ms);
  });

  test.each([30, 1, 999, 0.5])("%d looks like seconds", (seconds) => {
    expect(parseDuration(seconds)).toMatchObject({
      problem: expect.stringContaining("looks like seconds"),
    });
  });

  test.each([
    "",
    "30",
    "m",
    "-5m",
    "5 m",
    "5M",
    "1e3s",
    "30min",
    "3651d",
    " 5m",
    "5m\n",
    -1,
    Number.NaN,
    Infinity,
    1e15,
  ])("%j is none", (given) => {
    expect(parseDuration(given)).toHaveProperty("problem");
  });
});

describe("problems", () => {
  test.each<[path: string, options: object]>([
    ["idle", { idle: 30 }],
    ["idle", { idle: "0s" }],
    ["idle", { idle: "soon" }],
    ["idle", { idle: "25h" }],
    ["absolute", { absolute: null }],
    ["absolute", { idle: null, absolute: 0 }],
    ["absolute", { absolute: 86_400 / 100 }],
    ["touchAfter", { touchAfter: "30m" }],
    ["touchAfter", { touchAfter: 60 }],
    ["grace", { grace: "61s" }],
    ["grace", { grace: 10 }],
    ["max", { max: -1 }],
    ["max", { max: 1.5 }],
    ["max", { max: "3" }],
    ["onLimit", { onLimit: "evict" }],
    ["store", { store: {} }],
    ["store", { store: "memory" }],
    ["principal", { principal: "ada" }],
    ["privileges", { privileges: ["admin"] }],
    ["schema", { schema: { parse: () => {} } }],
    ["namespace", { namespace: "x".repeat(65) }],
    ["storeDeadline", { storeDeadline: 2 }],
    ["storeDeadline", { storeDeadline: 0 }],
    ["onStoreError", { onStoreError: "memory" }],
    ["staleFor", { staleFor: "61s" }],
    ["staleFor", { staleFor: 0 }],
    ["staleFor", { staleFor: 60 }],
    ["breaker.failures", { breaker: { failures: 0 } }],
    ["breaker.failures", { breaker: { failures: 1.5 } }],
    ["breaker.pause", { breaker: { pause: "99ms" } }],
    ["breaker.pause", { breaker: { pause: "61s" } }],
    ["breaker.pause", { breaker: { pause: 1 } }],
    ["breaker", { breaker: { failure: 5 } }],
    ["breaker", { breaker: true }],
    ["logger", { logger: true }],
    ["logger", { logger: { info: () => {} } }],
    ["clock", { clock: Date }],
    ["generateSecret", { generateSecret: "random" }],
    ["cookie.secure", { cookie: { secure: "always" } }],
    ["cookie.sameSite", { cookie: { sameSite: "Lax" } }],
    ["cookie.priority", { cookie: { priority: "urgent" } }],
    ["cookie.httpOnly", { cookie: { httpOnly: 1 } }],
    ["cookie.persistent", { cookie: { persistent: "yes" } }],
    ["cookie.partitioned", { cookie: { partitioned: "yes" } }],
    ["cookie", { cookie: { maxAge: 5 } }],
    ["options", { secrets: [SECRET] }],
    ["secret", { secret: "short" }],
    ["secret", { secret: "x".repeat(31) }],
    ["secret", { secret: new Uint8Array(31) }],
    ["secret", { secret: "" }],
    ["secret", { secret: [] }],
    ["secret", { secret: null }],
    ["secret", { secret: [SECRET, SECRET] }],
    ["secret.1", { secret: [SECRET, "short"] }],
  ])("%s is named for %j", async (path, options) => {
    const problems = await problemsOf({ secret: SECRET, ...options });
    expect(problems.map((problem) => problem.split(": ")[0])).toEqual([
      path === "secret" ? expect.stringMatching(/^secret(\.0)?$/) : path,
    ]);
  });

  test("an unknown key is named", async () => {
    expect((await problemsOf({ secret: SECRET, rolling: true })).join()).toContain("rolling");
    expect((await problemsOf({ secret: SECRET, cookie: { maxAge: 5 } })).join()).toContain(
      "maxAge",
    );
  });

  test("a duration in seconds is told so", async () => {
    expect(await problemsOf({ secret: SECRET, idle: 30 })).toEqual([
      expect.stringMatching(/^idle: 30 looks like seconds; write '30s'/),
    ]);
  });

  test("all of them come in one error", async () => {
    const problems = await problemsOf({
      secret: "short",
      idle: 30,
      max: -1,
      rolling: true,
      cookie: { sameSite: "none", secure: false },
      onLimit: "evict",
    });
    const text = problems.join("\n");
    for (const path of ["secret", "idle", "max", "rolling", "cookie.sameSite", "onLimit"])
      expect(text).toContain(path);
  });

  test("no message repeats a secret", async () => {
    const { message, details } = await failure(() => make({ secret: [SECRET, "hunter2hunter2"] }));
    expect(message + JSON.stringify(details)).not.toMatch(/hunter2|ssss/);
  });
});

describe("every option is in effect", () => {
  test("idle", async () => {
    const { browser, clock } = world({ idle: "5m" });
    const visitor = browser();
    await visitor.visit((session) => session.login("ada"));
    clock.advance(5 * MINUTE);
    expect(await visitor.visit((session) => session.ending?.why)).toBe("idle");
  });

  test("absolute", async () => {
    const { browser, clock } = world({ idle: null, absolute: "1h" });
    const visitor = browser();
    await visitor.visit((session) => session.login("ada"));
    clock.advance(HOUR);
    expect(await visitor.visit((session) => session.ending?.why)).toBe("absolute");
  });

  test("touchAfter", async () => {
    const { browser, clock, told } = world({ touchAfter: "10s" });
    const visitor = browser();
    await visitor.visit((session) => session.login("ada"));
    clock.advance(10 * SECOND);
    await visitor.visit(() => {});
    expect(told("touched")).toHaveLength(1);
  });

  test("touchAfter: 0 writes every use", async () => {
    const { browser, clock, events, told } = world({ touchAfter: 0 });
    const visitor = browser();
    await visitor.visit((session) => session.login("ada"));
    events.length = 0;
    for (let use = 1; use <= 3; use++) {
      clock.advance(1);
      await visitor.visit(() => {});
      expect(told("touched")).toHaveLength(use);
    }
  });

  test("grace", async () => {
    const { browser, clock } = world({ grace: "2s" });
    const visitor = browser();
    await visitor.visit((session) => session.login("ada"));
    const old = visitor.clone();
    await visitor.visit((session) => session.rotate());
    clock.advance(2 * SECOND - 1);
    expect(await old.clone().visit((session) => session.principal)).toBe("ada");
    clock.advance(1);
    expect(await old.visit((session) => session.principal)).toBeNull();
  });

  test("max and onLimit", async () => {
    const { browser } = world({ max: 1, onLimit: "reject" });
    await browser().visit((session) => session.login("ada"));
    const { session } = await browser().open();
    expect(await failureCode(session.login("ada"))).toBe("SOJOURN_LIMIT_REACHED");
  });

  test("schema", async () => {
    const { browser } = world({ schema: z.object({ count: z.number().default(7) }) });
    const { session, close } = await browser().open();
    session.set("count", "many");
    expect(await failureCode(close())).toBe("SOJOURN_DATA_INVALID");
  });

  test("ASVS 9.2.3 namespace keeps two applications on one store apart", async () => {
    const one = world({ namespace: "one" });
    const two = world({ namespace: "two", store: one.store, clock: one.clock });
    const visitor = one.browser();
    await visitor.visit((session) => session.login("ada"));
    expect(await visitor.at(two.pipeline).visit((session) => session.principal)).toBeNull();
    expect((await two.sessions.count()).active).toBe(0);
    expect(await two.sessions.revokeAll("ada")).toBe(0);
    await two.sessions.revokeEveryone();
    expect(await visitor.visit((session) => session.principal)).toBe("ada");
  });

  test("storeDeadline", async () => {
    const store = interceptStore(memoryStore(), () => new Promise(() => {}));
    const { browser } = world({ store, storeDeadline: "20ms" });
    const { session } = await browser().open();
    const { code, message } = await failure(session.login("ada"));
    expect(code).toBe("SOJOURN_STORE_TIMEOUT");
    expect(message).toContain("20 ms");
  });

  test.each([
    ["fail", "SOJOURN_STORE_UNAVAILABLE"],
    ["anonymous", "anonymous"],
    ["local", "stale"],
  ] as const)("onStoreError: %j", async (onStoreError, answer) => {
    const clock = fakeClock();
    const line = new Line(sharedStore(clock));
    const { browser } = world({ clock, store: line.store, onStoreError });
    const visitor = browser();
    await visitor.visit((session) => session.login("ada"));
    await visitor.visit(() => {});
    line.cut("rejects");
    const seen = visitor.visit((session) => session.degraded).catch(({ code }) => code);
    expect(await seen).toBe(answer);
  });

  test("staleFor", async () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    try {
      const clock = fakeClock();
      const line = new Line(sharedStore(clock));
      const known = { store: line.store, onStoreError: "local", staleFor: "5s" } as const;
      const { browser } = world({ clock, ...known });
      const visitor = browser();
      await visitor.visit((session) => session.login("ada"));
      await visitor.visit(() => {});
      line.cut("rejects");
      vi.advanceTimersByTime(5 * SECOND - 1);
      expect(await visitor.visit((session) => session.principal)).toBe("ada");
      vi.advanceTimersByTime(1);
      expect(await failureCode(visitor.visit(() => {}))).toBe("SOJOURN_STORE_UNAVAILABLE");
    } finally {
      vi.useRealTimers();
    }
  });

  test("breaker", async () => {
    const line = new Line(sharedStore(fakeClock()));
    const { sessions } = world({ store: line.store, breaker: { failures: 3 } });
    line.cut("rejects");
    for (let call = 0; call < 10; call++) await failure(sessions.count());
    expect(line.tried).toHaveLength(3);
  });

  test("clock, and without one the store's", async () => {
    const clock = fakeClock(5 * HOUR);
    const { pipeline } = createSessionManager({
      secret: SECRET,
      logger: false,
      store: memoryStore({ clock }),
    });
    const context = await pipeline.begin({
      cookieHeader: undefined,
      secure: true,
      client: () => ({}),
    });
    await context.session.login("ada");
    expect(context.session.createdAt).toBe(5 * HOUR);
    const other = createSessionManager({ secret: SECRET, logger: false, clock });
    const { session } = await other.sessions.create({ principal: "ada" });
    expect(session.createdAt).toBe(5 * HOUR);
  });

  test("the defaults are those that the docs print", async () => {
    expect(DEFAULTS).toMatchObject({
      idle: "30m",
      absolute: "24h",
      grace: "10s",
      storeDeadline: "2s",
      onStoreError: "fail",
      staleFor: "60s",
    });
    expect(BREAKER_DEFAULTS).toEqual({ failures: 5, pause: "1s" });
    const { browser, clock } = world();
    await browser().visit(async (session) => {
      await session.login("ada");
      expect(session.expiresAt).toBe(clock.now() + 30 * MINUTE);
      expect(session.absoluteExpiresAt).toBe(clock.now() + 24 * HOUR);
    });
  });
});
