/** Records and a clock for the tests of the table. The core's own: its mutation tests run without `test/support`. */
import { randomBytes } from "node:crypto";
import { ownerKey, randomTag, tagOf } from "../../src/store/index.ts";
import type { Handle, RecordKey, Ref, StoredRecord } from "../../src/store/index.ts";

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;

export function testClock(startAt = 1_800_000_000_000) {
  let instant = startAt;
  return {
    now: () => instant,
    advance(ms: number) {
      instant += ms;
    },
  };
}

type Fields = Partial<StoredRecord> & { user?: string };

/** A new record that begins now: idle in 30 minutes, over in 24 hours. */
export function record(clock: { now(): number }, { user, ...fields }: Fields = {}): StoredRecord {
  const now = clock.now();
  const owner = user === undefined ? null : ownerKey("", user);
  const tag = owner === null ? randomTag() : tagOf(owner);
  return {
    kind: "session",
    key: `${tag}.${randomBytes(16).toString("base64url")}` as RecordKey,
    handle: `${tag}${randomBytes(12).toString("base64url")}` as Handle,
    owner,
    version: 1,
    createdAt: now,
    seenAt: now,
    expiresAt: now + 30 * MINUTE,
    absoluteExpiresAt: now + 24 * HOUR,
    payload: "{}",
    ...fields,
  };
}

export function ref({ kind, key }: StoredRecord): Ref {
  return { kind, key };
}
