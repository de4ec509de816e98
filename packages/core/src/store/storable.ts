/** What a store refuses before anything is sent or changed, because it could not give it back. */
import { SojournError } from "../errors.ts";
import type { Ending } from "./contract.ts";

/** A half of a character: UTF-8 has no place for it, so two different texts would become one. */
const HALF = /\p{Surrogate}/u;
const MOST_BYTES_OF_A_CHARACTER = 3;

/** The error for a record that cannot be stored. */
export function notStorable(problem: string): SojournError {
  return new SojournError("SOJOURN_DATA_INVALID", `Cannot store this record: ${problem}`);
}

/** @throws SOJOURN_DATA_INVALID for what is no text */
export function assertString(field: string, value: unknown): asserts value is string {
  if (typeof value !== "string") throw notStorable(`${field} is ${typeof value}, not a string`);
}

/** A text that comes back from UTF-8 as it was. @throws SOJOURN_DATA_INVALID */
export function assertText(field: string, value: unknown): asserts value is string {
  assertString(field, value);
  if (HALF.test(value)) throw notStorable(`${field} has half a character (a lone surrogate)`);
}

/** @throws SOJOURN_DATA_INVALID for what is no finite number */
export function assertNumber(field: string, value: unknown): void {
  if (!Number.isFinite(value)) throw notStorable(`${field} is not a finite number`);
}

/** The instants of a touch or an update. @throws SOJOURN_DATA_INVALID */
export function assertInstants(seenAt: number, expiresAt: number): void {
  assertNumber("seenAt", seenAt);
  assertNumber("expiresAt", expiresAt);
}

/** A payload of at most so many bytes. `where`: for the message. @throws SOJOURN_DATA_TOO_LARGE */
export function assertFits(payload: string, limit: number, where: string): void {
  if (payload.length * MOST_BYTES_OF_A_CHARACTER <= limit) return;
  const bytes = Buffer.byteLength(payload);
  if (bytes <= limit) return;
  throw new SojournError(
    "SOJOURN_DATA_TOO_LARGE",
    `A payload of ${bytes} bytes does not fit into ${where} (limit ${limit}); ` +
      "keep large data elsewhere and its key in the session",
    { details: { bytes, limit } },
  );
}

/** An ending as JSON that begins with `why`. @throws SOJOURN_DATA_INVALID */
export function endingText({ why, at, reason, successor, seenAt }: Ending): string {
  assertNumber("ending.at", at);
  if (seenAt !== undefined) assertNumber("ending.seenAt", seenAt);
  return JSON.stringify({ why, at, reason, successor, seenAt });
}
