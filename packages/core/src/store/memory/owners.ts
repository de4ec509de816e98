/** Which records belong to whom, and the owners in a stable order to page through. */
import { TAG_LENGTH, tagOf } from "../../token/tag.ts";
import type { OwnerKey, RecordKey } from "../contract.ts";
import { MultiMap } from "./multimap.ts";

/**
 * Owner to keys, sorted into the tags of the owners: paging sorts a tag's few owners, never all.
 */
export class OwnerIndex {
  readonly #byTag = new Map<string, MultiMap<OwnerKey, RecordKey>>();
  #sortedTags: string[] | null = [];
  #size = 0;

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
  }

  remove(owner: OwnerKey, key: RecordKey): void {
    const tag = tagOf(owner);
    const keys = this.#byTag.get(tag);
    if (!keys?.remove(owner, key)) return;
    if (keys.count(owner) === 0) this.#size -= 1;
    if (keys.size > 0) return;
    this.#byTag.delete(tag);
    this.#sortedTags = null;
  }

  /** The keys of an owner, in order of insertion. */
  keysOf(owner: OwnerKey): Iterable<RecordKey> {
    return this.#byTag.get(tagOf(owner))?.get(owner) ?? [];
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
}

function byCodeUnits(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
