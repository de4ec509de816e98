/** [C-19] Messages between processes: heard by all in time, and again after whatever cut the line. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type pg from "pg";
import { createSessionManager } from "@sojourn/core";
import type { Store } from "@sojourn/core/store";
import { Hearing, signalsIn } from "../../../test/support/hearing.ts";
import { eventually, rejection } from "../../../test/support/waiting.ts";
import { postgresStore } from "../src/index.ts";
import type { PostgresStoreOptions } from "../src/index.ts";
import { startServer } from "./support/server.ts";
import type { Server } from "./support/server.ts";

const IN_TIME = 100;
const PATIENCE = 120_000;
const made: { readonly store: Store; readonly pool: pg.Pool }[] = [];
afterEach(async () => {
  await Promise.all(made.map(({ store }) => store.close()));
  await Promise.all(made.splice(0).map(({ pool }) => pool.end()));
});

/** A store of its own pool, as another process has. */
function storeOf(server: Server, options: Partial<PostgresStoreOptions> = {}): Store {
  const pool = server.pool();
  const store = postgresStore({ pool, ...options });
  made.push({ store, pool });
  return store;
}

const send = (store: Store, text: string, topic = "session"): Promise<void> =>
  signalsIn(store).send(topic, text);
const sent = (store: Store, text: string): Promise<boolean> =>
  send(store, text).then(
    () => true,
    () => false,
  );

/** How many connections listen: their last statement was for it, or asked whether it still goes. */
async function listeners(server: Server): Promise<number> {
  const rows = await server.query(
    "SELECT FROM pg_stat_activity WHERE query ~ '^(LISTEN|UNLISTEN|SELECT 1)' AND pid <> pg_backend_pid()",
  );
  return rows.length;
}

async function cut(server: Server): Promise<void> {
  await server.query(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'",
  );
}

describe("one server", () => {
  let server: Server;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.stop());

  test("[C-19] every process hears a message within 100 ms, the sender too", async () => {
    const [here, there] = [storeOf(server), storeOf(server)];
    const hearings = [new Hearing(here), new Hearing(there)];
    await Promise.all(hearings.map((hearing) => hearing.open()));
    const took: number[] = [];
    for (let round = 0; round < 21; round += 1) {
      const started = performance.now();
      await send(here, `${round}`);
      await Promise.all(hearings.map((hearing) => hearing.hears(`${round}`)));
      took.push(performance.now() - started);
    }
    const rounds = Array.from({ length: 21 }, (_, round) => `${round}`);
    for (const { heard, opened } of hearings) expect([heard, opened]).toEqual([rounds, 1]);
    expect(took.toSorted((a, b) => a - b)[10]).toBeLessThan(IN_TIME);
  });

  test("[C-19] a session that is revoked on one manager is seen by the other one within 100 ms", async () => {
    const secret = "x".repeat(32);
    const [here, there] = [storeOf(server), storeOf(server)].map((store) =>
      createSessionManager({ secret, logger: false, store }),
    );
    if (!here || !there) throw new Error("two");
    const seen = new Map<string, number>();
    there.sessions.on("revoked", ({ handle }) => seen.set(String(handle), performance.now()));
    const first = await here.sessions.create({ principal: "ada" });
    await eventually(async () => {
      const { session } = await here.sessions.create({ principal: "bob" });
      await here.sessions.revoke(session.handle);
      return seen.size > 0;
    });
    const started = performance.now();
    await here.sessions.revoke(first.session.handle, "stolen");
    await eventually(async () => seen.has(first.session.handle));
    expect((seen.get(first.session.handle) ?? Infinity) - started).toBeLessThan(IN_TIME);
    await Promise.all([here.sessions.close(), there.sessions.close()]);
  });

  test("[C-19] topics, tables and schemas do not hear each other", async () => {
    const [plain, table] = [storeOf(server), storeOf(server, { table: "other" })];
    const schema = storeOf(server, { schema: "other" });
    const mine = await new Hearing(plain).open();
    const others = [new Hearing(plain, "grant"), new Hearing(table), new Hearing(schema)];
    await Promise.all(others.map((other) => other.open()));
    await send(plain, "for sessions");
    await mine.hears("for sessions");
    await send(plain, "for grants", "grant");
    await others[0]?.hears("for grants");
    await send(schema, "for the schema");
    await others[2]?.hears("for the schema");
    expect(mine.heard).toEqual(["for sessions"]);
    expect(others.map(({ heard }) => heard)).toEqual([["for grants"], [], ["for the schema"]]);
  });

  test("[C-19] any text up to 7,999 bytes arrives as it was; a longer one is SOJOURN_DATA_TOO_LARGE", async () => {
    const store = storeOf(server);
    const hearing = await new Hearing(store).open();
    const texts = ["", "a\u0000b\u0001", "'); --", "漢".repeat(2_666), "x".repeat(7_999)];
    for (const text of texts) {
      await send(store, text);
      await hearing.hears(text);
    }
    expect(hearing.heard).toEqual(texts);
    const tooLarge = { code: "SOJOURN_DATA_TOO_LARGE" };
    expect(await rejection(send(store, "x".repeat(8_000)))).toMatchObject(tooLarge);
    expect(await rejection(send(store, "\uD800"))).toMatchObject({ code: "SOJOURN_DATA_INVALID" });
  });

  test("[C-19] a listener that throws harms no other; one that has stopped hears no more", async () => {
    const store = storeOf(server);
    const thrower = signalsIn(store).listen("session", {
      message: () => {
        throw new Error("theirs");
      },
      opened: () => {
        throw new Error("theirs");
      },
    });
    const [first, second] = [new Hearing(store), new Hearing(store)];
    await Promise.all([first.open(), second.open()]);
    await send(store, "1");
    await Promise.all([first.hears("1"), second.hears("1")]);
    first.stop();
    first.stop();
    await send(store, "2");
    await second.hears("2");
    expect(first.heard).toEqual(["1"]);
    thrower();
    second.stop();
    await eventually(async () => (await listeners(server)) === 0);
    const again = await new Hearing(store).open();
    await send(store, "3");
    await again.hears("3");
  });

  test("[C-19] one connection hears all topics, leaves those nobody wants, and goes with the store", async () => {
    const store = storeOf(server);
    const hearings: Hearing[] = [];
    for (const topic of ["session", "session:acme", "grant"]) {
      hearings.push(await new Hearing(store, topic).open());
    }
    expect(await listeners(server)).toBe(1);
    hearings[2]?.stop();
    await send(store, "nobody", "grant");
    await send(store, "still");
    await hearings[0]?.hears("still");
    expect(await listeners(server)).toBe(1);
    await store.close();
    await eventually(async () => (await listeners(server)) === 0);
    expect(await rejection(send(store, "late"))).toMatchObject({ code: "SOJOURN_STORE_CLOSED" });
  });

  test("[C-19] a connection that is cut is made again, and says so", async () => {
    const store = storeOf(server);
    const hearing = await new Hearing(store).open();
    for (let times = 2; times < 5; times += 1) {
      await cut(server);
      await hearing.open(times);
      await send(store, `${times}`);
      await hearing.hears(`${times}`);
    }
  });

  test("[C-19] listening waits for a pool that has no connection free, and begins when it has", async () => {
    const pool = server.pool({ max: 2 });
    const store = postgresStore({ pool });
    made.push({ store, pool });
    const held = [await pool.connect(), await pool.connect()];
    const hearing = new Hearing(store);
    await new Promise((resolve) => {
      setTimeout(resolve, 100);
    });
    expect(hearing.opened).toBe(0);
    for (const client of held) client.release();
    await hearing.open();
    await send(store, "there");
    await hearing.hears("there");
  });

  test("[C-19] with events: false there are no signals", () => {
    expect(storeOf(server).signals).toBeDefined();
    expect(storeOf(server, { events: false }).signals).toBeUndefined();
  });
});

describe("a server that goes away", () => {
  test(
    "[C-19] is killed and comes back: listening begins again by itself",
    { timeout: PATIENCE },
    async () => {
      const server = await startServer();
      const store = storeOf(server);
      const hearing = await new Hearing(store).open();
      await server.end("SIGKILL");
      await eventually(async () => !(await sent(store, "lost")));
      await server.start();
      await hearing.open(2);
      await eventually(() => sent(store, "back"));
      await hearing.hears("back");
      expect(hearing.heard).not.toContain("lost");
      await store.close();
      await server.stop();
    },
  );

  test(
    "[C-19] says nothing at all: listening begins again when it speaks",
    { timeout: PATIENCE },
    async () => {
      const server = await startServer();
      const store = storeOf(server);
      const hearing = await new Hearing(store).open();
      const [listener] = await server.query(
        "SELECT pid FROM pg_stat_activity WHERE query ~ '^LISTEN'",
      );
      const pid = Number(listener?.["pid"]);
      process.kill(pid, "SIGSTOP");
      await hearing.open(2);
      await send(store, "back");
      await hearing.hears("back");
      process.kill(pid, "SIGCONT");
      await store.close();
      await server.stop();
    },
  );
});
