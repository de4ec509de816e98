/** What decides whether a record may come in, and whom a limit ends for it. */
import type { UnixMs } from "../../clock.ts";
import { SojournError } from "../../errors.ts";
import type { Admission, Handle, Replacement, StoredRecord } from "../contract.ts";
import type { Moved } from "./effects.ts";
import type { KindTable } from "./kind.ts";

/** The alive records that a limit on the new one's owner counts; empty without a limit. */
export function othersOf(
  kind: KindTable,
  { owner }: StoredRecord,
  admission: Admission | undefined,
  now: UnixMs,
): StoredRecord[] {
  return owner === null || admission === undefined ? [] : kind.ownedBy(owner, now);
}

/**
 * The records to evict so that one more fits, or null: refused. Ties go to the earlier in `others`.
 * @param others the owner's alive records, in order of insertion, without the new one
 */
export function victims(
  others: readonly StoredRecord[],
  admission: Admission | undefined,
): readonly StoredRecord[] | null {
  if (admission === undefined) return [];
  const { max, onLimit } = admission;
  const excess = others.length + 1 - max;
  if (excess <= 0) return [];
  if (onLimit === "reject" || max < 1) return null;
  const instant = onLimit === "evict-oldest" ? "createdAt" : "seenAt";
  return others.toSorted((a, b) => a[instant] - b[instant]).slice(0, excess);
}

/**
 * Refuses a key or a handle that is taken; `inherited` is the handle that may be.
 * @throws SOJOURN_RECORD_EXISTS
 */
export function refuseTaken(
  kind: KindTable,
  record: StoredRecord,
  now: UnixMs,
  inherited?: Handle,
): void {
  const holder = record.handle === inherited ? undefined : kind.keyOf(record.handle);
  if (!kind.holds(record.key, now) && (holder === undefined || !kind.holds(holder, now))) return;
  throw new SojournError(
    "SOJOURN_RECORD_EXISTS",
    "A record or a tombstone has this key or this handle already: create records with fresh random ones.",
  );
}

/** Where the old key leads: the session moved, if both records have its handle. */
export function moveOf(
  old: StoredRecord,
  record: StoredRecord,
  { ending, graceMs = 0 }: Replacement,
): Moved | undefined {
  if (old.handle !== record.handle) return undefined;
  return { to: record.key, until: ending.at + graceMs };
}
