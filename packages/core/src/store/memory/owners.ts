/** Which records belong to whom, and the owners in a stable order to page through. */
import type { UnixMs } from "../../clock.ts";
import { TAG_LENGTH, tagOf } from "../../token/tag.ts";
import type { OwnerKey, RecordKey } from "../contract.ts";
import { Crowd } from "./crowd.ts";
import { MultiMap } from "./multimap.ts";

/** An owner with more keys than this is a crowd; with half as many it is none any more. */
const CROWD = 32;

/**
 * Owner to keys, sorted into the tags of the owners: paging sorts a tag's few owners, never all. The
 * keys of an owner who has many are kept by `createdAt` too.
 */
export class OwnerIndex {
  readonly #byTag = new Map<string, MultiMap<OwnerKey, RecordKey>>();
  readonly #crowds = new Map<OwnerKey, Crowd>();
  readonly #createdAt: (key: RecordKey) => UnixMs;
  #sortedTags: string[] | null = [];
  #size = 0;

  /** @param createdAt of any key in the index */
  constructor(createdAt: (key: RecordKey) => UnixMs) {
    this.#createdAt = createdAt;
  }

  /** How many owners have records. */
  get size(): number {
    return this.#size;
  }

  add(owner: OwnerKey, key: RecordKey): void {
    const tag = tagOf(owner);
    let keys = this.#byTag.get(tag);
    if (keys === undefined) {
      keys = new MultiMap();
      this.#byTag.set(tag, keys);
      this.#sortedTags = null;
    }
    if (keys.add(owner, key)) this.#size += 1;
    const crowd = this.#crowds.get(owner);
    if (crowd !== undefined) crowd.add(key, this.#createdAt(key));
    else if (keys.count(owner) > CROWD) this.#crowds.set(owner, this.#crowdOf(keys.get(owner)));
  }

  remove(owner: OwnerKey, key: RecordKey): void {
    const tag = tagOf(owner);
    const keys = this.#byTag.get(tag);
    if (!keys?.remove(owner, key)) return;
    const left = keys.count(owner);
    if (left === 0) this.#size -= 1;
    if (left <= CROWD / 2) this.#crowds.delete(owner);
    else this.#crowds.get(owner)?.remove(key, this.#createdAt(key));
    if (keys.size > 0) return;
    this.#byTag.delete(tag);
    this.#sortedTags = null;
  }

  /** The keys of an owner, in order of insertion. */
  keysOf(owner: OwnerKey): Iterable<RecordKey> {
    return this.#byTag.get(tagOf(owner))?.get(owner) ?? [];
  }

  /** How many keys an owner has. */
  count(owner: OwnerKey): number {
    return this.#byTag.get(tagOf(owner))?.count(owner) ?? 0;
  }

  /** The oldest keys of an owner, first the oldest: `max` of many, or all of few in order of insertion. */
  oldest(owner: OwnerKey, max: number): Iterable<RecordKey> {
    return this.#crowds.get(owner)?.oldest(max) ?? this.keysOf(owner);
  }

  /** The owners behind `cursor` in code unit order. */
  *after(cursor: string): Iterable<OwnerKey> {
    this.#sortedTags ??= [...this.#byTag.keys()].toSorted(byCodeUnits);
    const cursorTag = cursor.slice(0, TAG_LENGTH);
    for (const tag of this.#sortedTags) {
      if (tag < cursorTag) continue;
      const owners = [...(this.#byTag.get(tag)?.keys() ?? [])].toSorted(byCodeUnits);
      for (const owner of owners) if (owner > cursor) yield owner;
    }
  }

  #crowdOf(keys: Iterable<RecordKey>): Crowd {
    const crowd = new Crowd();
    for (const key of keys) crowd.add(key, this.#createdAt(key));
    return crowd;
  }
}

function byCodeUnits(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
