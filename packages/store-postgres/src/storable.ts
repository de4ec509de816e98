/** Refuses, before anything is sent, what Postgres could not give back. */
import {
  assertFits,
  assertInstants,
  assertNumber,
  assertText,
  notStorable,
} from "@sojourn/core/store";
import type { Change, StoredRecord } from "@sojourn/core/store";
import { encode } from "./text.ts";

/** A quarter of the longest text of Postgres (1 GB): functions copy it, and an answer has it among others. */
const MOST_BYTES = 256 * 1024 * 1024;
/** In bytes; an entry of an index has room for 2,704, and what is not compressed must fit. */
const LONGEST = { kind: 255, key: 255, handle: 255, owner: 2_000 } as const;
const TEXTS = ["kind", "key", "handle"] as const;
const INSTANTS = ["createdAt", "seenAt", "expiresAt", "absoluteExpiresAt"] as const;

/**
 * @throws SOJOURN_DATA_INVALID for a field that is no text, or no finite number, where it must be, or
 * is too long; SOJOURN_DATA_TOO_LARGE for a payload over 256 MB
 */
export function assertRecord(record: StoredRecord): void {
  for (const field of TEXTS) assertName(field, record[field]);
  if (record.owner !== null) assertName("owner", record.owner);
  for (const field of INSTANTS) assertNumber(field, record[field]);
  assertVersion(record.version);
  assertPayload(record.payload);
}

/** As {@link assertRecord}, for an update. */
export function assertChange({ payload, seenAt, expiresAt }: Change): void {
  assertPayload(payload);
  assertInstants(seenAt, expiresAt);
}

/** As {@link assertRecord}, for the version that a change is made from. */
export function assertVersion(version: number): void {
  if (!Number.isSafeInteger(version)) throw notStorable("version is not a whole number");
}

/** A name that Postgres gives back as it was, and an index has room for. @throws SOJOURN_DATA_INVALID */
export function assertName(field: keyof typeof LONGEST, value: unknown): void {
  assertText(field, value);
  if (Buffer.byteLength(encode(value)) <= LONGEST[field]) return;
  throw notStorable(`${field} is longer than ${LONGEST[field]} bytes`);
}

function assertPayload(payload: string): void {
  assertText("payload", payload);
  assertFits(payload, MOST_BYTES, "Postgres");
}
