/** Records of sessions, for what is measured on a store alone. */
import { ownerKey, tagOf } from "@sojourn/core/store";
import type { Handle, OwnerKey, RecordKey, StoredRecord } from "@sojourn/core/store";
import { IDLE, sessionData, userName } from "./session-data.ts";

/** The owner of this number. */
export const ownerOf = (index: number): OwnerKey => ownerKey("bench", userName(index));

/** The session of this number, with 500 bytes. */
export function recordOf(index: number, owner: OwnerKey, now: number): StoredRecord {
  const tag = tagOf(owner);
  const digits = String(index).padStart(16, "0");
  return {
    kind: "session",
    key: `${tag}.${digits.padEnd(43, "0")}` as RecordKey,
    handle: `${tag}${digits}` as Handle,
    owner,
    version: 1,
    createdAt: now,
    seenAt: now,
    expiresAt: now + IDLE,
    absoluteExpiresAt: now + 2 * IDLE,
    payload: JSON.stringify(sessionData(userName(index))),
  };
}
