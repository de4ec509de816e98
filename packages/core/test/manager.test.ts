/** The manager: what code outside a request can see and do. */
import { describe, expect, test } from "vitest";
import { createSessionManager } from "../src/create.ts";
import type { SessionInfo } from "../src/manager/types.ts";
import { memoryStore } from "../src/store/memory/store.ts";
import { loginCookie } from "../src/testing.ts";
import { fakeClock, HOUR, MINUTE, SECOND } from "./support/clock.ts";
import { countingStore, Gate } from "./support/intercept.ts";
import {
  collect,
  failureCode,
  must,
  parallel,
  range,
  SECRET,
  world,
  type World,
} from "./support/world.ts";

/** So many sessions of `ada`, a second apart; oldest first. */
async function filled(count: number): Promise<World & { infos: SessionInfo[] }> {
  const made = world();
  const infos: SessionInfo[] = [];
  for (const number of range(count)) {
    const { session } = await made.sessions.create({ principal: "ada", data: { number } });
    infos.push(session);
    made.clock.advance(SECOND);
  }
  return { ...made, infos };
}

describe("B-13 get and list", () => {
  test("get shows one session, and nothing that opens it", async () => {
    const { browser, sessions, clock } = world();
    const visitor = browser();
    await visitor.visit(
      (session) => session.set("cart", [1]) && session.login("ada", { level: 2 }),
    );
    const handle = must(await visitor.visit((session) => session.handle));
    expect(await sessions.get(handle)).toEqual({
      handle,
      principal: "ada",
      createdAt: clock.now(),
      authenticatedAt: clock.now(),
      seenAt: clock.now(),
      expiresAt: clock.now() + 30 * MINUTE,
      absoluteExpiresAt: clock.now() + 24 * HOUR,
      level: 2,
      client: { ip: "192.0.2.7", userAgent: "Test/1" },
      data: { cart: [1] },
      readable: true,
    });
    expect(await sessions.get("AAA".padEnd(19, "x"))).toBeNull();
    expect(await sessions.get("")).toBeNull();
    expect(await sessions.get(visitor.value)).toBeNull();
  });

  test("C-29 changing what get returned changes nothing", async () => {
    const { sessions, infos } = await filled(1);
    const { handle } = must(infos[0]);
    must(await sessions.get(handle)).data["number"] = 99;
    expect(must(await sessions.get(handle)).data).toEqual({ number: 0 });
  });

  test("list is newest first, without the dead", async () => {
    const { sessions, infos, clock } = await filled(3);
    expect((await sessions.list("ada")).items.map(({ handle }) => handle)).toEqual(
      infos.map(({ handle }) => handle).toReversed(),
    );
    await sessions.revoke(must(infos[1]).handle);
    clock.advance(30 * MINUTE - 3 * SECOND);
    expect((await sessions.list("ada")).items.map(({ handle }) => handle)).toEqual([
      must(infos[2]).handle,
    ]);
    expect((await sessions.list("nobody")).items).toEqual([]);
  });

  test.each([1, 2, 3, 7, 10, 100])("pages of %d show each of 10 once, in order", async (limit) => {
    const { sessions, infos } = await filled(10);
    const seen: string[] = [];
    let cursor: string | null = null;
    let pages = 0;
    do {
      const page = await sessions.list("ada", { limit, cursor });
      expect(page.items.length).toBeLessThanOrEqual(limit);
      seen.push(...page.items.map(({ handle }) => handle));
      ({ cursor } = page);
      pages++;
    } while (cursor !== null);
    expect(seen).toEqual(infos.map(({ handle }) => handle).toReversed());
    expect(pages).toBe(Math.ceil(10 / limit));
  });

  test("sessions of the same instant are paged too, and new logins shift nothing", async () => {
    const { sessions } = world();
    await parallel(9, () => sessions.create({ principal: "ada" }));
    const first = await sessions.list("ada", { limit: 4 });
    await sessions.create({ principal: "bob" });
    await sessions.revoke(must(first.items[3]).handle);
    const second = await sessions.list("ada", { limit: 4, cursor: first.cursor });
    const third = await sessions.list("ada", { limit: 4, cursor: second.cursor });
    const handles = [first, second, third].flatMap(({ items }) =>
      items.map(({ handle }) => handle),
    );
    expect(new Set(handles).size).toBe(9);
    expect(third.cursor).toBeNull();
  });

  test.each([
    { limit: 0 },
    { limit: -1 },
    { limit: 1.5 },
    { cursor: "nonsense" },
    { cursor: "x.y" },
  ])("a page of %j is refused", async (page) => {
    const { sessions } = await filled(1);
    expect(await failureCode(sessions.list("ada", page))).toBe("SOJOURN_OPTIONS_INVALID");
  });

  test("B-15 looking changes no timestamp and no count", async () => {
    const { sessions, infos, clock, store } = await filled(3);
    const before = await collect(store.scan("session"));
    clock.advance(MINUTE);
    for (const { handle } of infos) {
      await sessions.get(handle);
      await sessions.explain(handle);
    }
    await sessions.list("ada");
    await sessions.principals();
    await sessions.stats();
    await sessions.health();
    await collect(sessions.find({}));
    expect(await collect(store.scan("session"))).toEqual(before);
  });
});

describe("create", () => {
  test("gives a Set-Cookie value that logs in, with data, client and timeouts of its own", async () => {
    const { sessions, browser, clock } = world();
    const { session, setCookie } = await sessions.create({
      principal: 7,
      data: { cart: [1] },
      client: { ip: "192.0.2.1", userAgent: "App" },
      level: 3,
      idle: "5m",
      secureRequest: true,
    });
    expect(session).toMatchObject({
      principal: "7",
      level: 3,
      data: { cart: [1] },
      client: { ip: "192.0.2.1", userAgent: "App" },
      expiresAt: clock.now() + 5 * MINUTE,
    });
    expect(setCookie).toMatch(/^__Host-sid=[^;]+; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
    const visit = await browser().open(setCookie.split(";")[0]);
    expect(visit.session).toMatchObject({ handle: session.handle, principal: "7", level: 3 });
  });

  test("keeps limits, and refuses what login refuses", async () => {
    const { sessions } = world({ max: 1, onLimit: "reject" });
    await sessions.create({ principal: "ada" });
    const codes = [
      sessions.create({ principal: "ada" }),
      sessions.create({ principal: "" }),
      sessions.create({ principal: "bob", level: 0 }),
      sessions.create({ principal: "bob", idle: 30 }),
      sessions.create({ principal: "bob", data: { x: 1n } }),
    ].map((work) => failureCode(work));
    expect(await Promise.all(codes)).toEqual([
      "SOJOURN_LIMIT_REACHED",
      "SOJOURN_PRINCIPAL_INVALID",
      "SOJOURN_LEVEL_INVALID",
      "SOJOURN_OPTIONS_INVALID",
      "SOJOURN_DATA_UNSERIALISABLE",
    ]);
    expect((await sessions.count()).active).toBe(1);
  });

  test("F-16 loginCookie is a Cookie header in one line", async () => {
    const { sessions, browser } = world();
    const cookie = await loginCookie(sessions, "ada", { data: { a: 1 }, secureRequest: true });
    const { session } = await browser().open(cookie);
    expect([session.principal, session.a]).toEqual(["ada", 1]);
  });
});

describe("A-27 health", () => {
  test("up: store and the time it took; one read, and no session made", async () => {
    const clock = fakeClock();
    const { store, calls } = countingStore(memoryStore({ clock }));
    const { sessions } = world({ clock, store });
    const health = await sessions.health();
    expect(health).toMatchObject({ status: "up", store: "memory" });
    expect(health.tookMs).toBeGreaterThanOrEqual(0);
    expect(calls).toEqual(["read"]);
  });
});

describe("ready, flush and close", () => {
  const lifecycle = (): { store: ReturnType<typeof memoryStore>; calls: string[] } => {
    const { store, calls } = countingStore(memoryStore());
    return { store: Object.assign(store, { open: async () => void calls.push("open") }), calls };
  };

  test("nothing of the store is called before the first use", () => {
    const { store, calls } = lifecycle();
    createSessionManager({ secret: SECRET, logger: false, store });
    expect(calls).toEqual([]);
  });

  test("ready() opens the store, and its errors come out", async () => {
    const { store, calls } = lifecycle();
    await createSessionManager({ secret: SECRET, logger: false, store }).sessions.ready();
    expect(calls).toContain("open");
    const broken = Object.assign(memoryStore(), {
      open: () => Promise.reject(new Error("locked")),
    });
    const { sessions } = createSessionManager({ secret: SECRET, logger: false, store: broken });
    await expect(sessions.ready()).rejects.toThrow("locked");
    await createSessionManager({ secret: SECRET, logger: false }).sessions.ready();
  });

  test("close() waits for commits under way, and may be called again and again", async () => {
    const clock = fakeClock();
    const gate = new Gate(memoryStore({ clock }));
    const { sessions, browser } = world({ clock, store: gate.store });
    const visitor = browser();
    await visitor.visit((session) => session.login("ada"));
    const visit = await visitor.open();
    visit.session.a = 1;
    gate.hold("update", "before");
    const committing = visit.close();
    await gate.reached("update");
    let isClosed = false;
    const closing = sessions.close().then(() => (isClosed = true));
    await parallel(5, () => new Promise((resolve) => setImmediate(resolve)));
    expect(isClosed).toBe(false);
    gate.open();
    await committing;
    await closing;
    await Promise.all([sessions.close(), sessions.close()]);
  });

  test("close() closes the store that it was given, once", async () => {
    const { store, calls } = lifecycle();
    const { sessions } = createSessionManager({ secret: SECRET, logger: false, store });
    await Promise.all([sessions.close(), sessions.close()]);
    await sessions.close();
    expect(calls).toEqual(["close"]);
  });

  test("E-19 a closed manager refuses, and an open one keeps no process alive", async () => {
    const { sessions } = createSessionManager({ secret: SECRET, logger: false });
    expect(process.getActiveResourcesInfo()).not.toContain("Immediate");
    await sessions.close();
    expect(await failureCode(sessions.count())).toBe("SOJOURN_STORE_CLOSED");
    expect(await failureCode(sessions.flush())).toBe("SOJOURN_STORE_CLOSED");
    expect(await sessions.health()).toMatchObject({ status: "down", code: "SOJOURN_STORE_CLOSED" });
  });
});
