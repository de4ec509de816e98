/** The names that reach Redis: which tag an id has, and the key that chooses the slot. */
import { parseTaggedOwner, tagOf } from "@sojourn/core/store";
import type { Handle, OwnerKey, RecordKey, Ref, StoredRecord } from "@sojourn/core/store";

const TAG = /^[A-Za-z0-9_-]{2}[AQgw]/;
const TAG_AND_DOT = /^[A-Za-z0-9_-]{2}[AQgw]\./;
const ALPHABET = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";
/** The last of a tag's three characters holds two bits. */
const LAST = "AQgw";

/** What stands for every tag, where a standalone server keeps the generation of a kind. */
export const EVERY = "*";

/** What a record is read by. */
export type KeyRef = Pick<StoredRecord, "kind" | "key">;

/** True for an id that begins with a tag. */
export function hasTag(id: RecordKey | Handle | OwnerKey): boolean {
  return TAG.test(id);
}

/** True for a key or an owner that begins with a tag and a dot. */
export function hasTagAndDot(id: RecordKey | OwnerKey): boolean {
  return TAG_AND_DOT.test(id);
}

/** The tag of an id; `---`, which no record has, for an id of somebody's invention. */
export function slotTag(id: RecordKey | Handle | OwnerKey): string {
  return hasTag(id) ? tagOf(id) : "---";
}

/** The key or the handle of a reference. */
export function idOf(ref: Ref): RecordKey | Handle {
  return "key" in ref ? ref.key : ref.handle;
}

/**
 * `<prefix>:{<tag>}:<kind>`: what every name of this tag and kind begins with. A dot or a slash comes
 * behind it, and none is in the kind.
 */
export function base(prefix: string, tag: string, kind: string): string {
  return `${prefix}:{${tag}}${suffix(kind)}`;
}

/** Of the kinds: there are few, and each command has one. */
const suffixes = new Map<string, string>();

/** `:<kind>`, as it stands in a name behind the tag. */
export function suffix(kind: string): string {
  const known = suffixes.get(kind);
  if (known !== undefined) return known;
  const made = `:${encodeURIComponent(kind).replaceAll(".", "%2E")}`;
  suffixes.set(kind, made);
  return made;
}

/**
 * What comes behind every name of an owner in an index, and before those of the next one; see
 * `entry` in lua/finding.ts.
 */
export function behind(owner: OwnerKey): string {
  return `o${parseTaggedOwner(owner).replaceAll("\0", "\x002")}\x002`;
}

let tags: readonly string[] | undefined;

/** Every tag there is, 16,384, in the order of their slots: neighbours are often on one node. */
export function everyTag(): readonly string[] {
  tags ??= tagsBySlot();
  return tags;
}

/** A tag for each slot that has one, in the order of the slots. */
export function tagsOfSlots(): ReadonlyMap<number, string> {
  bySlot ??= new Map(everyTag().map((tag) => [slotOf(tag), tag]));
  return bySlot;
}

let bySlot: ReadonlyMap<number, string> | undefined;

function tagsBySlot(): readonly string[] {
  const letters = ALPHABET.split("");
  const all = letters.flatMap((first) =>
    letters.flatMap((second) => LAST.split("").map((third) => first + second + third)),
  );
  const placed = all.map((tag) => ({ tag, slot: slotOf(tag) }));
  return placed.toSorted((one, other) => one.slot - other.slot).map(({ tag }) => tag);
}

/** The slot of a hash tag: CRC-16/XMODEM modulo 16,384 (Redis Cluster specification, appendix A). */
function slotOf(tag: string): number {
  let crc = 0;
  for (const byte of Buffer.from(tag)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1)
      crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021;
    crc &= 0xffff;
  }
  return crc & 0x3fff;
}
