/** Refuses, before anything changes, what the file could not give back. */
import type { Change, Ending, StoredRecord, UnixMs } from "@sojourn/core/store";
import { ENDINGS } from "./effects.ts";
import { notStorable, tooLarge } from "./errors.ts";
import { MAX_LINE_BYTES } from "./line.ts";

/** Longest record as JSON in bytes: a line less what stands around it. */
const MOST_BYTES = MAX_LINE_BYTES - 64 * 1024;
const MOST_JSON_BYTES_OF_A_CHARACTER = 6;

const TEXTS = ["kind", "key", "handle", "payload"] as const;
const NUMBERS = ["version", "createdAt", "seenAt", "expiresAt", "absoluteExpiresAt"] as const;

/**
 * @throws SOJOURN_DATA_INVALID for a field that is no string, or no finite number, where it must be;
 * SOJOURN_DATA_TOO_LARGE for a record that does not fit into a line.
 */
export function assertRecord(record: StoredRecord): void {
  for (const field of TEXTS) assertText(field, record[field]);
  for (const field of NUMBERS) assertNumber(field, record[field]);
  if (record.owner !== null) assertText("owner", record.owner);
  assertSize(record);
}

/** As {@link assertRecord}, for an update. */
export function assertChange(change: Change): void {
  assertText("payload", change.payload);
  assertInstants(change.seenAt, change.expiresAt);
  assertSize(change);
}

/** As {@link assertRecord}, for a touch. */
export function assertInstants(seenAt: UnixMs, expiresAt: UnixMs): void {
  assertNumber("seenAt", seenAt);
  assertNumber("expiresAt", expiresAt);
}

/** As {@link assertRecord}, for an ending. */
export function assertEnding(ending: Ending): void {
  if (!ENDINGS.includes(ending.why)) throw notStorable("ending.why is not a known reason");
  assertNumber("ending.at", ending.at);
  if (ending.reason !== undefined) assertText("ending.reason", ending.reason);
  if (ending.successor !== undefined) assertText("ending.successor", ending.successor);
  if (ending.seenAt !== undefined) assertNumber("ending.seenAt", ending.seenAt);
  assertSize(ending);
}

function assertText(field: string, value: unknown): void {
  if (typeof value !== "string") throw notStorable(`${field} is ${typeof value}, not a string`);
}

function assertNumber(field: string, value: unknown): void {
  if (!Number.isFinite(value)) throw notStorable(`${field} is not a finite number`);
}

function assertSize(value: object): void {
  let characters = 0;
  for (const field of Object.values(value))
    if (typeof field === "string") characters += field.length;
  if (characters * MOST_JSON_BYTES_OF_A_CHARACTER < MOST_BYTES) return;
  const bytes = Buffer.byteLength(JSON.stringify(value));
  if (bytes > MOST_BYTES) throw tooLarge(bytes, MOST_BYTES);
}
