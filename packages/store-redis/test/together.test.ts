/** What many ask in one turn of the event loop is asked at once, and told to each as if it had asked alone. */
import type { Redis } from "ioredis";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { isTombstone, systemClock as clock } from "@sojourn/core/store";
import type { Change, Store, StoredRecord } from "@sojourn/core/store";
import { redisStore } from "../src/index.ts";
import { recordOf } from "../../../test/support/records.ts";
import { times } from "../../../test/support/times.ts";
import { eventually, outcome, rejection } from "../../../test/support/waiting.ts";
import { commandsOf } from "./support/commands.ts";
import { indexOf, nameOf } from "./support/names.ts";
import { runningServer } from "./support/running.ts";
import type { RunningServer } from "./support/running.ts";

let admin: Redis;
let store: Store;
let storeOf: RunningServer["storeOf"];
beforeAll(async () => {
  const running = await runningServer();
  ({ admin, storeOf } = running);
  store = storeOf();
  return running.stop;
});
beforeEach(() => admin.flushall());

async function kept(fields?: Partial<StoredRecord>): Promise<StoredRecord> {
  const record = recordOf(clock, null, fields);
  await store.create(record);
  return record;
}

const read = (record: StoredRecord) => outcome(store.read(record));
const changed = (payload: string): Change => ({
  seenAt: clock.now(),
  expiresAt: clock.now() + 1_000,
  payload,
});
const update = async (record: StoredRecord, payload: string, version = 1) => {
  const updated = await outcome(store.update(record, changed(payload), version));
  return typeof updated === "string" ? updated : updated.status;
};

/** One of each kind that a read can meet. */
async function oneOfEach(): Promise<StoredRecord[]> {
  const ended = await kept();
  await store.end(ended, { why: "revoked", at: clock.now() });
  const [corrupt, other] = [recordOf(clock, null), recordOf(clock, null)];
  await admin.set(nameOf(corrupt), "theirs");
  await admin.hset(nameOf(other), "theirs", "1");
  const newer = recordOf(clock, null);
  await admin.set(nameOf(newer), "r2");
  const odd = (key: string): StoredRecord => recordOf(clock, null, { key: key as never });
  const isAbsent = recordOf(clock, null);
  return [await kept(), ended, corrupt, isAbsent, other, odd("odd"), newer, odd(""), await kept()];
}

describe("reads", () => {
  test("of one turn: one command for eight, each told what it would be told alone", async () => {
    const records = await oneOfEach();
    const alone = [];
    for (const record of records) alone.push(await read(record));
    const together: unknown[] = [];
    const commands = await commandsOf([admin], async () => {
      together.push(...(await Promise.all(records.map(read))));
    });
    expect(together).toEqual(alone);
    expect(together).toEqual([
      expect.objectContaining({ payload: records[0]?.payload }),
      expect.objectContaining({ ending: expect.anything() }),
      "SOJOURN_STORE_CORRUPT",
      null,
      "SOJOURN_STORE_CORRUPT",
      null,
      "SOJOURN_STORE_NEWER_FORMAT",
      null,
      expect.objectContaining({ payload: records[8]?.payload }),
    ]);
    expect(commands.get("evalsha")).toBe(2);
  });

  test("of several kinds are told of their own", async () => {
    const one = await kept();
    const other: StoredRecord = { ...recordOf(clock, null), kind: "other" };
    await store.create(other);
    const asked = [one, other, { ...one, kind: "other" }, { ...other, kind: "session" }, one];
    const found = await Promise.all(asked.map(read));
    expect(found).toMatchObject([
      { kind: "session", key: one.key },
      { kind: "other", key: other.key },
      null,
      null,
      { kind: "session", key: one.key },
    ]);
  });

  test("by handle beside reads by key", async () => {
    const [one, other] = [await kept(), await kept()];
    const byHandle = outcome(store.read({ kind: other.kind, handle: other.handle }));
    expect(await Promise.all([read(one), byHandle, read(other)])).toMatchObject([
      { key: one.key },
      { key: other.key },
      { key: other.key },
    ]);
  });

  test("of 500 records at once, each of them its own", async () => {
    const records = await Promise.all(times(500, (index) => kept({ payload: String(index) })));
    const found = await Promise.all(records.map(read));
    expect(found.map((each) => (each as StoredRecord).payload)).toEqual(times(500, String));
  });
});

describe("updates", () => {
  test("of one turn: one command for eight, and what goes wrong with one is told of that one", async () => {
    const [one, other, stale, ended] = await Promise.all(times(4, () => kept()));
    if (!one || !other || !stale || !ended) throw new Error("four were kept");
    await store.end(ended, { why: "revoked", at: clock.now() });
    const corrupt = recordOf(clock, null);
    await admin.set(nameOf(corrupt), "theirs");
    const indexless = await kept();
    await admin.set(indexOf(indexless, "i"), "theirs");
    let told: unknown[] = [];
    const commands = await commandsOf([admin], async () => {
      told = await Promise.all([
        update(one, "new"),
        update(indexless, "new"),
        update(stale, "new", 7),
        update(ended, "new"),
        update(corrupt, "new"),
        update(recordOf(clock, null), "new"),
        update(other, "new\0ü\r\n"),
      ]);
    });
    expect(told).toEqual([
      "updated",
      "SOJOURN_STORE_CORRUPT",
      "conflict",
      "gone",
      "SOJOURN_STORE_CORRUPT",
      "gone",
      "updated",
    ]);
    expect(commands.get("evalsha")).toBe(1);
    expect(await read(one)).toMatchObject({ payload: "new", version: 2 });
    expect(await read(other)).toMatchObject({ payload: "new\0ü\r\n", version: 2 });
    expect(await read(stale)).toMatchObject({ payload: stale.payload, version: 1 });
  });

  test("a long one takes those before it along at once, and is not put together with more", async () => {
    const records = await Promise.all(times(4, () => kept()));
    const payloads = ["new", "x".repeat(70_000), "new", "new"];
    let told: unknown[] = [];
    const commands = await commandsOf([admin], async () => {
      told = await Promise.all(records.map((each, index) => update(each, payloads[index] ?? "")));
    });
    expect(told).toEqual(times(4, () => "updated"));
    expect(commands.get("evalsha")).toBe(2);
    expect(await Promise.all(records.map(read))).toMatchObject(
      payloads.map((payload) => ({ payload, version: 2 })),
    );
  });

  test("[G4] of one record in one turn: one is done, the others conflict", async () => {
    const record = await kept();
    const told = await Promise.all(times(20, (index) => update(record, String(index))));
    expect(told.filter((each) => each === "updated")).toHaveLength(1);
    expect(told.filter((each) => each === "conflict")).toHaveLength(19);
    expect(await read(record)).toMatchObject({ payload: String(told.indexOf("updated")) });
  });

  test("what is not storable is refused, and the others of its turn are done", async () => {
    const [one, other] = [await kept(), await kept()];
    const bad = { ...changed("new"), seenAt: Number.NaN };
    const refused = outcome(store.update(other, bad, 1));
    expect(await update(one, "new")).toBe("updated");
    expect(await refused).toMatch(/^SOJOURN_/);
    expect(await read(other)).toMatchObject({ version: 1 });
  });
});

test("reads and writes of one turn, of every sort", async () => {
  const [one, other, ended] = [await kept(), await kept(), await kept()];
  const [found, updated, tombstone, created] = await Promise.all([
    read(one),
    update(other, "new"),
    store.end(ended, { why: "revoked", at: clock.now() }),
    store.create(recordOf(clock, null)),
  ]);
  expect(found).toMatchObject({ key: one.key });
  expect(updated).toBe("updated");
  expect(tombstone && isTombstone(tombstone)).toBe(true);
  expect(created).toMatchObject({ status: "created" });
});

test("what failed with the connection before the turn ended is not sent later", async () => {
  const client = admin.duplicate();
  const losing = redisStore({ client });
  await losing.read(recordOf(clock, null));
  const record = await kept();
  const lost = outcome(losing.update(record, changed("late"), 1));
  client.emit("close");
  expect(await lost).toBe("SOJOURN_STORE_UNAVAILABLE");
  await new Promise(setImmediate);
  expect(await losing.read(record)).toMatchObject({ version: 1, payload: record.payload });
  await losing.close();
  client.disconnect();
});

test("what waits while the socket goes is refused, and is not done on the next connection", async () => {
  const client = admin.duplicate({ autoResendUnfulfilledCommands: false });
  const losing = redisStore({ client });
  await losing.read(recordOf(clock, null));
  const record = await kept();
  const lost = outcome(losing.update(record, changed("late"), 1));
  client.stream.destroy();
  expect(await lost).toBe("SOJOURN_STORE_UNAVAILABLE");
  expect(await rejection(losing.end(record, { why: "revoked", at: clock.now() }))).toMatchObject({
    code: "SOJOURN_STORE_UNAVAILABLE",
    message: expect.stringContaining('the connection is "closing"'),
  });
  await eventually(
    async () => (await outcome(losing.read(record))) !== "SOJOURN_STORE_UNAVAILABLE",
  );
  await losing.flush();
  expect(await losing.read(record)).toMatchObject({ version: 1, payload: record.payload });
  await losing.close();
  client.disconnect();
});

test("a key that is no text is refused alone", async () => {
  const record = await kept();
  const bad = { ...record, key: [record.key, record.key] as never };
  const [refused, found, changing] = await Promise.all([
    outcome(store.read(bad)),
    read(record),
    outcome(store.update(bad, changed("new"), 1)),
  ]);
  expect([refused, changing]).toEqual([
    expect.stringMatching(/^SOJOURN_/),
    expect.stringMatching(/^SOJOURN_/),
  ]);
  expect(found).toMatchObject({ key: record.key, version: 1 });
});

test("a server that forgets its scripts is told them again, each of a turn is answered", async () => {
  const records = await Promise.all(times(8, () => kept()));
  await admin.script("FLUSH");
  expect(await Promise.all(records.map(read))).toMatchObject(records.map(({ key }) => ({ key })));
  await admin.script("FLUSH");
  const told = await Promise.all(records.map((record) => update(record, "new")));
  expect(told).toEqual(times(8, () => "updated"));
});

test("a flush waits for what was asked in its turn, a close too", async () => {
  const closing = storeOf();
  const record = await kept();
  await closing.read(record);
  let isUpdated = false;
  const updating = Promise.resolve(closing.update(record, changed("last"), 1)).then((told) => {
    isUpdated = told.status === "updated";
  });
  await closing.flush();
  expect(isUpdated).toBe(true);
  const reading = outcome(closing.read(record));
  await closing.close();
  expect(await reading).toMatchObject({ payload: "last" });
  await updating;
});
