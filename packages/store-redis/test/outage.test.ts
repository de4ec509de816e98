/** E-23 on a real server: it is killed with -9 under two processes' managers, and comes back. */
import { createSessionManager } from "@sojourn/core";
import type { SessionManager, SessionOptions } from "@sojourn/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { eventually, rejection } from "../../../test/support/waiting.ts";
import { redisStore } from "../src/index.ts";
import { startServer } from "./support/server.ts";
import type { Server } from "./support/server.ts";

const SECRET = "a secret of these tests that is long enough";
type Visitor = { cookie: string };

describe("[E-23] Redis is killed with -9 and started again", () => {
  let server: Server;
  const managers: SessionManager[] = [];
  beforeEach(async () => {
    server = await startServer("--appendonly", "yes", "--appendfsync", "always");
  });
  afterEach(async () => {
    await server.start().catch(() => {});
    await Promise.all(managers.splice(0).map(({ sessions }) => sessions.close()));
    await server.stop();
  });

  async function node(onStoreError: SessionOptions["onStoreError"]): Promise<SessionManager> {
    const store = redisStore({ url: server.url });
    const manager = createSessionManager({ secret: SECRET, logger: false, store, onStoreError });
    managers.push(manager);
    await manager.sessions.ready();
    return manager;
  }

  /** One request; takes the cookie that it is given. */
  async function visit<T>(
    { pipeline }: SessionManager,
    visitor: Visitor,
    handle: (session: Awaited<ReturnType<SessionManager["pipeline"]["begin"]>>["session"]) => T,
  ): Promise<Awaited<T>> {
    const cookieHeader = visitor.cookie === "" ? undefined : visitor.cookie;
    const context = await pipeline.begin({ cookieHeader, secure: true, client: () => ({}) });
    const answer = await handle(context.session);
    const { cookie } = await pipeline.commit(context);
    if (cookie) visitor.cookie = cookie.value === "" ? "" : `${cookie.name}=${cookie.value}`;
    return answer;
  }

  const login = async (manager: SessionManager, principal: string): Promise<Visitor> => {
    const visitor = { cookie: "" };
    await visit(manager, visitor, (session) => session.login(principal));
    return visitor;
  };
  const principalAt = (manager: SessionManager, visitor: Visitor): Promise<string | null> =>
    visit(manager, { ...visitor }, (session) => session.principal);
  const isBack = (manager: SessionManager): Promise<void> =>
    eventually(async () => (await manager.sessions.health()).status === "up");

  test("'local': what was revoked before is accepted nowhere, during and after", async () => {
    const [a, b] = [await node("local"), await node("local")];
    const [revoked, kept] = [await login(a, "ada"), await login(a, "bob")];
    for (const manager of [a, b]) {
      await principalAt(manager, revoked);
      await principalAt(manager, kept);
    }
    await a.sessions.revokeAll("ada");
    await eventually(async () => (await principalAt(b, revoked)) === null);
    await server.kill();
    for (const manager of [a, b]) {
      expect(await principalAt(manager, kept)).toBe("bob");
      expect(await rejection(principalAt(manager, revoked))).toMatchObject({ statusCode: 503 });
    }
    await server.start();
    await Promise.all([a, b].map(isBack));
    for (const manager of [a, b]) {
      expect(await principalAt(manager, revoked)).toBeNull();
      expect(await principalAt(manager, kept)).toBe("bob");
    }
  });

  test("'local': what is revoked meanwhile is refused here at once, and everywhere when it is back", async () => {
    const [a, b] = [await node("local"), await node("local")];
    const visitor = await login(a, "ada");
    for (const manager of [a, b]) await principalAt(manager, visitor);
    await server.kill();
    const error = await rejection(a.sessions.revokeAll("ada", "stolen"));
    expect(error).toMatchObject({ code: "SOJOURN_STORE_UNAVAILABLE", details: { repeated: true } });
    expect(await principalAt(a, visitor)).toBeNull();
    await server.start();
    await eventually(async () => (await principalAt(b, visitor).catch(() => "away")) === null);
    expect(await principalAt(a, visitor)).toBeNull();
    expect(await b.sessions.list("ada")).toMatchObject({ items: [] });
  });

  test("'local': a login meanwhile is provisional, and one of all processes when it is back, within the limit", async () => {
    const [a, b] = [await node("local"), await node("local")];
    await login(b, "ada");
    await server.kill();
    const visitor = { cookie: "" };
    await visit(a, visitor, async (session) => {
      await session.login("ada", { max: 1 });
      expect(session.degraded).toBe("provisional");
    });
    expect(await principalAt(a, visitor)).toBe("ada");
    expect(await rejection(principalAt(b, visitor))).toMatchObject({ statusCode: 503 });
    await server.start();
    await eventually(async () => (await principalAt(a, visitor).catch(() => null)) === "ada");
    await eventually(async () => (await principalAt(b, visitor).catch(() => null)) === "ada");
    expect((await b.sessions.list("ada")).items).toHaveLength(1);
    expect(await visit(a, visitor, (session) => session.degraded)).toBeNull();
  });

  test("'anonymous': goes on without the session, and has it again when Redis is back", async () => {
    const a = await node("anonymous");
    const visitor = await login(a, "ada");
    await server.kill();
    await visit(a, visitor, (session) => {
      expect(session).toMatchObject({ principal: null, degraded: "anonymous" });
    });
    await server.start();
    await isBack(a);
    expect(await principalAt(a, visitor)).toBe("ada");
  });

  test("'fail': 503 within the deadline, by the breaker without asking, and well again by itself", async () => {
    const a = await node("fail");
    const visitor = await login(a, "ada");
    await server.kill();
    const errors = [];
    for (let round = 0; round < 20; round += 1)
      errors.push(await rejection(principalAt(a, visitor)));
    for (const error of errors) {
      expect(error).toMatchObject({ statusCode: 503, headers: { "Retry-After": "2" } });
    }
    expect(String(errors.at(-1))).toContain("was not asked");
    await server.start();
    await isBack(a);
    expect(await principalAt(a, visitor)).toBe("ada");
  });
});
