/** Which records belong to whom, the oldest first, and the owners in a stable order to page through. */
import type { UnixMs } from "../../clock.ts";
import { TAG_LENGTH, tagOf } from "../../token/tag.ts";
import type { OwnerKey, RecordKey } from "../contract.ts";
import { TimeQueue } from "./time-queue.ts";

/** The keys of one owner by `createdAt`: most have one session, which costs no queue. */
type Owned = RecordKey | TimeQueue;

/** Owner to keys, sorted into the tags of the owners: paging sorts a tag's few owners, never all. */
export class OwnerIndex {
  readonly #byTag = new Map<string, Map<OwnerKey, Owned>>();
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

  add(owner: OwnerKey, key: RecordKey, createdAt: UnixMs): void {
    const tag = tagOf(owner);
    let owners = this.#byTag.get(tag);
    if (owners === undefined) {
      owners = new Map();
      this.#byTag.set(tag, owners);
      this.#sortedTags = null;
    }
    const owned = owners.get(owner);
    if (owned === undefined) {
      owners.set(owner, key);
      this.#size += 1;
    } else this.#queueOf(owners, owner, owned).add(key, createdAt);
  }

  remove(owner: OwnerKey, key: RecordKey, createdAt: UnixMs): void {
    const tag = tagOf(owner);
    const owners = this.#byTag.get(tag);
    const owned = owners?.get(owner);
    if (owners === undefined || owned === undefined) return;
    if (typeof owned === "string" ? owned !== key : isMore(owned, key, createdAt)) return;
    owners.delete(owner);
    this.#size -= 1;
    if (owners.size > 0) return;
    this.#byTag.delete(tag);
    this.#sortedTags = null;
  }

  /** How many keys an owner has. */
  count(owner: OwnerKey): number {
    const owned = this.#byTag.get(tagOf(owner))?.get(owner);
    if (owned === undefined) return 0;
    return typeof owned === "string" ? 1 : owned.size;
  }

  /** Up to `max` keys of an owner (default: all), the oldest first. */
  keysOf(owner: OwnerKey, max: number = Infinity): readonly RecordKey[] {
    const owned = this.#byTag.get(tagOf(owner))?.get(owner);
    if (owned === undefined) return [];
    return typeof owned === "string" ? [owned] : owned.earliest(max);
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

  #queueOf(owners: Map<OwnerKey, Owned>, owner: OwnerKey, owned: Owned): TimeQueue {
    if (typeof owned !== "string") return owned;
    const queue = new TimeQueue();
    queue.add(owned, this.#createdAt(owned));
    owners.set(owner, queue);
    return queue;
  }
}

/** Takes a key out of a queue; true if others are left. */
function isMore(queue: TimeQueue, key: RecordKey, createdAt: UnixMs): boolean {
  queue.remove(key, createdAt);
  return queue.size > 0;
}

function byCodeUnits(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
