/** The payload of a session record: one line of facts, one line of data, both JSON. */
import { SojournError } from "../errors.ts";
import type { StoredRecord } from "../store/contract.ts";

/** What the core keeps of a session beside the record's own fields. */
export interface Facts {
  /** Last authentication, or null. */
  readonly authenticatedAt: number | null;
  readonly level: number;
  /** Idle timeout in ms of this session, null = none, absent = the application's. */
  readonly idle?: number | null;
  /** Absolute timeout in ms of this session, absent = the application's. */
  readonly absolute?: number;
  /** Who began the session. */
  readonly ip?: string;
  readonly userAgent?: string;
  /** Digest of what the option `privileges` returned. */
  readonly privileges?: string;
}

/** Facts of a session that nobody is logged in to. */
export const ANONYMOUS: Facts = { authenticatedAt: null, level: 0 };

/** Joins facts and the JSON text of the data; the data is not decoded until somebody asks for it. */
export function encodePayload(facts: Facts, dataText: string): string {
  return `${JSON.stringify(facts)}\n${dataText}`;
}

/**
 * Splits a record's payload. @throws SOJOURN_STORE_CORRUPT when it is not one of ours: it is then
 * left as it is.
 */
export function decodePayload(record: StoredRecord): { facts: Facts; dataText: string } {
  const end = record.payload.indexOf("\n");
  try {
    if (end === -1) throw new SyntaxError("no line of facts");
    return {
      facts: JSON.parse(record.payload.slice(0, end)) as Facts,
      dataText: record.payload.slice(end + 1),
    };
  } catch (cause) {
    throw corruptPayload(record, cause);
  }
}

/** The error for a payload that cannot be read. */
export function corruptPayload(record: { readonly handle: string }, cause: unknown): SojournError {
  return new SojournError(
    "SOJOURN_STORE_CORRUPT",
    `the payload of session ${record.handle} cannot be read; it was left as it is. Revoke that session, and find out what else writes to this store`,
    { cause, details: { handle: record.handle } },
  );
}
