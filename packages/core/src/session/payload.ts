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
  if (end === -1) throw corruptPayload(record.handle);
  try {
    return {
      facts: JSON.parse(record.payload.slice(0, end)) as Facts,
      dataText: record.payload.slice(end + 1),
    };
  } catch {
    throw corruptPayload(record.handle);
  }
}

/** The error for a payload that cannot be read. JSON's own error would quote the payload: no cause. */
export function corruptPayload(handle?: string): SojournError {
  const which = handle === undefined ? "a session" : `session ${handle}`;
  return new SojournError(
    "SOJOURN_STORE_CORRUPT",
    `the stored payload of ${which} cannot be read; it was left as it is. Revoke that session, and find out what else writes to this store`,
    { details: { handle } },
  );
}
