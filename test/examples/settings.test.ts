/** Each variable of the examples' settings, by what it does: ignored, its test fails. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createSessionManager } from "@sojourn/core";
import { postgresStore } from "@sojourn/store-postgres";
import type { RequestContext, SessionManager, SessionOptions } from "@sojourn/core";
import { describe, expect, onTestFinished, test } from "vitest";
import { readSettings, sessionOptions } from "../../examples/login-shared/settings.mjs";
import type { Settings } from "../../examples/login-shared/settings.mjs";
import { startServer as startPostgres } from "../../packages/store-postgres/test/support/server.ts";
import { startServer } from "../../packages/store-redis/test/support/server.ts";
import { folder } from "../support/workspace.ts";

const START = 1_900_000_000_000;
const MINUTE = 60_000;
const SECRET = "for tests only: 32 characters or more";

/** A manager made of these variables, and a clock that is turned by hand. */
async function managerOf(environment: Record<string, string>): Promise<Managed> {
  const clock = { at: START, now: () => clock.at };
  const settings = readSettings({ SESSION_STORE: "memory", ...environment }, await dataFolder());
  const options = await sessionOptions(settings, { clock });
  const manager = createSessionManager({ ...options, logger: false });
  onTestFinished(() => manager.sessions.close());
  await manager.sessions.ready();
  return { ...manager, clock, options, settings };
}
interface Managed extends SessionManager {
  readonly clock: { at: number; now(): number };
  readonly options: SessionOptions;
  readonly settings: Settings;
}

const dataFolder = (): Promise<string> => folder(onTestFinished);

async function begin({ pipeline }: Managed, cookie?: string): Promise<RequestContext> {
  return pipeline.begin({ cookieHeader: cookie, secure: true, client: () => ({}) });
}

/** The cookie of a new session of ada. */
async function login(managed: Managed): Promise<string> {
  const context = await begin(managed);
  await context.session.login("ada");
  const { cookie } = await managed.pipeline.commit(context);
  return `${cookie?.name}=${cookie?.value}`;
}

/** The principal that a request with this cookie has. */
async function principalOf(managed: Managed, cookie: string): Promise<string | null> {
  const context = await begin(managed, cookie);
  await managed.pipeline.commit(context);
  return context.session.principal;
}

const problemsOf = (environment: Record<string, string>): string => {
  try {
    readSettings(environment, "unused");
  } catch (error) {
    return String(error);
  }
  return "";
};

describe("settings of the examples [B-24]", () => {
  test("SESSION_STORE chooses the store; without it and when it is empty, a file", async () => {
    for (const SESSION_STORE of ["", "file"]) {
      const { options, settings } = await managerOf({ SESSION_STORE });
      expect(options.store?.name).toBe("file");
      expect(existsSync(join(settings.dataDir, "sessions.sojourn"))).toBe(true);
    }
    const { options } = await managerOf({ SESSION_STORE: "memory" });
    expect(options.store?.name).toBe("memory");
  });

  test("REDIS_URL is where the sessions are", async () => {
    const server = await startServer();
    onTestFinished(() => server.stop());
    const managed = await managerOf({ SESSION_STORE: "redis", REDIS_URL: server.url });
    await login(managed);
    expect(managed.options.store?.name).toBe("redis");
    const client = server.client();
    expect((await client.keys("sojourn:*")).length).toBeGreaterThan(0);
    client.disconnect();
  });

  test("DATABASE_URL is where the sessions are", async () => {
    const server = await startPostgres();
    onTestFinished(() => server.stop());
    const environment = { SESSION_STORE: "postgres", DATABASE_URL: server.url };
    const managed = await managerOf(environment);
    await login(managed);
    expect(managed.options.store?.name).toBe("postgres");
    const beside = postgresStore({ url: server.url });
    expect((await beside.count("session")).active).toBe(1);
    await beside.close();
    await managed.sessions.close();
  });

  test("SESSION_SECRET signs with the first of its ring and verifies with all", async () => {
    const [older, newer] = [`older ${SECRET}`, `newer ${SECRET}`];
    const before = await managerOf({ SESSION_SECRET: older });
    const cookie = await login(before);
    const store = before.options.store;
    const ring = async (SESSION_SECRET: string): Promise<string | null> => {
      const { options, settings, ...managed } = await managerOf({ SESSION_SECRET });
      const manager = createSessionManager({ ...options, store, logger: false });
      return principalOf({ ...managed, ...manager, options, settings }, cookie);
    };
    expect(await ring(newer)).toBe(null);
    expect(await ring(`${newer}, ${older}`)).toBe("ada");
  });

  test("without SESSION_SECRET one is made and kept beside the data, for its owner alone", async () => {
    const SOJOURN_DATA = await dataFolder();
    const first = await managerOf({ SOJOURN_DATA });
    const second = await managerOf({ SOJOURN_DATA });
    expect(first.options.secret).toMatch(/^[\w-]{43}$/);
    expect(second.options.secret).toBe(first.options.secret);
    expect(readFileSync(join(SOJOURN_DATA, "secret"), "utf8")).toBe(first.options.secret);
  });

  test("SESSION_IDLE ends a session that is not used for so long", async () => {
    const managed = await managerOf({ SESSION_IDLE: "7m" });
    const cookie = await login(managed);
    managed.clock.at += 7 * MINUTE - 1;
    expect(await principalOf(managed, cookie)).toBe("ada");
    managed.clock.at += 7 * MINUTE;
    expect(await principalOf(managed, cookie)).toBe(null);
  });

  test("SESSION_ABSOLUTE ends a session that is in use", async () => {
    const managed = await managerOf({ SESSION_IDLE: "5m", SESSION_ABSOLUTE: "11m" });
    const cookie = await login(managed);
    for (const minutes of [4, 8, 10]) {
      managed.clock.at = START + minutes * MINUTE;
      expect(await principalOf(managed, cookie)).toBe("ada");
    }
    managed.clock.at = START + 11 * MINUTE;
    expect(await principalOf(managed, cookie)).toBe(null);
  });

  test("SESSION_TOUCH_AFTER is how long a session is used before that is written", async () => {
    const managed = await managerOf({ SESSION_TOUCH_AFTER: "2m" });
    const cookie = await login(managed);
    const seenAt = async (): Promise<number | undefined> => {
      const { items } = await managed.sessions.list("ada");
      return items[0]?.seenAt;
    };
    managed.clock.at += 2 * MINUTE - 1;
    await principalOf(managed, cookie);
    expect(await seenAt()).toBe(START);
    managed.clock.at += 1;
    await principalOf(managed, cookie);
    expect(await seenAt()).toBe(START + 2 * MINUTE);
  });

  test.for([
    ["2", 2],
    ["0", 6],
    ["", 3],
  ] as const)("SESSION_MAX_CONCURRENT=%s leaves %i of 6 logins", async ([max, left]) => {
    const managed = await managerOf({ SESSION_MAX_CONCURRENT: max });
    for (let count = 0; count < 6; count += 1) await login(managed);
    expect((await managed.sessions.list("ada")).items).toHaveLength(left);
  });

  test("NODE_ENV, HOST, PORT, TRUST_PROXY and SOJOURN_DATA are taken over", () => {
    const environment = {
      NODE_ENV: "production",
      SESSION_SECRET: SECRET,
      HOST: "::1",
      PORT: "8080",
      TRUST_PROXY: "loopback",
      SOJOURN_DATA: "/srv/waypost",
    };
    expect(readSettings(environment, "elsewhere")).toMatchObject({
      production: true,
      host: "::1",
      port: 8080,
      trustProxy: "loopback",
      dataDir: "/srv/waypost",
    });
    expect(readSettings({}, "elsewhere")).toMatchObject({
      production: false,
      host: "127.0.0.1",
      port: undefined,
      trustProxy: false,
      dataDir: "elsewhere",
    });
  });

  test("one error names every bad variable and what it should be", () => {
    const environment = {
      SESSION_STORE: "paper",
      REDIS_URL: "http://localhost",
      DATABASE_URL: "mysql://localhost",
      SESSION_SECRET: "short",
      SESSION_IDLE: "1800",
      SESSION_ABSOLUTE: "0s",
      SESSION_TOUCH_AFTER: "often",
      SESSION_MAX_CONCURRENT: "-1",
      PORT: "70000",
    };
    const problems = problemsOf(environment);
    for (const name of Object.keys(environment)) {
      expect(problems).toMatch(new RegExp(String.raw`^  ${name} must \w`, "m"));
    }
  });

  test.for([
    [{ SESSION_STORE: "redis" }, "REDIS_URL is missing"],
    [{ SESSION_STORE: "redis", REDIS_URL: "" }, "REDIS_URL is missing"],
    [{ SESSION_STORE: "postgres" }, "DATABASE_URL is missing"],
    [{ NODE_ENV: "production" }, "SESSION_SECRET is missing"],
    [{ SESSION_IDLE: "2h", SESSION_ABSOLUTE: "1h" }, "SESSION_IDLE must not be longer"],
    [{ SESSION_IDLE: "1m", SESSION_TOUCH_AFTER: "1m" }, "SESSION_TOUCH_AFTER must be shorter"],
    [{ SESSION_MAX_CONCURRENT: "2.5" }, "SESSION_MAX_CONCURRENT must be a whole number"],
    [{ NODE_ENV: "production", SESSION_STORE: "x" }, "SESSION_SECRET is missing"],
  ] as const)("%j is refused: %s", ([environment, problem]) => {
    expect(problemsOf({ ...environment })).toContain(problem);
  });

  test("a bad duration is one problem, not compared with others", () => {
    const environment = { SESSION_IDLE: "soon", SESSION_TOUCH_AFTER: "1m" };
    expect(problemsOf(environment).match(/^  SESSION_/gm)).toHaveLength(1);
    expect(problemsOf({ SESSION_IDLE: "soon" }).match(/^  SESSION_/gm)).toHaveLength(1);
    expect(problemsOf({ SESSION_TOUCH_AFTER: "soon" }).match(/^  SESSION_/gm)).toHaveLength(1);
  });

  test("no secret and no password of a URL is printed, whatever is wrong with it", async () => {
    const password = "hunter2-of-the-redis";
    const urls = [
      `redi://:${password}@host`,
      `redis://:${password}@[`,
      `redis+cluster://:${password}@`,
    ];
    for (const REDIS_URL of urls) {
      const environment = { SESSION_STORE: "redis", REDIS_URL, SESSION_SECRET: password };
      expect(problemsOf(environment)).toContain("SESSION_SECRET must");
      expect(problemsOf(environment)).not.toContain(password);
      const outcome = await managerOf({ ...environment, SESSION_SECRET: SECRET }).catch(
        (error: unknown) => String(error),
      );
      expect(outcome).toContain("REDIS_URL");
      expect(outcome).not.toContain(password);
    }
  });
});
