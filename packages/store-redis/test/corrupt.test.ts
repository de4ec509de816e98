/** What is not the store's own, or of a later release, under its prefix: told, and left as it is. */
import { beforeAll, expect, test } from "vitest";
import type { Redis } from "ioredis";
import { systemClock as clock } from "@sojourn/core/store";
import type { Store } from "@sojourn/core/store";
import { ownerOf, recordOf } from "../../../test/support/records.ts";
import { rejection } from "../../../test/support/waiting.ts";
import { nameOf } from "./support/names.ts";
import { runningServer } from "./support/running.ts";

const coded = (code: string): unknown => expect.objectContaining({ code });
let admin: Redis;
let store: Store;
beforeAll(async () => {
  const running = await runningServer();
  admin = running.admin;
  store = running.storeOf();
  return running.stop;
});

/** A tombstone as it is packed, until the year 2255, but for its ending. */
function stoneWith(ending: string): Buffer {
  const instants = Buffer.alloc(24);
  instants.writeDoubleLE(1, 0);
  instants.writeDoubleLE(9e12, 8);
  const rest = "-".repeat(21);
  return Buffer.concat([
    Buffer.from("t1"),
    instants,
    Buffer.from(`\x01x\0\0${String.fromCharCode(rest.length)}${rest}\0\0${ending}`),
  ]);
}

test.each([
  ["a string", (name: string) => admin.set(name, "theirs")],
  ["a hash", (name: string) => admin.hset(name, "theirs", "1")],
  ["an unknown format", (name: string) => admin.set(name, "rx")],
  ["half a record", (name: string) => admin.set(name, "r1 half of a record")],
  ["half a tombstone", (name: string) => admin.set(name, stoneWith("").subarray(0, 30))],
])("%s where a record belongs: SOJOURN_STORE_CORRUPT, and left as it is", async (_what, write) => {
  const record = recordOf(clock, null);
  const name = nameOf(record);
  await write(name);
  const before = await admin.dumpBuffer(name);
  for (const operation of [store.read, store.consume]) {
    const error = await rejection(Promise.resolve(operation.call(store, record)));
    expect(error).toEqual(coded("SOJOURN_STORE_CORRUPT"));
  }
  expect(await rejection(store.create(record))).toEqual(coded("SOJOURN_STORE_CORRUPT"));
  expect(await admin.dumpBuffer(name)).toEqual(before);
});

test("a tombstone whose ending is broken: SOJOURN_STORE_CORRUPT, and left as it is", async () => {
  const key = recordOf(clock, null).key.slice(0, 26) + "-".repeat(21);
  const record = recordOf(clock, null, { key: key as never });
  await admin.set(nameOf(record), stoneWith('{"why"'));
  expect(await rejection(store.read(record))).toEqual(coded("SOJOURN_STORE_CORRUPT"));
  await admin.set(nameOf(record), stoneWith('{"why":"logout","at":1}'));
  expect(await store.read(record)).toMatchObject({ ending: { why: "logout", at: 1 } });
});

test("a record of a later format: SOJOURN_STORE_NEWER_FORMAT, and left as it is", async () => {
  const record = recordOf(clock, null);
  await admin.set(nameOf(record), "r2 later");
  expect(await rejection(store.read(record))).toEqual(coded("SOJOURN_STORE_NEWER_FORMAT"));
  expect(await rejection(store.create(record))).toEqual(coded("SOJOURN_STORE_NEWER_FORMAT"));
  expect(await admin.get(nameOf(record))).toBe("r2 later");
});

test.each(["/i0", "/n0"])("an index %s of another type: nothing half-written", async (index) => {
  const record = recordOf(clock, "ada", { kind: "other" });
  const name = `sojourn:{${record.key.slice(0, 3)}}:other${index}`;
  await admin.set(name, "theirs");
  expect(await rejection(store.create(record))).toEqual(coded("SOJOURN_STORE_CORRUPT"));
  expect(await store.read(record)).toBeNull();
  expect(await admin.get(name)).toBe("theirs");
  await admin.del(name);
});

test("a key with as much of a digest as a record's name has is another: unknown, and never overwrites", async () => {
  const record = recordOf(clock, "ada");
  const other = { ...record, key: `${record.key.slice(0, -1)}_` as typeof record.key };
  await store.create(record);
  expect(await store.read(other)).toBeNull();
  expect(await store.touch(other, clock.now(), 0)).toBe(false);
  const twin = recordOf(clock, null, { key: other.key, handle: recordOf(clock, "ada").handle });
  expect(await rejection(store.create(twin))).toEqual(coded("SOJOURN_RECORD_EXISTS"));
  expect(await store.read(record)).toEqual(record);
  expect(await store.listOwner("session", ownerOf("ada"))).toEqual([record]);
});
