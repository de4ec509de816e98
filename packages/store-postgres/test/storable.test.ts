/** What Postgres could not give back is refused before it is sent; all else comes back as it was. */
import { randomInt } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock as clock } from "@sojourn/core/store";
import type { Handle, OwnerKey, RecordKey, Store, StoredRecord } from "@sojourn/core/store";
import { ownerOf, recordOf } from "../../../test/support/records.ts";
import { rejection } from "../../../test/support/waiting.ts";
import { postgresStore } from "../src/index.ts";
import { startServer } from "./support/server.ts";
import type { Server } from "./support/server.ts";

let server: Server;
let store: Store;
beforeAll(async () => {
  server = await startServer();
  store = postgresStore({ url: server.url });
});
afterAll(async () => {
  await store.close();
  await server.stop();
});

const MB = 1024 * 1024;
const invalid = { code: "SOJOURN_DATA_INVALID" };
const withFields = (fields: object): StoredRecord => ({ ...recordOf(clock, "ada"), ...fields });

test.each([
  ["a number for a payload", { payload: 1 }],
  ["half a character in the payload", { payload: "\uD800" }],
  ["half a character in the owner", { owner: "abc.\uDC00" }],
  ["half a character in the kind", { kind: "\uDFFF" }],
  ["no handle", { handle: undefined }],
  ["an instant that is no number", { seenAt: NaN }],
  ["an instant that is infinite", { expiresAt: Infinity }],
  ["a version that is no whole number", { version: 1.5 }],
  ["a version beyond what is exact", { version: 2 ** 53 }],
  ["a key of 256 bytes", { key: "k".repeat(256) }],
  ["a handle of 86 characters of 3 bytes", { handle: "漢".repeat(86) }],
  ["a kind of 256 bytes", { kind: "k".repeat(256) }],
  ["an owner of 2,001 bytes", { owner: "o".repeat(2_001) }],
])("[B-11] refuses %s, and writes nothing", async (_what, fields) => {
  const record = withFields(fields);
  expect(await rejection(store.create(record))).toMatchObject(invalid);
  const visitor = recordOf(clock, null);
  await store.create(visitor);
  const how = { expectedVersion: 1, ending: { why: "rotated", at: clock.now() } } as const;
  expect(await rejection(store.replace(visitor, record, how))).toMatchObject(invalid);
  expect(await store.read(visitor)).toEqual(visitor);
});

test("[B-11] refuses changes, touches and endings that it could not give back", async () => {
  const record = recordOf(clock, "ada");
  await store.create(record);
  const change = { payload: "", seenAt: 1, expiresAt: 1 };
  const refused = [
    store.update(record, { ...change, payload: "\uD800" }, 1),
    store.update(record, { ...change, seenAt: NaN }, 1),
    store.update(record, change, NaN),
    store.touch(record, -Infinity, 1),
    store.end(record, { why: "logout", at: NaN }),
    store.endOwner("session", "\uD800" as OwnerKey, { why: "logout", at: 1 }),
    store.endAll("k".repeat(256), { why: "logout", at: 1 }),
    Promise.resolve(store.read({ kind: "session", key: "\uD800" as RecordKey })),
  ];
  for (const each of refused) expect(await rejection(each)).toMatchObject(invalid);
  expect(await store.read(record)).toEqual(record);
});

test("[B-11] names as long as they may be come back, though nothing in them can be compressed", async () => {
  const hard = (length: number): string =>
    Array.from({ length }, () => String.fromCodePoint(0x4e00 + randomInt(20_000))).join("");
  const names = { kind: hard(85), key: hard(85) as RecordKey, handle: hard(85) as Handle };
  const record = withFields({ ...names, owner: hard(666) });
  await store.create(record);
  expect(await store.read(record)).toEqual(record);
  expect(await store.listOwner(record.kind, record.owner ?? ownerOf(""))).toEqual([record]);
});

test("[B-11] U+0000 and what stands for it come back from every field", async () => {
  const nasty = ["\u0000", "\u0001", "\u00010", "\u00011", "\u0001\u0000\u0001", "a\u0000b\u0000"];
  for (const text of nasty) {
    const plain = recordOf(clock, text);
    const record = {
      ...plain,
      kind: `kind ${text}`,
      key: `${plain.key}${text}` as RecordKey,
      handle: `${plain.handle}${text}` as Handle,
      payload: text,
    };
    await store.create(record);
    const { kind, handle } = record;
    expect(await store.read({ kind, handle })).toEqual(record);
    const { owners } = await store.owners(record.kind);
    expect(owners).toEqual([{ owner: record.owner, active: 1 }]);
    const ending = { why: "revoked", at: 1, reason: text } as const;
    expect(await store.end(record, ending)).toMatchObject({ key: record.key, ending });
  }
  expect((await store.count("kind \u0001")).active).toBe(0);
});

test("[B-11] instants keep every bit, also those of a clock that counts parts of milliseconds", async () => {
  const at = clock.now() + 0.123_456_789;
  const record = withFields({
    createdAt: at,
    seenAt: at,
    expiresAt: 1e300,
    absoluteExpiresAt: 1e300,
  });
  await store.create(record);
  expect(await store.read(record)).toEqual(record);
});

test("[B-11] a payload of 16 MB comes back; one over 256 MB is SOJOURN_DATA_TOO_LARGE", async () => {
  const large = withFields({ payload: "ü€".repeat(3.2 * MB) });
  await store.create(large);
  expect(await store.read(large)).toEqual(large);
  const tooLarge = withFields({ payload: "x".repeat(256 * MB + 1) });
  expect(await rejection(store.create(tooLarge))).toMatchObject({
    code: "SOJOURN_DATA_TOO_LARGE",
    details: { limit: 256 * MB },
  });
}, 60_000);

test("[B-03] no touch and no update moves a record past its absolute timeout", async () => {
  const now = clock.now();
  const began = { createdAt: now, seenAt: now };
  const lives = { ...began, expiresAt: now + 60_000, absoluteExpiresAt: now + 120_000 };
  const [touched, written] = [withFields(lives), withFields(lives)];
  await store.create(touched);
  await store.create(written);
  const far = { seenAt: now + 1, expiresAt: now + 999_999 };
  expect(await store.touch(touched, far.seenAt, far.expiresAt)).toBe(true);
  await store.update(written, { ...far, payload: "" }, 1);
  for (const record of [touched, written]) {
    expect(await store.read(record)).toMatchObject({ expiresAt: now + 120_000, seenAt: now + 1 });
  }
});
