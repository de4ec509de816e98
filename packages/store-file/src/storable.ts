/** Refuses, before anything changes, what the file could not give back. */
import { assertInstants, assertNumber, assertString, notStorable } from "@sojourn/core/store";
import type { Change, Ending, StoredRecord } from "@sojourn/core/store";
import { ENDINGS } from "./effects.ts";
import { tooLarge } from "./errors.ts";
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
  for (const field of TEXTS) assertString(field, record[field]);
  for (const field of NUMBERS) assertNumber(field, record[field]);
  if (record.owner !== null) assertString("owner", record.owner);
  assertSize(record);
}

/** As {@link assertRecord}, for an update. */
export function assertChange(change: Change): void {
  assertString("payload", change.payload);
  assertInstants(change.seenAt, change.expiresAt);
  assertSize(change);
}

/** As {@link assertRecord}, for an ending. */
export function assertEnding(ending: Ending): void {
  if (!ENDINGS.includes(ending.why)) throw notStorable("ending.why is not a known reason");
  assertNumber("ending.at", ending.at);
  if (ending.reason !== undefined) assertString("ending.reason", ending.reason);
  if (ending.successor !== undefined) assertString("ending.successor", ending.successor);
  if (ending.seenAt !== undefined) assertNumber("ending.seenAt", ending.seenAt);
  assertSize(ending);
}

function assertSize(value: object): void {
  let characters = 0;
  for (const field of Object.values(value))
    if (typeof field === "string") characters += field.length;
  if (characters * MOST_JSON_BYTES_OF_A_CHARACTER < MOST_BYTES) return;
  const bytes = Buffer.byteLength(JSON.stringify(value));
  if (bytes > MOST_BYTES) throw tooLarge(bytes, MOST_BYTES);
}
