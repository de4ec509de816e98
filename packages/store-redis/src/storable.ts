/** Refuses, before anything is sent, what Redis could not give back. */
import {
  assertFits,
  assertInstants,
  assertNumber,
  assertText,
  notStorable,
  tagOf,
} from "@sojourn/core/store";
import { hasTag, hasTagAndDot } from "./names.ts";
import type { Change, StoredRecord } from "@sojourn/core/store";

/** Longest string of Redis (`proto-max-bulk-len`): 512 MB. */
const MOST_BYTES = 512 * 1024 * 1024;
/** What the format has room for, in bytes. */
const LONGEST = { key: 255, handle: 255, owner: 65_535 } as const;
const TEXTS = ["kind", "key", "handle", "payload"] as const;
const NUMBERS = ["version", "createdAt", "seenAt", "expiresAt", "absoluteExpiresAt"] as const;

/**
 * @throws SOJOURN_DATA_INVALID for a field that is no text, or no finite number, where it must be,
 * too long, or of another tag than the owner; SOJOURN_DATA_TOO_LARGE for a payload over 512 MB
 */
export function assertRecord(record: StoredRecord): void {
  for (const field of TEXTS) assertText(field, record[field]);
  for (const field of NUMBERS) assertNumber(field, record[field]);
  if (!(Number.isInteger(record.version) && record.version >= 0 && record.version < 2 ** 32)) {
    throw notStorable("version is not a whole number below 2^32");
  }
  assertFits(record.payload, MOST_BYTES, "Redis");
  const { owner, key, handle } = record;
  if (!hasTagAndDot(key)) throw notStorable("its key does not begin with a tag and a dot");
  if (!hasTag(handle)) throw notStorable("its handle does not begin with a tag");
  assertLength("key", key);
  assertLength("handle", handle);
  if (owner === null) return;
  assertText("owner", owner);
  assertLength("owner", owner);
  if (hasTagAndDot(owner) && tagOf(owner) === tagOf(key) && tagOf(owner) === tagOf(handle)) return;
  throw notStorable("key and handle do not have the owner's tag");
}

/** As {@link assertRecord}, for an update. */
export function assertChange({ payload, seenAt, expiresAt }: Change): void {
  assertText("payload", payload);
  assertFits(payload, MOST_BYTES, "Redis");
  assertInstants(seenAt, expiresAt);
}

function assertLength(field: keyof typeof LONGEST, value: string): void {
  if (Buffer.byteLength(value) <= LONGEST[field]) return;
  throw notStorable(`${field} is longer than ${LONGEST[field]} bytes`);
}
