/** How many commands and writes a request costs, and that no token is anywhere in the database. */
import { createHash } from "node:crypto";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Redis } from "ioredis";
import { createSessionManager } from "@sojourn/core";
import { systemClock } from "@sojourn/core/store";
import type { Store } from "@sojourn/core/store";
import { ownerOf, recordOf } from "../../../test/support/records.ts";
import { commandsOf } from "./support/commands.ts";
import { indexOf, nameOf } from "./support/names.ts";
import { runningServer } from "./support/running.ts";
import type { RunningServer } from "./support/running.ts";

let admin: Redis;
let storeOf: RunningServer["storeOf"];
let store: Store;
beforeAll(async () => {
  const running = await runningServer();
  ({ admin, storeOf } = running);
  return running.stop;
});
beforeEach(async () => {
  await admin.flushall();
  store = storeOf();
  return () => store.close();
});

const UNWANTED = ["eval", "multi", "keys", "scan", "zscan"];

/** Runs it twice, and gives the scripts and writes of the second time: the first one loads them. */
async function costOf(run: () => Promise<unknown>): Promise<{ scripts: number; writes: number }> {
  await run();
  const before = await changes();
  const commands = await commandsOf([admin], run);
  for (const name of UNWANTED) expect(commands.has(name), name).toBe(false);
  return { scripts: commands.get("evalsha") ?? 0, writes: (await changes()) - before };
}

async function changes(): Promise<number> {
  const info = await admin.info("persistence");
  return Number(/rdb_changes_since_last_save:(\d+)/.exec(info)?.[1]);
}

describe("commands of the store", () => {
  test("a read is 1 command, and writes nothing", async () => {
    const record = recordOf(systemClock, "ada");
    await store.create(record);
    const cost = await costOf(() => Promise.resolve(store.read(record)));
    expect(cost).toEqual({ scripts: 1, writes: 0 });
  });

  test("a list is 1 command, counts and pages are 64 or less, and none writes", async () => {
    const users = Array.from({ length: 500 }, (_, index) => `user ${index}`);
    await Promise.all(users.map((user) => store.create(recordOf(systemClock, user))));
    const list = await costOf(() => store.listOwner("session", ownerOf("user 7")));
    expect(list).toEqual({ scripts: 1, writes: 0 });
    const count = await costOf(() => store.count("session"));
    expect(count).toEqual({ scripts: 64, writes: 0 });
    const page = await costOf(() => store.owners("session"));
    expect(page.scripts).toBeLessThan(64);
    expect(page.writes).toBe(0);
  });
});

describe("commands of a request", () => {
  const facts = (cookieHeader?: string) => ({
    cookieHeader,
    secure: true,
    client: () => ({ ip: "192.0.2.1", userAgent: "test" }),
  });
  const manager = () => createSessionManager({ secret: "x".repeat(32), logger: false, store });

  test("unchanged: 1 command, no write; changed: 1 script more; forged: 0 commands", async () => {
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
    expect(await costOf(() => request(false, jar))).toMatchObject({ scripts: 1, writes: 0 });
    const changed = await costOf(() => request(true, jar));
    expect(changed).toMatchObject({ scripts: 2 });
    expect(changed.writes).toBeGreaterThan(0);
    const forged = `${cookie?.name}=${cookie?.value.slice(0, -5)}AAAAA`;
    const refused = await costOf(async () => pipeline.begin(facts(forged)));
    expect(refused).toEqual({ scripts: 0, writes: 0 });
  });

  test("a login with a limit is at most 2 scripts", async () => {
    const { pipeline } = manager();
    const cost = await costOf(async () => {
      const exchange = await pipeline.begin(facts());
      await exchange.session.login("ada", { max: 1 });
      await pipeline.commit(exchange);
    });
    expect(cost.scripts).toBeLessThanOrEqual(2);
  });

  test("no token is in a key or in a value after a login, a rotation and a logout", async () => {
    const { pipeline } = manager();
    const tokens: string[] = [];
    let jar: string | undefined;
    const step = async (act: (session: Session) => Promise<unknown>): Promise<void> => {
      const exchange = await pipeline.begin(facts(jar));
      await act(exchange.session);
      const { cookie } = await pipeline.commit(exchange);
      if (!cookie) return;
      jar = `${cookie.name}=${cookie.value}`;
      if (cookie.value !== "") tokens.push(cookie.value);
    };
    await step(async (session) => session.set("cart", [1]));
    await step((session) => session.login("ada", { max: 1 }));
    await step((session) => session.rotate());
    const everything = await dump();
    await step((session) => session.logout());
    const text = everything + (await dump());
    expect(tokens.length).toBeGreaterThanOrEqual(3);
    for (const token of tokens) {
      const secret = token.split(".")[1] ?? "";
      expect(secret.length).toBeGreaterThan(40);
      expect(text).not.toContain(secret);
      const hash = createHash("sha256").update(token.split(".").slice(0, 2).join("."));
      const digest = hash.digest("base64url");
      expect(text).toContain(digest.slice(0, 22));
      expect(text).toContain(digest.slice(22));
    }
  });
  type Session = Awaited<ReturnType<ReturnType<typeof manager>["pipeline"]["begin"]>>["session"];
});

describe("what is kept", () => {
  test("every key but a generation goes away by itself, a record an hour after its deadline", async () => {
    const record = recordOf(systemClock, "ada");
    await store.create(record);
    await store.endOwner("session", ownerOf("bob"), { why: "revoked", at: 0 });
    await store.endAll("other", { why: "revoked", at: 0 });
    for (const name of await admin.keys("*")) {
      if (name.endsWith("/e")) expect(await admin.pttl(name)).toBe(-1);
      else expect(await admin.pttl(name)).toBeGreaterThan(0);
    }
    const life = 1_800_000 + 3_600_000 + 60_000;
    expect(await admin.pttl(nameOf(record))).toBeLessThanOrEqual(life);
    expect(await admin.pttl(nameOf(record))).toBeGreaterThan(life - 10_000);
  });

  test("an index lives at least as long as each record in it, whichever came first", async () => {
    const lives = [2, 1, 5, 3].map((hours) => hours * 3_600_000);
    const now = systemClock.now();
    for (const [n, life] of lives.entries()) {
      const record = recordOf(systemClock, "carol", { absoluteExpiresAt: now + life });
      await store.create(record);
      const longest = Math.max(...lives.slice(0, n + 1));
      for (const name of [indexOf(record, "i"), indexOf(record, "n")])
        expect(await admin.pttl(name)).toBeGreaterThan(longest + 3_600_000 - 10_000);
    }
  });

  test("revokeAll ends a session that the owner's index has lost, and spares the one to keep", async () => {
    const [lost, kept] = [recordOf(systemClock, "ada"), recordOf(systemClock, "ada")];
    await store.create(lost);
    await store.create(kept);
    await admin.zremrangebyscore(indexOf(lost, "i"), "-inf", "inf");
    const names = await admin.zrange(indexOf(lost, "n"), "0", "-1");
    await admin.zrem(indexOf(lost, "n"), ...names.filter((name) => name.startsWith("o")));
    const ending = { why: "revoked", at: systemClock.now(), reason: "stolen" } as const;
    await store.endOwner("session", ownerOf("ada"), ending, kept.handle);
    expect(await store.read(lost)).toMatchObject({ ending });
    expect(await store.touch(lost, systemClock.now(), systemClock.now())).toBe(false);
    expect(await store.read(kept)).toEqual(kept);
  });

  test("an entry without its record is neither listed nor counted by a limit", async () => {
    const [gone, next] = [recordOf(systemClock, "ada"), recordOf(systemClock, "ada")];
    await store.create(gone);
    await admin.del(nameOf(gone));
    expect(await store.listOwner("session", ownerOf("ada"))).toEqual([]);
    const outcome = await store.create(next, { max: 1, onLimit: "reject" });
    expect(outcome).toEqual({ status: "created", evicted: [] });
  });
});

/** Every key and every value. */
async function dump(): Promise<string> {
  const parts: string[] = [];
  for (const name of await admin.keys("*")) {
    const type = await admin.type(name);
    if (type === "string") parts.push(name, (await admin.get(name)) ?? "");
    else parts.push(name, ...(await admin.zrange(name, "0", "-1")));
  }
  return parts.join("\n");
}
