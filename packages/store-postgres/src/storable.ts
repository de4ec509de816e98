/** Refuses, before anything is sent, what Postgres could not give back. */
import { SojournError } from "@sojourn/core/store";
import type { Change, Ending, StoredRecord } from "@sojourn/core/store";
import { encode } from "./text.ts";

/** A quarter of the longest text of Postgres (1 GB): functions copy it, and an answer has it among others. */
const MOST_BYTES = 256 * 1024 * 1024;
const MOST_BYTES_OF_A_CHARACTER = 3;
/** In bytes; an entry of an index has room for 2,704, and what is not compressed must fit. */
const LONGEST = { kind: 255, key: 255, handle: 255, owner: 2_000 } as const;
const TEXTS = ["kind", "key", "handle"] as const;
const INSTANTS = ["createdAt", "seenAt", "expiresAt", "absoluteExpiresAt"] as const;
/** A half of a character: UTF-8 has no place for it, so two different texts would become one. */
const HALF = /\p{Surrogate}/u;

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

/** As {@link assertRecord}, for the instants of a touch. */
export function assertInstants(seenAt: number, expiresAt: number): void {
  assertNumber("seenAt", seenAt);
  assertNumber("expiresAt", expiresAt);
}

/** As {@link assertRecord}, for the version that a change is made from. */
export function assertVersion(version: number): void {
  if (!Number.isSafeInteger(version)) throw notStorable("version is not a whole number");
}

/** An ending as it is kept: JSON that begins with `why`, which the SQL looks at. @throws SOJOURN_DATA_INVALID */
export function endingText({ why, at, reason, successor, seenAt }: Ending): string {
  assertNumber("ending.at", at);
  if (seenAt !== undefined) assertNumber("ending.seenAt", seenAt);
  return JSON.stringify({ why, at, reason, successor, seenAt });
}

/** A name that Postgres gives back as it was, and an index has room for. @throws SOJOURN_DATA_INVALID */
export function assertName(field: keyof typeof LONGEST, value: unknown): void {
  assertText(field, value);
  if (Buffer.byteLength(encode(value)) <= LONGEST[field]) return;
  throw notStorable(`${field} is longer than ${LONGEST[field]} bytes`);
}

/** The key or the handle of a reference may be anything: one too long for us is nobody's. */
export function assertText(field: string, value: unknown): asserts value is string {
  if (typeof value !== "string") throw notStorable(`${field} is ${typeof value}, not a string`);
  if (HALF.test(value)) throw notStorable(`${field} has half a character (a lone surrogate)`);
}

function assertNumber(field: string, value: unknown): void {
  if (!Number.isFinite(value)) throw notStorable(`${field} is not a finite number`);
}

function assertPayload(payload: string): void {
  assertText("payload", payload);
  if (payload.length * MOST_BYTES_OF_A_CHARACTER <= MOST_BYTES) return;
  const bytes = Buffer.byteLength(payload);
  if (bytes <= MOST_BYTES) return;
  throw new SojournError(
    "SOJOURN_DATA_TOO_LARGE",
    `A payload of ${bytes} bytes does not fit into Postgres (limit ${MOST_BYTES}); ` +
      "keep large data elsewhere and its key in the session",
    { details: { bytes, limit: MOST_BYTES } },
  );
}

function notStorable(problem: string): SojournError {
  return new SojournError("SOJOURN_DATA_INVALID", `Cannot store this record: ${problem}`);
}
