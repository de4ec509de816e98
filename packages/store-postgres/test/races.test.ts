/** Orders of events that hardly ever happen by themselves: one transaction is held while others arrive. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type pg from "pg";
import { systemClock as clock } from "@sojourn/core/store";
import type { Store, StoredRecord } from "@sojourn/core/store";
import { ownerOf, recordOf } from "../../../test/support/records.ts";
import { eventually } from "../../../test/support/waiting.ts";
import { postgresStore } from "../src/index.ts";
import { startServer } from "./support/server.ts";
import type { Server } from "./support/server.ts";

const LOGOUT = { why: "logout", at: 0 } as const;
const REVOKED = { why: "revoked", at: clock.now() } as const;
let server: Server;
let pool: pg.Pool;
let store: Store;
beforeAll(async () => {
  server = await startServer();
  pool = server.pool();
  store = postgresStore({ pool, events: false });
});
afterAll(async () => {
  await store.close();
  await pool.end();
  await server.stop();
});

/** A transaction that stays open until it is let go. */
async function holding(text: string, values: unknown[]): Promise<() => Promise<void>> {
  const client = await pool.connect();
  await client.query("BEGIN");
  await client.query(text, values);
  return async () => {
    await client.query("COMMIT");
    client.release();
  };
}
const row = ({ key }: StoredRecord): Promise<() => Promise<void>> =>
  holding("SELECT FROM sojourn_records WHERE key = $1 FOR UPDATE", [key]);

/** Waits until so many statements wait for a lock. */
async function waiting(many: number): Promise<void> {
  const text = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
  await eventually(async () => (await server.query(text)).length === many);
}

async function created(
  user: string | null,
  fields: Partial<StoredRecord> = {},
): Promise<StoredRecord> {
  const record = recordOf(clock, user, fields);
  await store.create(record);
  return record;
}

const rotation = (old: StoredRecord): StoredRecord => ({
  ...old,
  key: recordOf(clock, null).key,
  version: old.version + 1,
});
const how = { expectedVersion: 1, ending: { why: "rotated", at: clock.now() } } as const;

test("[G1] [B-08] a session that is rotated while everyone is signed out does not outlive it", async () => {
  const [mine, other] = [await created("ada"), await created("ada")];
  const release = await row(other);
  const next = rotation(mine);
  const admission = { max: 5, onLimit: "evict-oldest" } as const;
  const rotating = store.replace(mine, next, { ...how, admission });
  await waiting(1);
  await store.endAll("session", REVOKED);
  await release();
  await rotating;
  expect(await store.read(next)).toMatchObject({ ending: { why: "revoked" } });
  expect((await store.count("session")).active).toBe(0);
});

test("[G1] [B-09] a session that is rotated while its owner's are ended does not outlive it, whoever comes first", async () => {
  for (const first of ["rotation", "revocation"]) {
    const [mine, other] = [await created("bob"), await created("bob")];
    const release = await row(other);
    const next = rotation(mine);
    const admission = { max: 5, onLimit: "evict-oldest" } as const;
    const rotate = () => store.replace(mine, next, { ...how, admission });
    const revoke = () => store.endOwner("session", ownerOf("bob"), REVOKED);
    const [one, two] = first === "rotation" ? [rotate, revoke] : [revoke, rotate];
    const begun = one();
    await waiting(1);
    const late = two();
    await waiting(2);
    await release();
    await Promise.all([begun, late]);
    expect(await store.listOwner("session", ownerOf("bob"))).toEqual([]);
    const { kind, handle } = mine;
    expect(await store.read({ kind, handle })).toMatchObject({ ending: { why: "revoked" } });
  }
});

test("[G1] [B-08] a session that is revoked by its handle while it is rotated is ended under its new key", async () => {
  const mine = await created(null);
  const release = await row(mine);
  const next = rotation(mine);
  const rotating = store.replace(mine, next, how);
  await waiting(1);
  const { kind, handle } = mine;
  const ending = store.end({ kind, handle }, REVOKED);
  await waiting(2);
  await release();
  expect(await rotating).toEqual({ status: "replaced", evicted: [] });
  expect(await ending).toMatchObject({ key: next.key, ending: REVOKED });
  expect(await store.read(next)).toMatchObject({ ending: REVOKED });
});

test("[G3] [B-05] a session that logs out while another one comes in is not evicted for it", async () => {
  const [leaving, staying] = [await created("cid"), await created("cid")];
  const text = "SELECT sojourn_end($1, $2, NULL, $3, $4)";
  const values = [leaving.kind, leaving.key, JSON.stringify(LOGOUT), clock.now()];
  const release = await holding(text, values);
  const next = recordOf(clock, "cid");
  const creating = store.create(next, { max: 2, onLimit: "evict-oldest" });
  await waiting(1);
  await release();
  expect(await creating).toEqual({ status: "created", evicted: [] });
  expect(await store.read(leaving)).toMatchObject({ ending: LOGOUT });
  expect(await store.listOwner("session", ownerOf("cid"))).toEqual([staying, next]);
});

test("[G3] [B-05] evict-idle waits for a touch that is under way, and goes by it", async () => {
  const [touched, idle] = [await created("dan"), await created("dan")];
  const now = clock.now();
  const text = "SELECT sojourn_touch($1, $2, NULL, $3, $4, $5)";
  const release = await holding(text, [touched.kind, touched.key, now + 5_000, now + 9e6, now]);
  const creating = store.create(recordOf(clock, "dan"), { max: 2, onLimit: "evict-idle" });
  await waiting(1);
  await release();
  expect(await creating).toMatchObject({ status: "created", evicted: [{ handle: idle.handle }] });
});

test("[G1] [E-23] a record that is adopted while its owner's are ended is ended too", async () => {
  const other = await created("eve");
  const release = await row(other);
  const revoking = store.endOwner("session", ownerOf("eve"), { ...REVOKED, at: clock.now() });
  await waiting(1);
  const late = recordOf(clock, "eve", { createdAt: clock.now() - 1_000 });
  const adopting = store.adopt(late);
  await waiting(2);
  await release();
  expect(await revoking).toBe(1);
  expect(await adopting).toMatchObject({ status: "ended", ending: { why: "revoked" } });
  expect(await store.read(late)).toBeNull();
});

test("[G2] an update that waits for another one is a conflict, and loses nothing", async () => {
  const mine = await created("fay");
  const release = await row(mine);
  const change = { seenAt: clock.now(), expiresAt: mine.expiresAt };
  const both = ["one", "two"].map((payload) => store.update(mine, { ...change, payload }, 1));
  await waiting(2);
  await release();
  const outcomes = await Promise.all(both);
  expect(outcomes.map(({ status }) => status).toSorted()).toEqual(["conflict", "updated"]);
  const record = await store.read(mine);
  for (const outcome of outcomes) expect(outcome).toMatchObject({ record });
});

test("[B-08] two that sign everyone out at once both do, and both are remembered for adopt", async () => {
  const mine = await created("gil", { kind: "twice" });
  const text = "INSERT INTO sojourn_generations (kind, number, at, ending) VALUES ($1, 0, 1, $2)";
  const release = await holding(text, ["twice", JSON.stringify(LOGOUT)]);
  const ending = store.endAll("twice", REVOKED);
  await waiting(1);
  await release();
  await ending;
  expect(await store.read(mine)).toMatchObject({ ending: { why: "logout" } });
  const late = recordOf(clock, "gil", { kind: "twice", createdAt: REVOKED.at - 1 });
  expect(await store.adopt(late)).toEqual({ status: "ended", ending: REVOKED });
});

test("[B-14] a create that waits for another one with its key is SOJOURN_RECORD_EXISTS", async () => {
  const mine = recordOf(clock, null);
  const fields =
    "kind, key, handle, version, created_at, seen_at, expires_at, absolute_expires_at, payload, generation, due_at";
  const text = `INSERT INTO sojourn_records (${fields}) VALUES ('session', $1, 'theirs', 1, 1, 1, 9e15, 9e15, '', 99, 9e15)`;
  const release = await holding(text, [mine.key]);
  const creating = store.create(mine).catch((error: unknown) => error);
  await waiting(1);
  await release();
  expect(await creating).toMatchObject({ code: "SOJOURN_RECORD_EXISTS" });
});
