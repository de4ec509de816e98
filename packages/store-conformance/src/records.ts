/** Valid records, references and endings for the cases. */
import { randomBytes } from "node:crypto";
import { ownerKey, randomTag, tagOf } from "@sojourn/core/store";
import type { Clock, Ending, EndingReason, Handle, OwnerKey } from "@sojourn/core/store";
import type { RecordKey, Ref, StoredRecord, Tombstone } from "@sojourn/core/store";

/** The kind of the cases' records. */
export const KIND = "session";
/** Idle timeout of the cases' records: 30 minutes. */
export const IDLE = 1_800_000;
/** Absolute timeout of the cases' records: 24 hours. */
export const ABSOLUTE = 86_400_000;

/** The owner key of a user. */
export function owner(user: string): OwnerKey {
  return ownerKey("conformance", user);
}

/** A fresh key with a tag. */
function freshKey(tag: string): RecordKey {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- this is where keys are made
  return `${tag}.${randomBytes(32).toString("base64url")}` as RecordKey;
}

/** A fresh handle with a tag. */
function freshHandle(tag: string): Handle {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- this is where handles are made
  return `${tag}${randomBytes(12).toString("base64url")}` as Handle;
}

/** Fields that a case cares about; `user` makes the owner. */
export type Fields = Partial<StoredRecord> & { readonly user?: string };

/** A new record of `user` (default: of nobody) that begins now. */
export function record(clock: Clock, { user, ...fields }: Fields = {}): StoredRecord {
  const now = clock.now();
  const belongsTo = user === undefined ? null : owner(user);
  const tag = belongsTo === null ? randomTag() : tagOf(belongsTo);
  return {
    kind: KIND,
    key: freshKey(tag),
    handle: freshHandle(tag),
    owner: belongsTo,
    version: 1,
    createdAt: now,
    seenAt: now,
    expiresAt: now + IDLE,
    absoluteExpiresAt: now + ABSOLUTE,
    payload: '{"cart":[]}',
    ...fields,
  };
}

/** The same session under a new key, as a rotation makes it. */
export function rotated(old: StoredRecord, fields: Partial<StoredRecord> = {}): StoredRecord {
  return { ...old, key: freshKey(tagOf(old.key)), version: old.version + 1, ...fields };
}

export function byKey({ kind, key }: StoredRecord): Ref {
  return { kind, key };
}

export function byHandle({ kind, handle }: StoredRecord): Ref {
  return { kind, handle };
}

/** An ending of this instant. */
export function ending(clock: Clock, why: EndingReason, fields: Partial<Ending> = {}): Ending {
  return { why, at: clock.now(), ...fields };
}

/** Everything that a store may show, to compare before and after. */
export function handlesOf(records: readonly (StoredRecord | Tombstone)[]): Handle[] {
  return records.map(({ handle }) => handle);
}
