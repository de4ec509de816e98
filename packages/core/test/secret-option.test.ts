/** Secrets: where they come from, and what is refused. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createSessionManager } from "../src/create.ts";
import type { SessionOptions } from "../src/options/types.ts";
import { memoryStore } from "../src/store/memory/store.ts";
import { failure, SECRET } from "./support/world.ts";

const make = (options: unknown): unknown => createSessionManager(options as SessionOptions);

async function problemsOf(options: unknown): Promise<string[]> {
  const error = await failure(() => make(options));
  expect(error.code).toBe("SOJOURN_OPTIONS_INVALID");
  return (error.details as { problems: string[] }).problems;
}

describe("secret and environment", () => {
  const before = { ...process.env };
  beforeEach(() => {
    delete process.env["SESSION_SECRET"];
    process.env["NODE_ENV"] = "test";
  });
  afterEach(() => {
    process.env = { ...before };
    vi.restoreAllMocks();
  });

  const login = async (options: SessionOptions): Promise<string> => {
    const { sessions } = createSessionManager({ logger: false, ...options });
    return (await sessions.create({ principal: "ada" })).setCookie.split(";")[0] ?? "";
  };
  const principalFor = async (options: SessionOptions, cookie: string): Promise<string | null> => {
    const { pipeline } = createSessionManager({ logger: false, ...options });
    const context = await pipeline.begin({
      cookieHeader: cookie,
      secure: false,
      client: () => ({}),
    });
    return context.session.principal;
  };

  test("SESSION_SECRET is a ring: the first signs, all verify", async () => {
    const store = memoryStore();
    const [one, two] = ["1".repeat(32), "2".repeat(32)];
    process.env["SESSION_SECRET"] = `${two}, ${one}`;
    const cookie = await login({ store });
    expect(await principalFor({ store, secret: two }, cookie)).toBe("ada");
    expect(await principalFor({ store, secret: one }, cookie)).toBeNull();
    const old = await login({ store, secret: one });
    expect(await principalFor({ store }, old)).toBe("ada");
  });

  test("the option secret goes before SESSION_SECRET", async () => {
    const store = memoryStore();
    process.env["SESSION_SECRET"] = "1".repeat(32);
    const cookie = await login({ store, secret: SECRET });
    expect(await principalFor({ store }, cookie)).toBeNull();
    expect(await principalFor({ store, secret: SECRET }, cookie)).toBe("ada");
  });

  test.each(["short", `${"1".repeat(32)},`, `${"1".repeat(32)},short`, ","])(
    "SESSION_SECRET '%s' is refused by lengths, not by value",
    async (value) => {
      process.env["SESSION_SECRET"] = value;
      const { code, message } = await failure(() => make({}));
      expect(code).toBe("SOJOURN_OPTIONS_INVALID");
      expect(message).toContain("SESSION_SECRET");
      expect(message).not.toContain("1111");
    },
  );

  test("an empty SESSION_SECRET is none", () => {
    process.env["SESSION_SECRET"] = "";
    const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    make({});
    expect(warn).toHaveBeenCalledTimes(1);
  });

  test("without a secret development works and warns once", async () => {
    const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const { sessions } = createSessionManager();
    await sessions.create({ principal: "ada" });
    await sessions.create({ principal: "bob" });
    expect(warn).toHaveBeenCalledTimes(1);
    expect(String(warn.mock.calls[0]?.[0])).toContain("SESSION_SECRET");
  });

  test("two managers with generated secrets do not accept each other's cookies", async () => {
    const store = memoryStore();
    expect(await principalFor({ store }, await login({ store }))).toBeNull();
  });

  test("without a secret production refuses to start", async () => {
    process.env["NODE_ENV"] = "production";
    expect((await problemsOf({})).join()).toContain("secret");
  });

  test("production sets Secure whatever the request, and warns of the memory store", async () => {
    process.env["NODE_ENV"] = "production";
    const lines: string[] = [];
    const note = (_: object, message: string): void => void lines.push(message);
    const logger = { debug: note, info: note, warn: note, error: note };
    const { sessions } = createSessionManager({ secret: SECRET, logger });
    const { setCookie } = await sessions.create({ principal: "ada" });
    expect(setCookie).toMatch(/^__Host-sid=.*; Secure/);
    expect(lines.filter((line) => line.includes("memory of this process"))).toHaveLength(1);
  });

  test("httpOnly: false warns", () => {
    const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    make({ secret: SECRET, cookie: { httpOnly: false } });
    expect(String(warn.mock.calls[0]?.[0])).toContain("httpOnly");
  });

  test("logger: false silences the warnings", () => {
    const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    make({ logger: false });
    expect(warn).not.toHaveBeenCalled();
  });
});
