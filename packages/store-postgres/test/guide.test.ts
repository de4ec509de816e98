/** docs/guides/postgres.md and the README say what is so: the rights suffice, the SQL runs. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { systemClock as clock } from "@sojourn/core/store";
import type { Store } from "@sojourn/core/store";
import { Hearing, signalsIn } from "../../../test/support/hearing.ts";
import { ownerOf, recordOf } from "../../../test/support/records.ts";
import { rejection } from "../../../test/support/waiting.ts";
import { DEFAULTS, postgresSchema, postgresStore } from "../src/index.ts";
import { startServer } from "./support/server.ts";
import type { Server } from "./support/server.ts";

const read = (path: string): string => readFileSync(join(import.meta.dirname, path), "utf8");
const README = read("../README.md");
const GUIDE = read("../../../docs/guides/postgres.md");
const blockOf = (page: string): string => /```sql\n([^`]*)```/.exec(page)?.[1] ?? "";
const RIGHTS = blockOf(GUIDE);
const LOGOUT = { why: "logout", at: 0 } as const;

let server: Server;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());
beforeEach(async () => {
  await server.query("DROP SCHEMA IF EXISTS auth CASCADE; CREATE ROLE app LOGIN");
  await server.query(postgresSchema({ schema: "auth" }));
  return () => server.query("DROP OWNED BY app; DROP ROLE app");
});

async function withStore<T>(use: (store: Store) => Promise<T>): Promise<T> {
  const url = server.url.replace("sojourn:secret", "app:secret");
  const store = postgresStore({ url, schema: "auth", migrate: false });
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

async function useAll(store: Store): Promise<void> {
  const [one, two] = [recordOf(clock, "ada"), recordOf(clock, "ada")];
  const admission = { max: 5, onLimit: "evict-oldest" } as const;
  await store.create(one, admission);
  await store.adopt(two, admission);
  await store.touch(one, clock.now() + 1, clock.now() + 9_999_999);
  await store.update(one, { payload: "", seenAt: 1, expiresAt: 1 }, 1);
  const next = { ...one, key: recordOf(clock, "ada").key };
  await store.replace(one, next, { expectedVersion: 2, ending: { why: "rotated", at: 0 } });
  expect(await store.listOwner("session", ownerOf("ada"))).toHaveLength(2);
  await store.end(two, LOGOUT);
  await store.consume(next);
  await store.endOwner("session", ownerOf("ada"), LOGOUT);
  await store.endAll("session", LOGOUT);
  for await (const _ of store.scan("session"));
  await store.count("session");
  await store.owners("session");
  await server.query("UPDATE auth.sojourn_records SET due_at = 0");
  expect(await store.advise?.()).toMatchObject([{ topic: "durability" }]);
  const hearing = await new Hearing(store).open();
  await signalsIn(store).send("session", "hello");
  await hearing.hears("hello");
}

test("[B-18] the rights of the guide suffice", async () => {
  await server.query(RIGHTS);
  await withStore(useAll);
});

test.each([
  "USAGE ON SCHEMA auth",
  ...["SELECT", "INSERT", "UPDATE", "DELETE"].map(
    (right) => `${right} ON ALL TABLES IN SCHEMA auth`,
  ),
])("[B-18] none of them is too much: without %s something is refused", async (right) => {
  await server.query(RIGHTS);
  await server.query(`REVOKE ${right} FROM app`);
  const error = await rejection(withStore(useAll));
  expect(error).toMatchObject({ code: "SOJOURN_STORE_UNAVAILABLE" });
});

test("[B-16] the query of the README shows who is there, and nobody else", async () => {
  await server.query(RIGHTS);
  await withStore(async (store) => {
    const everyone = recordOf(clock, "everyone");
    await store.create(everyone);
    await store.endAll("session", LOGOUT);
    const [here, gone] = [recordOf(clock, "ada"), recordOf(clock, "bob")];
    const expired = recordOf(clock, "cid", { expiresAt: clock.now() - 1 });
    for (const record of [here, gone, expired]) await store.create(record);
    await store.end(gone, LOGOUT);
    const query = blockOf(README).replaceAll("sojourn_", "auth.sojourn_");
    const rows = await server.query(query);
    const seenAt = new Date(here.seenAt);
    expect(rows).toEqual([{ owner: here.owner, handle: here.handle, last_used: seenAt }]);
  });
});

test("[E-15] the README has a row for each option, with its default", () => {
  for (const [name, value] of Object.entries(DEFAULTS)) {
    const [, printed] = new RegExp(`^\\| \`${name}\`\\s*\\| (.*?)\\s*\\|`, "m").exec(README) ?? [];
    expect(printed, name).toBeDefined();
    if (typeof value === "string") expect(printed).toBe(`\`'${value}'\``);
    if (typeof value === "boolean") expect(printed).toBe(`\`${value}\``);
  }
});
