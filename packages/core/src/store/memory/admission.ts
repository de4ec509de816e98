/** What decides whether a record may come in, and whom a limit ends for it. */
import type { UnixMs } from "../../clock.ts";
import { SojournError } from "../../errors.ts";
import type { Admission, Handle, Replacement, StoredRecord } from "../contract.ts";
import type { Moved } from "./effects.ts";
import type { KindTable } from "./kind.ts";

/** What a limit says of one more record of an owner: whom it ends, or how many there are, where it is refused. */
export type Room =
  | { readonly status: "admitted"; readonly evicting: readonly StoredRecord[] }
  | { readonly status: "refused"; readonly active: number };

/** @param leaving an alive record that the new one takes the place of: it does not count */
export function roomFor(
  kind: KindTable,
  { owner }: StoredRecord,
  { admission, now, leaving }: Coming,
): Room {
  if (owner === null || admission === undefined) return { status: "admitted", evicting: [] };
  const { max, onLimit } = admission;
  const isSpared = leaving !== undefined && leaving.owner === owner;
  const active = kind.activeOf(owner, now) - (isSpared ? 1 : 0);
  const excess = active + 1 - max;
  if (excess <= 0) return { status: "admitted", evicting: [] };
  if (onLimit === "reject" || max < 1) return { status: "refused", active };
  const first =
    onLimit === "evict-oldest"
      ? kind.oldestOf(owner, isSpared ? excess + 1 : excess, now)
      : kind.ownedBy(owner, now).toSorted((a, b) => a.seenAt - b.seenAt);
  const evicting = first.filter((record) => record !== leaving).slice(0, excess);
  return { status: "admitted", evicting };
}

interface Coming {
  readonly admission: Admission | undefined;
  readonly now: UnixMs;
  readonly leaving?: StoredRecord;
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
