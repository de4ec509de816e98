/** Records and owners for the tests of stores on a server. */
import { randomBytes } from "node:crypto";
import { ownerKey, randomTag, tagOf } from "@sojourn/core/store";
import type { Clock, Handle, OwnerKey, RecordKey, StoredRecord } from "@sojourn/core/store";

const IDLE = 1_800_000;
const ABSOLUTE = 86_400_000;

/** The owner key of a user. */
export function ownerOf(user: string): OwnerKey {
  return ownerKey("test", user);
}

/** A new session of a user, or of nobody. */
export function recordOf(
  clock: Clock,
  user: string | null,
  fields: Partial<StoredRecord> = {},
): StoredRecord {
  const owner = user === null ? null : ownerOf(user);
  const tag = owner === null ? randomTag() : tagOf(owner);
  const now = clock.now();
  return {
    kind: "session",
    key: `${tag}.${randomBytes(32).toString("base64url")}` as RecordKey,
    handle: `${tag}${randomBytes(12).toString("base64url")}` as Handle,
    owner,
    version: 1,
    createdAt: now,
    seenAt: now,
    expiresAt: now + IDLE,
    absoluteExpiresAt: now + ABSOLUTE,
    payload: "{}",
    ...fields,
  };
}
