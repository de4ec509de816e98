/** All that a table knows of one kind: the present generation and those ended as a whole. */
import type { UnixMs } from "../../clock.ts";
import type { Counts, Ending, Handle, OwnerKey, RecordKey, Ref } from "../contract.ts";
import type { OwnersPage, StoredRecord, Tombstone } from "../contract.ts";
import { CLOCK_TOLERANCE, isTombstone } from "../contract.ts";
import { markOf } from "./ended-owner.ts";
import type { Effect, Moved } from "./effects.ts";
import type { Entry } from "./entry.ts";
import { aliveIn, endOf, expiredTombstone, judge } from "./entry.ts";
import { LifetimeCounter } from "./lifetime.ts";
import { Shelf } from "./shelf.ts";

/** A generation that `endAll` ended: dead at once, moved over entry by entry. */
interface Retired {
  readonly shelf: Shelf;
  readonly ending: Ending;
  /** False when it was ended by a replayed effect. */
  readonly counts: boolean;
}

/** Entries of one kind. Reading changes nothing; `expire`, `convert` and `forget` clean up. */
export class KindTable {
  readonly #epoch: UnixMs;
  readonly lifetime: LifetimeCounter;
  #shelf: Shelf;
  #retired: Retired[] = [];
  #lastEndAll: Ending | null = null;

  constructor(since: UnixMs) {
    this.#epoch = since;
    this.lifetime = new LifetimeCounter(since);
    this.#shelf = new Shelf(since);
  }

  /** Entries kept: alive, expired and tombstones. */
  get size(): number {
    let size = this.#shelf.entries.size;
    for (const { shelf } of this.#retired) size += shelf.entries.size;
    return size;
  }

  /** The key of the newest record of a handle, dead or alive. */
  keyOf(handle: Handle): RecordKey | undefined {
    const key = this.#shelf.handles.get(handle);
    if (key !== undefined || this.#retired.length === 0) return key;
    return this.#retired.find(({ shelf }) => shelf.handles.has(handle))?.shelf.handles.get(handle);
  }

  /** What is at a reference: an alive record, a tombstone or null. Follows keys in grace time. */
  find(ref: Ref, now: UnixMs): Entry | null {
    let key = "key" in ref ? ref.key : this.keyOf(ref.handle);
    let found: Entry | null = null;
    while (key !== undefined) {
      const entry = this.#entry(key);
      if (entry === undefined) break;
      found = judge(entry, now);
      const moved = isTombstone(entry) ? this.#movedFrom(key) : undefined;
      key = moved !== undefined && now < moved.until ? moved.to : undefined;
    }
    return found;
  }

  /** True if a record or a tombstone has the key. */
  holds(key: RecordKey, now: UnixMs): boolean {
    const entry = this.#entry(key);
    return entry !== undefined && judge(entry, now) !== null;
  }

  /** The record at a key, expired or not, unless its generation has ended. */
  recordAt(key: RecordKey): StoredRecord | null {
    return aliveIn(this.#shelf.entries.get(key) ?? null);
  }

  /** The alive record at a reference, or null. */
  alive(ref: Ref, now: UnixMs): StoredRecord | null {
    return aliveIn(this.find(ref, now));
  }

  /** The alive records of an owner, in order of creation, those of one instant in order of insertion. */
  ownedBy(owner: OwnerKey, now: UnixMs): StoredRecord[] {
    const records = this.#recordsAt(this.#shelf.owners.keysOf(owner));
    return records.filter(({ expiresAt }) => now < expiresAt).toSorted(byCreation);
  }

  /** How many alive records an owner has; looks at each of them only while any record is {@link overdue}. */
  activeOf(owner: OwnerKey, now: UnixMs): number {
    if (this.overdue(now, 1) > 0) return this.ownedBy(owner, now).length;
    return this.#shelf.owners.count(owner);
  }

  /** Up to `max` of an owner's alive records, the oldest first; looks at more only as {@link activeOf} does. */
  oldestOf(owner: OwnerKey, max: number, now: UnixMs): StoredRecord[] {
    if (this.overdue(now, 1) > 0) return this.ownedBy(owner, now).slice(0, max);
    const records = this.#recordsAt(this.#shelf.owners.oldest(owner, max));
    return records.toSorted(byCreation).slice(0, max);
  }

  /** Puts a record at its key, whatever is there. */
  put(record: StoredRecord): void {
    for (const { shelf } of this.#retired) shelf.remove(record.key);
    this.#shelf.put(record);
  }

  /** Puts a tombstone at its key, whatever is there. */
  bury(tombstone: Tombstone, moved?: Moved): void {
    for (const { shelf } of this.#retired) shelf.remove(tombstone.key);
    this.#shelf.bury(tombstone, moved);
  }

  /** Forgets a key. */
  remove(key: RecordKey): void {
    for (const { shelf } of this.#retired) shelf.remove(key);
    this.#shelf.remove(key);
  }

  /** Ends every record in constant time. `ending` must be a frozen copy. */
  retire(ending: Ending, counts: boolean): void {
    if (ending.at >= (this.#lastEndAll?.at ?? -Infinity)) this.#lastEndAll = ending;
    if (this.#shelf.records === 0) return;
    this.#retired.unshift({ shelf: this.#shelf, ending, counts });
    this.#shelf = new Shelf(this.#epoch);
  }

  /** The latest ending of the whole kind. */
  get lastEndAll(): Ending | null {
    return this.#lastEndAll;
  }

  /** The latest ending of the kind, or of the record's owner, that the record is too old to have outlived; or null. */
  endedSince({ owner, createdAt }: StoredRecord): Ending | null {
    const ofOwner = owner === null ? null : this.markAt(markOf(owner));
    const endings = [this.#lastEndAll, ofOwner?.ending ?? null];
    return endings.find((ending) => ending && ending.at >= createdAt - CLOCK_TOLERANCE) ?? null;
  }

  /** The tombstone at a key, or null. */
  markAt(key: RecordKey): Tombstone | null {
    const entry = this.#entry(key);
    return entry !== undefined && isTombstone(entry) ? entry : null;
  }

  /** Expired records that {@link expire} has not reached. Where there are more than `enough`, at least that many. */
  overdue(now: UnixMs, enough?: number): number {
    return this.#shelf.expiring.overdue(now, enough);
  }

  /** True if any cleaning is due. */
  isDue(now: UnixMs): boolean {
    const { expiring, forgetting } = this.#shelf;
    return (
      this.#retired.length > 0 || expiring.overdue(now, 1) > 0 || forgetting.overdue(now, 1) > 0
    );
  }

  /** Makes tombstones of up to `max` expired records, the earliest first; returns how many. */
  expire(now: UnixMs, max: number): number {
    const keys = this.#shelf.expiring.take(now, max);
    for (const key of keys) this.#expireKey(key);
    return keys.length;
  }

  /** Forgets up to `max` tombstones whose time is over; returns how many. */
  forget(now: UnixMs, max: number): number {
    const keys = this.#shelf.forgetting.take(now, max);
    for (const key of keys) this.#shelf.remove(key);
    return keys.length;
  }

  /** Moves up to `max` entries of ended generations over; returns how many. */
  convert(max: number): number {
    let left = max;
    for (let oldest = this.#retired.at(-1); oldest && left > 0; oldest = this.#retired.at(-1)) {
      for (const entry of oldest.shelf.entries.values()) {
        if (left === 0) break;
        left -= 1;
        this.#convertEntry(oldest, entry);
      }
      if (oldest.shelf.entries.size === 0) this.#retired.pop();
    }
    return max - left;
  }

  /** Notes the number of alive records where it is a new peak. */
  notePeak(now: UnixMs): void {
    const { records } = this.#shelf;
    const above = records - this.lifetime.peak;
    this.lifetime.sawAlive(records - this.overdue(now, above));
  }

  /** Exact counts at this instant; makes tombstones of all that is {@link overdue} first. */
  count(now: UnixMs): Counts {
    this.expire(now, Infinity);
    const active = this.#shelf.records;
    this.lifetime.sawAlive(active);
    const pending = { ended: 0, durationMs: 0 };
    for (const { shelf, ending, counts } of this.#retired) {
      if (!counts) continue;
      pending.ended += shelf.records;
      pending.durationMs += (ending.at - this.#epoch) * shelf.records - shelf.createdSum;
    }
    const lifetime = this.lifetime.figures(pending);
    return { active, principals: this.#shelf.owners.size, lifetime };
  }

  /** The owners with alive records behind `cursor`, by code units. */
  owners(cursor: string, limit: number, now: UnixMs): OwnersPage {
    const owners: { owner: OwnerKey; active: number }[] = [];
    for (const owner of this.#shelf.owners.after(cursor)) {
      const active = this.activeOf(owner, now);
      if (active === 0) continue;
      if (owners.length === limit) return { owners, cursor: owners.at(-1)?.owner ?? null };
      owners.push({ owner, active });
    }
    return { owners, cursor: null };
  }

  /** The oldest tombstone. */
  oldestTombstone(): Tombstone | undefined {
    const [key] = this.#shelf.tombstones.earliest(1);
    const entry = key === undefined ? undefined : this.#shelf.entries.get(key);
    return entry !== undefined && isTombstone(entry) ? entry : undefined;
  }

  /** Up to `max` of the oldest tombstones. */
  oldestTombstones(max: number): RecordKey[] {
    return this.#shelf.tombstones.earliest(max);
  }

  /** Up to `max` of the least recently created records of nobody. */
  oldestAnonymous(max: number): StoredRecord[] {
    return this.#recordsAt(this.#shelf.anonymous.earliest(max));
  }

  /** The newest key of each present handle, step by step; complete for those that stay. */
  newestKeys(): Iterable<RecordKey> {
    return this.#shelf.handles.values();
  }

  /** Everything as effects; those of one tag in order of insertion. */
  *state(): Iterable<Effect> {
    let shelf: Shelf;
    do {
      shelf = this.#shelf;
      for (const retired of this.#retired.toReversed()) {
        for (const entry of retired.shelf.entries.values()) {
          yield endEffect(endOf(entry, retired.ending), retired.shelf.moved.get(entry.key));
        }
      }
      for (const entry of shelf.entries.values()) {
        if (!isTombstone(entry)) yield { put: entry };
        else yield endEffect(entry, shelf.moved.get(entry.key));
      }
    } while (shelf !== this.#shelf);
  }

  #entry(key: RecordKey): Entry | undefined {
    const entry = this.#shelf.entries.get(key);
    if (entry !== undefined || this.#retired.length === 0) return entry;
    for (const { shelf, ending } of this.#retired) {
      const old = shelf.entries.get(key);
      if (old !== undefined) return endOf(old, ending);
    }
    return undefined;
  }

  #recordsAt(keys: Iterable<RecordKey>): StoredRecord[] {
    return Array.from(keys, (key) => this.recordAt(key)).filter((record) => record !== null);
  }

  #movedFrom(key: RecordKey): Moved | undefined {
    const moved = this.#shelf.moved.get(key);
    if (moved !== undefined || this.#retired.length === 0) return moved;
    return this.#retired.find(({ shelf }) => shelf.moved.has(key))?.shelf.moved.get(key);
  }

  #expireKey(key: RecordKey): void {
    const record = this.recordAt(key);
    if (record === null) return;
    this.lifetime.ended(record.createdAt, record.expiresAt);
    this.#shelf.bury(expiredTombstone(record), undefined);
  }

  #convertEntry({ shelf, ending, counts }: Retired, entry: Entry): void {
    const tombstone = endOf(entry, ending);
    const moved = shelf.moved.get(entry.key);
    if (counts && !isTombstone(entry)) {
      this.lifetime.ended(entry.createdAt, tombstone.ending.at);
    }
    shelf.remove(entry.key);
    this.#shelf.bury(tombstone, moved);
  }
}

function byCreation(one: StoredRecord, other: StoredRecord): number {
  return one.createdAt - other.createdAt;
}

function endEffect(end: Tombstone, moved: Moved | undefined): Effect {
  return moved === undefined ? { end } : { end, moved };
}
