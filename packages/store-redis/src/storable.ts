/** Refuses, before anything is sent, what Redis could not give back. */
import { SojournError, tagOf } from "@sojourn/core/store";
import { hasTag, hasTagAndDot } from "./names.ts";
import type { Change, Ending, StoredRecord } from "@sojourn/core/store";

/** Longest string of Redis (`proto-max-bulk-len`): 512 MB. */
const MOST_BYTES = 512 * 1024 * 1024;
const MOST_BYTES_OF_A_CHARACTER = 3;
/** What the format has room for, in bytes. */
const LONGEST = { key: 255, handle: 255, owner: 65_535 } as const;
const TEXTS = ["kind", "key", "handle", "payload"] as const;
const NUMBERS = ["version", "createdAt", "seenAt", "expiresAt", "absoluteExpiresAt"] as const;
/** A half of a character: UTF-8 has no place for it, so two different texts would become one. */
const HALF = /\p{Surrogate}/u;

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
  assertSize(record.payload);
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
  assertSize(payload);
  assertNumber("seenAt", seenAt);
  assertNumber("expiresAt", expiresAt);
}

/** As {@link assertRecord}, for the instants of a touch. */
export function assertInstants(seenAt: number, expiresAt: number): void {
  assertNumber("seenAt", seenAt);
  assertNumber("expiresAt", expiresAt);
}

/** An ending as it is kept. @throws SOJOURN_DATA_INVALID */
export function endingText({ why, at, reason, successor, seenAt }: Ending): string {
  assertNumber("ending.at", at);
  if (seenAt !== undefined) assertNumber("ending.seenAt", seenAt);
  return JSON.stringify({ why, at, reason, successor, seenAt });
}

/** A text that Redis gives back as it was. @throws SOJOURN_DATA_INVALID */
export function assertText(field: string, value: unknown): void {
  if (typeof value !== "string") throw notStorable(`${field} is ${typeof value}, not a string`);
  if (HALF.test(value)) throw notStorable(`${field} has half a character (a lone surrogate)`);
}

function assertNumber(field: string, value: unknown): void {
  if (!Number.isFinite(value)) throw notStorable(`${field} is not a finite number`);
}

function assertLength(field: keyof typeof LONGEST, value: string): void {
  if (Buffer.byteLength(value) <= LONGEST[field]) return;
  throw notStorable(`${field} is longer than ${LONGEST[field]} bytes`);
}

function assertSize(payload: string): void {
  if (payload.length * MOST_BYTES_OF_A_CHARACTER <= MOST_BYTES) return;
  const bytes = Buffer.byteLength(payload);
  if (bytes <= MOST_BYTES) return;
  throw new SojournError(
    "SOJOURN_DATA_TOO_LARGE",
    `A payload of ${bytes} bytes does not fit into Redis (limit ${MOST_BYTES}); ` +
      "keep large data elsewhere and its key in the session",
    { details: { bytes, limit: MOST_BYTES } },
  );
}

function notStorable(problem: string): SojournError {
  return new SojournError("SOJOURN_DATA_INVALID", `Cannot store this record: ${problem}`);
}
