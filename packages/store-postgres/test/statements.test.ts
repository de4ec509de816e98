/** How many statements a request costs, by which indexes they go, and that no token is anywhere in the database. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type pg from "pg";
import { createSessionManager } from "@sojourn/core";
import { systemClock as clock } from "@sojourn/core/store";
import type { Store, StoredRecord } from "@sojourn/core/store";
import { ownerOf, recordOf } from "../../../test/support/records.ts";
import { postgresStore } from "../src/index.ts";
import type { PostgresQuery } from "../src/index.ts";
import { namesFor } from "../src/names.ts";
import { statementsFor } from "../src/statements.ts";
import { notedPool } from "./support/noted.ts";
import { startServer } from "./support/server.ts";
import type { Server } from "./support/server.ts";

const HOUR = 3_600_000;
const LOGOUT = { why: "logout", at: 0 } as const;
let server: Server;
let pool: pg.Pool;
let asked: PostgresQuery[];
let store: Store;
beforeAll(async () => {
  server = await startServer();
  pool = server.pool();
});
afterAll(async () => {
  await pool.end();
  await server.stop();
});
beforeEach(async () => {
  await server.clear();
  asked = [];
  store = postgresStore({
    pool: notedPool(pool, (query) => asked.push(query)),
    events: false,
    connectWithin: "1m",
  });
  await store.open?.();
  return async () => store.close();
});

async function costOf(run: () => Promise<unknown>): Promise<PostgresQuery[]> {
  asked = [];
  await run();
  return asked;
}

describe("statements of the store", () => {
  test("[B-16] each operation is 1 prepared statement outside of any transaction", async () => {
    const [one, two, three] = [1, 2, 3].map(() => recordOf(clock, "ada"));
    if (!one || !two || !three) throw new Error("three");
    const now = clock.now();
    const next = { ...two, key: recordOf(clock, "ada").key };
    const rotated = { why: "rotated", at: now } as const;
    const admission = { max: 2, onLimit: "evict-oldest" } as const;
    const owner = ownerOf("ada");
    const operations: readonly (readonly [string, () => Promise<unknown>])[] = [
      ["create", () => store.create(one)],
      ["create with a limit", () => store.create(two, admission)],
      ["adopt", () => store.adopt(three, admission)],
      ["read", () => Promise.resolve(store.read(two))],
      ["read by handle", () => Promise.resolve(store.read({ kind: two.kind, handle: two.handle }))],
      ["update", () => store.update(two, { payload: "", seenAt: now, expiresAt: now + HOUR }, 1)],
      ["touch", () => store.touch(two, now + 1, now + HOUR)],
      ["replace", () => store.replace(two, next, { expectedVersion: 2, ending: rotated })],
      ["listOwner", () => store.listOwner("session", owner)],
      ["count", () => store.count("session")],
      ["owners", () => store.owners("session")],
      ["end", () => store.end(three, LOGOUT)],
      ["consume", () => store.consume(next)],
      ["endOwner", () => store.endOwner("session", owner, LOGOUT)],
      ["endAll", () => store.endAll("session", LOGOUT)],
    ];
    for (const [name, operation] of operations) {
      const cost = await costOf(operation);
      expect(cost, name).toHaveLength(1);
      expect(cost[0]?.name, name).toMatch(/^sojourn_\w+_[0-9a-f]{16}$/);
      expect(cost[0]?.text, name).toMatch(/^SELECT /);
    }
  });

  test("[B-08] revokeEveryone writes 1 row, however many sessions there are", async () => {
    await Promise.all(Array.from({ length: 500 }, () => store.create(recordOf(clock, "ada"))));
    const before = await server.query("SELECT xmin::text, ctid::text FROM sojourn_records");
    await store.endAll("session", LOGOUT);
    expect(await server.query("SELECT xmin::text, ctid::text FROM sojourn_records")).toEqual(
      before,
    );
    expect((await store.count("session")).active).toBe(0);
    expect(await server.query("SELECT number::int FROM sojourn_generations")).toEqual([
      { number: 0 },
    ]);
  });

  test("[B-15] reading, listing and counting write nothing, also what has expired", async () => {
    const [alive, expired] = [
      recordOf(clock, "ada"),
      recordOf(clock, "ada", { expiresAt: clock.now() - 1 }),
    ];
    await store.create(alive);
    await store.create(expired);
    const before = await server.query(
      "SELECT xmin::text, xmax::text, ctid::text FROM sojourn_records",
    );
    for (const record of [alive, expired]) {
      await store.read(record);
      await store.read({ kind: record.kind, handle: record.handle });
    }
    await store.listOwner("session", ownerOf("ada"));
    for await (const _ of store.scan("session"));
    await store.count("session");
    await store.owners("session");
    expect(
      await server.query("SELECT xmin::text, xmax::text, ctid::text FROM sojourn_records"),
    ).toEqual(before);
  });

  test("[B-14] a touch that comes too late, or moves nothing, writes nothing", async () => {
    const ended = recordOf(clock, "ada");
    const kept = recordOf(clock, "ada");
    await store.create(ended);
    await store.create(kept);
    await store.end(ended, LOGOUT);
    const before = await server.query("SELECT xmin::text, ctid::text FROM sojourn_records");
    expect(await store.touch(ended, clock.now() + 1, clock.now() + HOUR)).toBe(false);
    expect(await store.touch(kept, kept.seenAt, 0)).toBe(true);
    expect(await server.query("SELECT xmin::text, ctid::text FROM sojourn_records")).toEqual(
      before,
    );
  });
});

describe("with 20,000 sessions", () => {
  /** As many rows as a filled table has, without 20,000 round trips. */
  const fill = async (): Promise<void> => {
    const template = recordOf(clock, "template");
    await store.create(template);
    await server.query(
      `INSERT INTO sojourn_records (kind, key, handle, owner, version, created_at, seen_at, expires_at,
         absolute_expires_at, payload, generation, due_at)
       SELECT kind, key || n, handle || n, 'abc.user ' || n % 5000, 1, created_at, seen_at, expires_at,
         absolute_expires_at, payload, generation, due_at + n
       FROM sojourn_records, generate_series(1, 20000) n WHERE key = $1`,
      [template.key],
    );
    await server.query("ANALYZE");
  };
  const uses = async (): Promise<Record<string, number>> => {
    const rows = await server.query(
      `SELECT indexrelname AS name, idx_scan::int AS n FROM pg_stat_user_indexes WHERE relname = 'sojourn_records'
       UNION ALL SELECT 'whole', seq_scan::int FROM pg_stat_user_tables WHERE relname = 'sojourn_records'`,
    );
    return Object.fromEntries(rows.map(({ name, n }) => [String(name), Number(n)]));
  };
  /** By which indexes it goes; a connection tells what it did when it ends. */
  const indexesOf = async (run: (store: Store) => Promise<unknown>): Promise<string[]> => {
    const mine = server.pool({ max: 1 });
    const its = postgresStore({ pool: mine, events: false });
    const before = await uses();
    for (let times = 0; times < 8; times += 1) await run(its);
    await its.close();
    await mine.end();
    await new Promise((resolve) => {
      setTimeout(resolve, 100);
    });
    const after = await uses();
    return Object.keys(after).filter((name) => (after[name] ?? 0) > (before[name] ?? 0));
  };

  test("[B-16] nothing but count reads the whole table", { timeout: 60_000 }, async () => {
    await fill();
    const key = (record: StoredRecord): string => record.key;
    const one = recordOf(clock, "ada");
    await store.create(one);
    const now = clock.now();
    const owner = ownerOf("ada");
    const admission = { max: 2, onLimit: "evict-oldest" } as const;
    const [primary, handle, byOwner, due] = ["key", "handle", "owner", "due"].map(
      (what) => `sojourn_${what}`,
    );
    const create = (to: Store) => to.create(recordOf(clock, "eve"), admission);
    const rotate = async (to: Store): Promise<void> => {
      const present = await to.read({ kind: one.kind, handle: one.handle });
      if (present === null || "ending" in present) throw new Error(key(one));
      const next = { ...present, key: recordOf(clock, "ada").key };
      const ending = { why: "rotated", at: now } as const;
      await to.replace(present, next, { expectedVersion: 1, ending, admission });
    };
    const reap = (): Promise<unknown> =>
      server.query(statementsFor(namesFor("public", "sojourn")).reap.text, [now, 10]);
    expect(await indexesOf((to) => Promise.resolve(to.read(one)))).toEqual([primary]);
    expect(
      await indexesOf((to) => Promise.resolve(to.read({ kind: one.kind, handle: one.handle }))),
    ).toEqual([handle]);
    expect(await indexesOf((to) => to.touch(one, now, now + HOUR))).toEqual([primary]);
    expect(await indexesOf((to) => to.listOwner("session", owner))).toEqual([byOwner]);
    expect(await indexesOf((to) => to.owners("session", null, 10))).toEqual([byOwner]);
    expect(await indexesOf((to) => to.scan("session")[Symbol.asyncIterator]().next())).toEqual([
      handle,
    ]);
    expect((await indexesOf(create)).toSorted()).toEqual([primary, handle, byOwner].toSorted());
    expect((await indexesOf(rotate)).toSorted()).toEqual([primary, handle, byOwner].toSorted());
    expect((await indexesOf((to) => to.endOwner("session", owner, LOGOUT))).toSorted()).toEqual([
      primary,
      byOwner,
    ]);
    expect(await indexesOf(reap)).toContain(due);
    expect(await indexesOf(reap)).not.toContain("whole");
  });

  test("[B-03] touches are written in place: no index grows", async () => {
    const record = recordOf(clock, "ada");
    await store.create(record);
    const mine = server.pool({ max: 1 });
    const its = postgresStore({ pool: mine, events: false });
    for (let times = 1; times <= 50; times += 1) {
      await its.touch(record, record.seenAt + times, record.expiresAt + times);
    }
    await its.close();
    await mine.end();
    await new Promise((resolve) => {
      setTimeout(resolve, 100);
    });
    const [stats] = await server.query(
      "SELECT n_tup_upd::int AS updated, n_tup_hot_upd::int AS hot FROM pg_stat_user_tables WHERE relname = 'sojourn_records'",
    );
    expect(stats).toEqual({ updated: 50, hot: 50 });
  });
});

describe("statements of a request", () => {
  const facts = (cookieHeader?: string) => ({
    cookieHeader,
    secure: true,
    client: () => ({ ip: "192.0.2.1", userAgent: "test" }),
  });
  const manager = () => createSessionManager({ secret: "x".repeat(32), logger: false, store });

  test("[E-21] unchanged: 1; changed: 2; forged: none; a login with a limit: at most 2", async () => {
    const { pipeline } = manager();
    const first = await pipeline.begin(facts());
    first.session.set("cart", [1]);
    const { cookie } = await pipeline.commit(first);
    const jar = `${cookie?.name}=${cookie?.value}`;
    const request = async (change: boolean, header: string): Promise<void> => {
      const exchange = await pipeline.begin(facts(header));
      if (change) exchange.session.set("cart", [Math.random()]);
      await pipeline.commit(exchange);
    };
    expect(await costOf(() => request(false, jar))).toHaveLength(1);
    expect(await costOf(() => request(true, jar))).toHaveLength(2);
    const forged = `${cookie?.name}=${cookie?.value.slice(0, -5)}AAAAA`;
    expect(await costOf(async () => pipeline.begin(facts(forged)))).toHaveLength(0);
    const login = await costOf(async () => {
      const exchange = await pipeline.begin(facts());
      await exchange.session.login("ada", { max: 1 });
      await pipeline.commit(exchange);
    });
    expect(login.length).toBeLessThanOrEqual(2);
  });

  test("[T-TIME] no token is in any row after a login, a rotation and a logout", async () => {
    const { pipeline } = manager();
    const secrets: string[] = [];
    let jar: string | undefined;
    const step = async (act: (session: Session) => Promise<unknown>): Promise<void> => {
      const exchange = await pipeline.begin(facts(jar));
      await act(exchange.session);
      const { cookie } = await pipeline.commit(exchange);
      if (!cookie) return;
      jar = `${cookie.name}=${cookie.value}`;
      const secret = cookie.value.split(".")[1];
      if (secret) secrets.push(secret);
    };
    await step(async (session) => session.set("cart", [1]));
    await step((session) => session.login("ada", { max: 1 }));
    await step((session) => session.rotate());
    const rows = await server.query("SELECT * FROM sojourn_records");
    await step((session) => session.logout());
    const text = JSON.stringify([
      ...rows,
      ...(await server.query("SELECT * FROM sojourn_records")),
    ]);
    expect(secrets.length).toBeGreaterThanOrEqual(3);
    expect(text).toContain("ada");
    for (const secret of secrets) {
      expect(secret.length).toBeGreaterThan(40);
      expect(text).not.toContain(secret);
    }
  });
  type Session = Awaited<ReturnType<ReturnType<typeof manager>["pipeline"]["begin"]>>["session"];
});
