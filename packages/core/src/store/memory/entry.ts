/** What is kept under a key, a record or a tombstone, and how one is made from the other. */
import type { UnixMs } from "../../clock.ts";
import type { Change, Ending, StoredRecord, Tombstone } from "../contract.ts";
import { isTombstone } from "../contract.ts";

/** What is kept under a key. Frozen, so that it can be handed out. */
export type Entry = StoredRecord | Tombstone;

/** How long an expired record is remembered when its absolute timeout has passed too, in ms. */
const REMEMBER_EXPIRED = 3_600_000;

/** A frozen copy of a record's fields, `expiresAt` capped by `absoluteExpiresAt`. */
export function copyRecord(record: StoredRecord): StoredRecord {
  return Object.freeze({
    kind: record.kind,
    key: record.key,
    handle: record.handle,
    owner: record.owner,
    version: record.version,
    createdAt: record.createdAt,
    seenAt: record.seenAt,
    expiresAt: Math.min(record.expiresAt, record.absoluteExpiresAt),
    absoluteExpiresAt: record.absoluteExpiresAt,
    payload: record.payload,
  });
}

/** The record as a touch leaves it: neither instant moves back. Frozen. */
export function touchedRecord(
  record: StoredRecord,
  seenAt: UnixMs,
  expiresAt: UnixMs,
): StoredRecord {
  return copyRecord({
    ...record,
    seenAt: Math.max(record.seenAt, seenAt),
    expiresAt: Math.max(record.expiresAt, expiresAt),
  });
}

/** The record as an update leaves it. Frozen. */
export function changedRecord(record: StoredRecord, change: Change): StoredRecord {
  const { payload, seenAt, expiresAt } = change;
  const version = record.version + 1;
  return touchedRecord({ ...record, payload, version }, seenAt, expiresAt);
}

/** A frozen copy of an ending. */
export function copyEnding({ why, at, reason, successor, seenAt }: Ending): Ending {
  return Object.freeze({
    why,
    at,
    ...(reason === undefined ? undefined : { reason }),
    ...(successor === undefined ? undefined : { successor }),
    ...(seenAt === undefined ? undefined : { seenAt }),
  });
}

/** The tombstone of a record, kept until `expiresAt`. `ending` must be a frozen copy. */
function bury(record: StoredRecord | Tombstone, ending: Ending, expiresAt: UnixMs): Tombstone {
  const { kind, key, handle, owner, createdAt } = record;
  return Object.freeze({ kind, key, handle, owner, createdAt, expiresAt, ending });
}

/** A frozen copy of a tombstone. */
export function copyTombstone(tombstone: Tombstone): Tombstone {
  return bury(tombstone, copyEnding(tombstone.ending), tombstone.expiresAt);
}

/**
 * The tombstone of a record that was ended: kept until the record's `absoluteExpiresAt`; one of a
 * rotation until its `expiresAt`, and at least until `graceUntil`. `ending` must be a frozen copy.
 */
export function endedTombstone(record: StoredRecord, ending: Ending, graceUntil = 0): Tombstone {
  const rotated = ending.why === "rotated";
  const keepUntil = rotated ? record.expiresAt : record.absoluteExpiresAt;
  return bury(record, ending, Math.max(keepUntil, graceUntil));
}

/** The tombstone of a record that expired by itself. */
export function expiredTombstone(record: StoredRecord): Tombstone {
  const { seenAt, expiresAt, absoluteExpiresAt } = record;
  const absolute = expiresAt >= absoluteExpiresAt;
  const why = absolute ? "absolute" : "idle";
  const ending = Object.freeze({ why, at: expiresAt, seenAt } as const);
  return bury(record, ending, absolute ? expiresAt + REMEMBER_EXPIRED : absoluteExpiresAt);
}

/** What an entry is at an instant: an alive record, a tombstone, or nothing any more. */
export function judge(entry: Entry, now: UnixMs): Entry | null {
  if (!isTombstone(entry)) {
    return now < entry.expiresAt ? entry : judge(expiredTombstone(entry), now);
  }
  return now < entry.expiresAt ? entry : null;
}

/** The alive record in what was found, or null. */
export function aliveIn(found: Entry | null): StoredRecord | null {
  return found === null || isTombstone(found) ? null : found;
}

/** The tombstone in what was found, or null. */
export function tombstoneIn(found: Entry | null): Tombstone | null {
  return found !== null && isTombstone(found) ? found : null;
}

/** What an entry is after its whole generation was ended. `ending` must be a frozen copy. */
export function endOf(entry: Entry, ending: Ending): Tombstone {
  if (isTombstone(entry)) return entry;
  return entry.expiresAt <= ending.at ? expiredTombstone(entry) : endedTombstone(entry, ending);
}
