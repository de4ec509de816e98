/** The entries of one kind with their indexes: by handle, by owner, by the instant they fall due. */
import type { Handle, RecordKey, StoredRecord, Tombstone } from "../contract.ts";
import { isTombstone } from "../contract.ts";
import type { Moved } from "./effects.ts";
import type { Entry } from "./entry.ts";
import { OwnerIndex } from "./owners.ts";
import { ShardedMap } from "./sharded.ts";
import { TimeQueue } from "./time-queue.ts";

/** Entries and indexes, always in step. Judges nothing: it has no clock. */
export class Shelf {
  readonly entries: ShardedMap<RecordKey, Entry> = new ShardedMap();
  readonly handles: ShardedMap<Handle, RecordKey> = new ShardedMap();
  readonly owners: OwnerIndex = new OwnerIndex((key) => this.entries.get(key)?.createdAt ?? 0);
  readonly moved: ShardedMap<RecordKey, Moved> = new ShardedMap();
  /** Tombstones by the instant of the ending. */
  readonly tombstones: TimeQueue = new TimeQueue();
  /** Records of nobody by `createdAt`. */
  readonly anonymous: TimeQueue = new TimeQueue();
  /** Records by `expiresAt`. */
  readonly expiring: TimeQueue = new TimeQueue();
  /** Tombstones by `expiresAt`. */
  readonly forgetting: TimeQueue = new TimeQueue();
  /** Sum of `createdAt` over the records, counted from the epoch of the constructor, in ms. */
  createdSum = 0;
  readonly #epoch: number;

  constructor(epoch: number) {
    this.#epoch = epoch;
  }

  /** How many records there are, expired ones included. */
  get records(): number {
    return this.entries.size - this.tombstones.size;
  }

  /** Puts a record at its key, whatever is there. */
  put(record: StoredRecord): void {
    const before = this.entries.get(record.key);
    const former = before !== undefined && isSuccession(before, record) ? before : null;
    if (before !== undefined && former === null) this.#release(before);
    this.entries.set(record.key, record);
    this.handles.set(record.handle, record.key);
    this.createdSum += record.createdAt - (former?.createdAt ?? this.#epoch);
    if (former !== null) return this.expiring.move(record.key, former.expiresAt, record.expiresAt);
    this.expiring.add(record.key, record.expiresAt);
    if (record.owner === null) this.anonymous.add(record.key, record.createdAt);
    else this.owners.add(record.owner, record.key);
  }

  /** Puts a tombstone at its key, whatever is there. A session that moved took its handle along. */
  bury(tombstone: Tombstone, moved: Moved | undefined): void {
    const { key, handle } = tombstone;
    const before = this.entries.get(key);
    if (before !== undefined) this.#unindex(before);
    this.entries.set(key, tombstone);
    this.tombstones.add(key, tombstone.ending.at);
    this.forgetting.add(key, tombstone.expiresAt);
    if (moved === undefined) {
      if (!this.handles.has(handle)) this.handles.set(handle, key);
      return;
    }
    this.moved.set(key, moved);
    // In place, so that who goes through the handles meets a session that moves exactly once.
    if (this.handles.get(handle) === key) this.handles.set(handle, moved.to);
  }

  /** Takes an entry out. */
  remove(key: RecordKey): void {
    const entry = this.entries.get(key);
    if (entry === undefined) return;
    this.#release(entry);
    this.entries.delete(key);
  }

  #release(entry: Entry): void {
    this.#unindex(entry);
    if (this.handles.get(entry.handle) === entry.key) this.handles.delete(entry.handle);
  }

  #unindex(entry: Entry): void {
    if (isTombstone(entry)) {
      this.tombstones.remove(entry.key, entry.ending.at);
      this.forgetting.remove(entry.key, entry.expiresAt);
      this.moved.delete(entry.key);
    } else {
      if (entry.owner === null) this.anonymous.remove(entry.key, entry.createdAt);
      else this.owners.remove(entry.owner, entry.key);
      this.expiring.remove(entry.key, entry.expiresAt);
      this.createdSum -= entry.createdAt - this.#epoch;
    }
  }
}

/** True if `next` is the same record in a later state. */
function isSuccession(before: Entry, next: StoredRecord): before is StoredRecord {
  if (isTombstone(before) || before.createdAt !== next.createdAt) return false;
  return before.owner === next.owner && before.handle === next.handle;
}
