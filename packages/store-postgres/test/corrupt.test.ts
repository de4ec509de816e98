/** [D-09] Rows that something else has changed: told, and left as they are. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock as clock } from "@sojourn/core/store";
import type { Store } from "@sojourn/core/store";
import { ownerOf, recordOf } from "../../../test/support/records.ts";
import { rejection } from "../../../test/support/waiting.ts";
import { postgresStore } from "../src/index.ts";
import { startServer } from "./support/server.ts";
import type { Server } from "./support/server.ts";

const corrupt = { code: "SOJOURN_STORE_CORRUPT" };
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

test("[D-09] a tombstone whose ending is broken: SOJOURN_STORE_CORRUPT, and left as it is", async () => {
  for (const broken of [
    "",
    "{",
    "null",
    '"text"',
    "{}",
    '{"why":1,"at":2}',
    '{"why":"logout","at":"2"}',
  ]) {
    const record = recordOf(clock, "ada");
    await store.create(record);
    await store.end(record, { why: "logout", at: 0 });
    const write = "UPDATE sojourn_records SET ending = $2 WHERE key = $1";
    await server.query(write, [record.key, broken]);
    const error = await rejection(store.read(record));
    expect(error, broken).toMatchObject(corrupt);
    expect(String(error)).not.toContain(record.key);
    const change = { payload: "", seenAt: 0, expiresAt: 0 };
    expect(await rejection(store.update(record, change, 1)), broken).toMatchObject(corrupt);
    expect(await store.touch(record, 0, 0)).toBe(false);
    expect(await rejection(store.create(record))).toMatchObject({ code: "SOJOURN_RECORD_EXISTS" });
    const read = "SELECT ending FROM sojourn_records WHERE key = $1";
    expect(await server.query(read, [record.key])).toEqual([{ ending: broken }]);
  }
});

test("[D-09] a row can be no half: the table refuses one with neither data nor ending, or both", async () => {
  const record = recordOf(clock, "bob");
  await store.create(record);
  for (const change of ["payload = NULL", "ending = '{}'", "kind = NULL", "expires_at = NULL"]) {
    await expect(server.query(`UPDATE sojourn_records SET ${change}`)).rejects.toMatchObject({
      code: expect.stringMatching(/^23/) as unknown,
    });
  }
  expect(await store.read(record)).toEqual(record);
});

test("[D-09] a constraint that somebody added refuses a write: SOJOURN_STORE_WRITE_FAILED, and nothing is half done", async () => {
  const owner = ownerOf("cid");
  const record = recordOf(clock, "cid");
  await store.create(record);
  await server.query("ALTER TABLE sojourn_records ADD CONSTRAINT theirs CHECK (payload <> 'x')");
  const admission = { max: 1, onLimit: "evict-oldest" } as const;
  const refused = recordOf(clock, "cid", { payload: "x" });
  expect(await rejection(store.create(refused, admission))).toMatchObject({
    code: "SOJOURN_STORE_WRITE_FAILED",
  });
  expect(await store.listOwner("session", owner)).toEqual([record]);
});
