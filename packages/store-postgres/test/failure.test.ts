/** [B-20] A server that dies, hangs, is full or read-only: clear errors in time, and recovery without a restart. */
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { inspect } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type pg from "pg";
import { systemClock as clock } from "@sojourn/core/store";
import type { Store } from "@sojourn/core/store";
import { ownerOf, recordOf } from "../../../test/support/records.ts";
import { eventually, rejection } from "../../../test/support/waiting.ts";
import { postgresStore } from "../src/index.ts";
import type { PostgresStoreOptions } from "../src/index.ts";
import { startDurableServer, startReplica, startServer } from "./support/server.ts";
import type { Server } from "./support/server.ts";

const LOGOUT = { why: "logout", at: 0 } as const;
/** Of a manager, for a call of the store. */
const DEADLINE = 2_000;
const PATIENCE = 120_000;
const unavailable: unknown = expect.objectContaining({ code: "SOJOURN_STORE_UNAVAILABLE" });
const coded = (code: string): unknown => expect.objectContaining({ code });

async function inTime(answer: unknown, code: string): Promise<unknown> {
  const started = performance.now();
  const error = await rejection(answer);
  expect(error).toEqual(coded(code));
  expect(performance.now() - started).toBeLessThan(DEADLINE);
  return error;
}

describe.each(["url", "pool"])("a server that is stopped and started again (%s)", (way) => {
  let server: Server;
  let pool: pg.Pool | null = null;
  let store: Store;
  beforeAll(async () => {
    server = await startDurableServer();
    if (way === "pool") {
      pool = server.pool();
      pool.removeAllListeners("error");
    }
    store = postgresStore(pool === null ? { url: server.url } : { pool });
  });
  afterAll(async () => {
    await store.close();
    await pool?.end();
    await server.stop();
  });

  test.each(["SIGINT", "SIGKILL"] as const)(
    "[B-20] after %s every operation is refused in time, nothing acknowledged is lost, and it goes on by itself",
    { timeout: PATIENCE },
    async (signal) => {
      const kept = recordOf(clock, "ada");
      await store.create(kept);
      const records = Array.from({ length: 300 }, () => recordOf(clock, "bob"));
      const ended: string[] = [];
      const created: string[] = [];
      const storm = Promise.all(
        records.map(async (record, index) => {
          try {
            await store.create(record);
            created.push(record.handle);
            if (index % 3 === 0 && (await store.end(record, LOGOUT))) ended.push(record.handle);
          } catch (error) {
            expect(error).toEqual(unavailable);
          }
        }),
      );
      await eventually(async () => created.length > 20);
      await server.end(signal);
      await storm;
      await inTime(store.read(kept), "SOJOURN_STORE_UNAVAILABLE");
      await inTime(store.create(recordOf(clock, null)), "SOJOURN_STORE_UNAVAILABLE");
      await inTime(store.touch(kept, clock.now(), 0), "SOJOURN_STORE_UNAVAILABLE");
      await inTime(store.endOwner("session", ownerOf("bob"), LOGOUT), "SOJOURN_STORE_UNAVAILABLE");
      await inTime(store.count("session"), "SOJOURN_STORE_UNAVAILABLE");
      await server.start();
      await eventually(
        async () => (await Promise.resolve(store.read(kept)).catch(() => null)) !== null,
      );
      expect(await store.read(kept)).toEqual(kept);
      expect(created.length).toBeLessThan(300);
      for (const record of records.filter(({ handle }) => created.includes(handle))) {
        const found = await store.read(record);
        expect(found).not.toBeNull();
        if (ended.includes(record.handle)) expect(found).toMatchObject({ ending: LOGOUT });
      }
      expect((await store.create(recordOf(clock, "bob"))).status).toBe("created");
    },
  );

  test("[B-20] a connection that an administrator ends is replaced", async () => {
    const kept = recordOf(clock, "ada");
    await store.create(kept);
    await server.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()",
    );
    await eventually(
      async () => (await Promise.resolve(store.read(kept)).catch(() => null)) !== null,
    );
    expect(await store.read(kept)).toEqual(kept);
  });
});

describe("what a server says", () => {
  let server: Server;
  const made: Store[] = [];
  const pools: pg.Pool[] = [];
  beforeAll(async () => {
    server = await startServer("max_connections=30", "deadlock_timeout=100ms");
  });
  afterEach(async () => {
    await Promise.all(made.splice(0).map((store) => store.close()));
    await Promise.all(pools.splice(0).map((pool) => pool.end()));
  });
  afterAll(() => server.stop());

  function storeOf(options: Partial<PostgresStoreOptions> = {}): Store {
    const where = options.pool ? {} : { url: server.url };
    const store = postgresStore({ ...where, ...options });
    made.push(store);
    return store;
  }
  function poolOf(config: pg.PoolConfig): pg.Pool {
    const pool = server.pool(config);
    pools.push(pool);
    return pool;
  }

  test("[B-20] nobody at the address, at the start: refused in time, without the password", async () => {
    const store = storeOf({ url: "postgres://ada:hunter2@127.0.0.1:1/app" });
    const error = await inTime(
      Promise.resolve(store.read(recordOf(clock, null))),
      "SOJOURN_STORE_UNAVAILABLE",
    );
    expect(inspect(error)).toContain("ECONNREFUSED");
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain("hunter2");
  });

  test("[B-18] a pool without a free connection: refused in time, and nothing is written later", async () => {
    const pool = poolOf({ max: 2 });
    const store = storeOf({ pool, events: false });
    await store.open?.();
    const held = [await pool.connect(), await pool.connect()];
    const record = recordOf(clock, "ada");
    const error = await inTime(store.create(record), "SOJOURN_STORE_UNAVAILABLE");
    expect(String(error)).toContain("all 2 connections of the pool");
    for (const client of held) client.release();
    expect(await store.read(record)).toBeNull();
    await store.create(record);
    expect(pool.idleCount).toBe(pool.totalCount);
    expect(pool.waitingCount).toBe(0);
  });

  test("[B-20] no connection left on the server: SOJOURN_STORE_UNAVAILABLE that names max_connections", async () => {
    const pool = poolOf({ max: 40 });
    const store = storeOf();
    const opening = Array.from({ length: 40 }, () => pool.connect().catch(() => null));
    const clients = await Promise.all(opening);
    const error = await inTime(
      Promise.resolve(store.read(recordOf(clock, null))),
      "SOJOURN_STORE_UNAVAILABLE",
    );
    expect(String(error)).toContain("max_connections");
    for (const client of clients) client?.release(true);
    await eventually(async () => {
      const found = await Promise.resolve(store.read(recordOf(clock, null))).catch(() => "refused");
      return found === null;
    });
  });

  test("[B-20] a pool whose owner has ended it: SOJOURN_STORE_UNAVAILABLE", async () => {
    const pool = server.pool();
    const store = storeOf({ pool });
    await store.open?.();
    await pool.end();
    await inTime(store.read(recordOf(clock, null)), "SOJOURN_STORE_UNAVAILABLE");
  });

  test("[E-01] a connection that is ended in the message that says it is ready harms nobody", async () => {
    const message = (type: string, body: Buffer): Buffer => {
      const head = Buffer.alloc(5);
      head.write(type);
      head.writeInt32BE(body.length + 4, 1);
      return Buffer.concat([head, body]);
    };
    const fatal = message("E", Buffer.from("SFATAL\0VFATAL\0C57P01\0Mterminated\0\0"));
    const ready = [message("R", Buffer.alloc(4)), message("Z", Buffer.from("I")), fatal];
    const broken = createServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", () => socket.end(Buffer.concat(ready)));
    });
    broken.listen(0, "127.0.0.1");
    await once(broken, "listening");
    const { port } = broken.address() as AddressInfo;
    const store = storeOf({ url: `postgres://ada@127.0.0.1:${port}/app?sslmode=disable` });
    for (let time = 0; time < 20; time += 1) {
      await expect(store.read(recordOf(clock, "ada"))).rejects.toMatchObject({
        code: "SOJOURN_STORE_UNAVAILABLE",
      });
    }
    await store.close();
    broken.close();
  });

  test("[E-01] a pool that is given stays open, and keeps none of our listeners", async () => {
    const pool = poolOf({});
    const listeners = pool.listenerCount("error");
    const store = storeOf({ pool });
    await store.create(recordOf(clock, "ada"));
    const client = await pool.connect();
    const ofClient = client.listenerCount("error");
    client.release();
    await store.close();
    expect(pool.listenerCount("error")).toBe(listeners);
    expect(pool.listenerCount("connect")).toBe(0);
    expect((await pool.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
    const again = await pool.connect();
    expect(again.listenerCount("error")).toBe(ofClient);
    again.release();
  });

  test("[E-01] a pool of its own ends with the store: no connection is left", async () => {
    const url = `${server.url}?application_name=mine`;
    const mine = "SELECT FROM pg_stat_activity WHERE application_name = 'mine'";
    const store = storeOf({ url });
    await Promise.all(Array.from({ length: 20 }, () => store.create(recordOf(clock, "ada"))));
    expect((await server.query(mine)).length).toBeGreaterThan(1);
    await store.close();
    await eventually(async () => (await server.query(mine)).length === 0, 2_000);
  });

  test("[B-20] default_transaction_read_only: reads go on, writes are refused", async () => {
    const writer = storeOf();
    const record = recordOf(clock, "ada");
    await writer.create(record);
    const pool = poolOf({ options: "-c default_transaction_read_only=on" });
    const store = storeOf({ pool });
    expect(await store.read(record)).toEqual(record);
    const error = await inTime(store.end(record, LOGOUT), "SOJOURN_STORE_UNAVAILABLE");
    expect(String(error)).toContain("read-only");
    expect(await store.read(record)).toEqual(record);
  });

  test("[B-05] a stricter isolation than READ COMMITTED is refused, for it would count what was", async () => {
    for (const isolation of ["repeatable read", "serializable"]) {
      const pool = poolOf({
        options: `-c default_transaction_isolation=${isolation.replace(" ", "\\ ")}`,
      });
      const store = storeOf({ pool });
      const error = await inTime(
        store.create(recordOf(clock, "ada"), { max: 1, onLimit: "reject" }),
        "SOJOURN_STORE_UNAVAILABLE",
      );
      expect(String(error)).toContain("READ COMMITTED");
    }
  });

  test("[B-20] a statement_timeout while another transaction holds the row: SOJOURN_STORE_TIMEOUT", async () => {
    const pool = poolOf({ options: "-c statement_timeout=100" });
    const store = storeOf({ pool });
    const record = recordOf(clock, "ada");
    await store.create(record);
    const other = await poolOf({}).connect();
    await other.query("BEGIN");
    await other.query("SELECT FROM sojourn_records WHERE key = $1 FOR UPDATE", [record.key]);
    await inTime(store.end(record, LOGOUT), "SOJOURN_STORE_TIMEOUT");
    await other.query("COMMIT");
    other.release();
    expect(await store.end(record, LOGOUT)).toMatchObject({ ending: LOGOUT });
  });

  test("[B-14] a deadlock is tried again, and nobody is told", async () => {
    const store = storeOf();
    const [first, second] = [recordOf(clock, "dead lock"), recordOf(clock, "dead lock")];
    await store.create(first);
    await store.create(second);
    const other = await poolOf({}).connect();
    const lock = "SELECT FROM sojourn_records WHERE key = $1 FOR UPDATE";
    await other.query("BEGIN");
    await other.query("SET LOCAL deadlock_timeout = '10s'");
    await other.query(lock, [second.key]);
    const ending = store.endOwner("session", ownerOf("dead lock"), LOGOUT);
    await eventually(async () => {
      const waiting = "SELECT FROM pg_locks WHERE NOT granted";
      return (await server.query(waiting)).length > 0;
    });
    await other.query(lock, [first.key]);
    await other.query("COMMIT");
    other.release();
    expect(await ending).toBe(2);
    await store.close(); // a connection that ends says what it saw
    const stats = "SELECT deadlocks FROM pg_stat_database WHERE datname = 'postgres'";
    await eventually(async () => Number((await server.query(stats))[0]?.["deadlocks"]) > 0);
  });

  test("[T-LOG] what Postgres says of values and rows is on no error", async () => {
    const store = storeOf();
    const record = recordOf(clock, "ada", { payload: "hunter2" });
    await store.create(record);
    const error = await rejection(store.create(record));
    expect(error).toEqual(coded("SOJOURN_RECORD_EXISTS"));
    const twin = recordOf(clock, "ada", { handle: record.handle, payload: "hunter2" });
    const errors = [error, await rejection(store.create(twin))];
    await server.query("ALTER TABLE sojourn_records ADD CONSTRAINT theirs CHECK (version < 5)");
    const other = recordOf(clock, "ada", { version: 7, payload: "hunter2" });
    errors.push(await rejection(store.create(other)));
    await server.query("ALTER TABLE sojourn_records DROP CONSTRAINT theirs");
    for (const each of errors) {
      const text = inspect(each, { depth: 9, showHidden: true });
      for (const secret of ["hunter2", record.key, twin.key, other.key]) {
        expect(text).not.toContain(secret);
      }
    }
  });

  test("[B-20] a server that hangs: its connections are given up, and the store goes on when it is back", async () => {
    const store = storeOf({ events: false });
    const record = recordOf(clock, "ada");
    await store.create(record);
    server.signal("SIGSTOP");
    const backends = await backendsOf(server);
    for (const pid of backends) process.kill(pid, "SIGSTOP");
    try {
      const error = await rejection(store.read(record));
      expect(error).toEqual(coded("SOJOURN_STORE_TIMEOUT"));
      await inTime(store.read(record), "SOJOURN_STORE_UNAVAILABLE");
    } finally {
      for (const pid of backends) process.kill(pid, "SIGCONT");
      server.signal("SIGCONT");
    }
    await eventually(
      async () => (await Promise.resolve(store.read(record)).catch(() => null)) !== null,
    );
    expect(await store.read(record)).toEqual(record);
  });
});

describe("a replica", () => {
  test(
    "[B-20] reads what it has, refuses every write, and takes them when it is promoted",
    { timeout: PATIENCE },
    async () => {
      const primary = await startServer();
      const first = postgresStore({ url: primary.url });
      const record = recordOf(clock, "ada");
      await first.create(record);
      const server = await startReplica(primary);
      const store = postgresStore({ url: server.url });
      await eventually(async () => (await store.read(record)) !== null);
      const error = await inTime(store.end(record, LOGOUT), "SOJOURN_STORE_UNAVAILABLE");
      expect(String(error)).toContain("replica");
      await inTime(store.create(recordOf(clock, "ada")), "SOJOURN_STORE_UNAVAILABLE");
      await first.close();
      await primary.stop();
      await server.query("SELECT pg_promote()");
      expect(await store.end(record, LOGOUT)).toMatchObject({ ending: LOGOUT });
      await store.close();
      await server.stop();
    },
  );
});

/** The processes that serve the connections of a server. */
async function backendsOf(server: Server): Promise<number[]> {
  const { readFile, readdir } = await import("node:fs/promises");
  const found: number[] = [];
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, "utf8").catch(() => "");
    const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
    if (parent === server.pid) found.push(Number(name));
  }
  return found;
}
