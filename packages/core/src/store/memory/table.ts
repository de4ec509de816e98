/** The in-process table of records: the semantics of a `Store`, synchronous and bounded. */
import type { Clock, UnixMs } from "../../clock.ts";
import type * as contract from "../contract.ts";
import type { Ending, OwnerKey, Ref, StoredRecord, Tombstone } from "../contract.ts";
import { moveOf, refuseTaken, roomFor } from "./admission.ts";
import { makeRoom } from "./capacity.ts";
import type { Effect, Moved } from "./effects.ts";
import {
  aliveIn,
  changedRecord,
  copyEnding,
  copyRecord,
  endedTombstone,
  tombstoneIn,
  touchedRecord,
} from "./entry.ts";
import { ownerEnded } from "./ended-owner.ts";
import { KindTable } from "./kind.ts";
import { replay } from "./replay.ts";

export type { Effect } from "./effects.ts";

/** Options of {@link RecordTable}. */
export interface RecordTableOptions {
  readonly clock: Clock;
  /** The most entries kept: alive records and tombstones together. */
  readonly maxRecords: number;
  /** Called once per operation that changed something, with all its effects in order: one atom. */
  readonly onEffects?: (effects: readonly Effect[]) => void;
}

/** Units of cleaning that each `create` does. */
const CLEAN_AT_CREATE = 4;
/** Entries that `scan` looks at before it lets the event loop turn. */
const SCAN_SLICE = 500;

/** Records by kind, with their indexes. What it returns is frozen; see `Store` for the promises. */
export class RecordTable {
  readonly #kinds = new Map<string, KindTable>();
  readonly #clock: Clock;
  readonly #maxRecords: number;
  readonly #onEffects: ((effects: readonly Effect[]) => void) | undefined;
  readonly #since: UnixMs;

  constructor({ clock, maxRecords, onEffects }: RecordTableOptions) {
    this.#clock = clock;
    this.#maxRecords = maxRecords;
    this.#onEffects = onEffects;
    this.#since = clock.now();
  }

  /** The record, its tombstone, or null. */
  read(ref: Ref): contract.Found {
    return this.#kinds.get(ref.kind)?.find(ref, this.#clock.now()) ?? null;
  }

  /** Creates, admits and indexes. @throws SOJOURN_RECORD_EXISTS, SOJOURN_STORE_FULL */
  create(record: StoredRecord, admission?: contract.Admission): contract.Admitted {
    const now = this.#clock.now();
    this.purge(CLEAN_AT_CREATE);
    const kind = this.#kind(record.kind);
    const effects: Effect[] = [];
    refuseTaken(kind, record, now);
    const room = roomFor(kind, record, { admission, now });
    if (room.status === "refused") return room;
    const { evicting } = room;
    if (evicting.length === 0) effects.push(...makeRoom(this.#kinds, this.#maxRecords, now));
    const evicted = evicting.map((victim) => this.#evict(kind, victim, record, effects));
    if (evicted.length > 0) effects.push(...makeRoom(this.#kinds, this.#maxRecords, now));
    this.#put(kind, record, effects);
    kind.lifetime.created();
    kind.notePeak(now);
    this.#emit(effects);
    return { status: "created", evicted };
  }

  /** Compare-and-set. */
  update(ref: Ref, change: contract.Change, expectedVersion: number): contract.Updated {
    const kind = this.#kinds.get(ref.kind);
    const found = kind?.find(ref, this.#clock.now()) ?? null;
    const record = aliveIn(found);
    if (kind === undefined || record === null) return gone(tombstoneIn(found));
    if (record.version !== expectedVersion) return { status: "conflict", record };
    const next = changedRecord(record, change);
    kind.put(next);
    this.#emit([{ put: next }]);
    return { status: "updated", record: next };
  }

  /** Moves `seenAt` and `expiresAt` forward; false if not alive. */
  touch(ref: Ref, seenAt: UnixMs, expiresAt: UnixMs): boolean {
    const kind = this.#kinds.get(ref.kind);
    const record = kind?.alive(ref, this.#clock.now());
    if (!kind || !record) return false;
    const next = touchedRecord(record, seenAt, expiresAt);
    if (next.seenAt === record.seenAt && next.expiresAt === record.expiresAt) return true;
    kind.put(next);
    const { key } = next;
    this.#emit([
      { touch: { kind: ref.kind, key, seenAt: next.seenAt, expiresAt: next.expiresAt } },
    ]);
    return true;
  }

  /** Puts `record` in place of the one at `ref`. @throws SOJOURN_RECORD_EXISTS */
  replace(ref: Ref, record: StoredRecord, how: contract.Replacement): contract.Replaced {
    const now = this.#clock.now();
    const kind = this.#kind(ref.kind);
    const found = kind.find(ref, now);
    const old = aliveIn(found);
    if (old === null) return gone(tombstoneIn(found));
    if ("key" in ref && old.key !== ref.key) return { status: "moved", record: old };
    if (old.version !== how.expectedVersion) return { status: "conflict", record: old };
    refuseTaken(kind, record, now, old.handle);
    const room = roomFor(kind, record, { admission: how.admission, now, leaving: old });
    if (room.status === "refused") return room;
    const effects: Effect[] = [];
    const evicted = room.evicting.map((victim) => this.#evict(kind, victim, record, effects));
    this.#bury(kind, old, copyEnding(how.ending), effects, moveOf(old, record, how));
    effects.push(...makeRoom(this.#kinds, this.#maxRecords, now));
    this.#put(kind, record, effects);
    if (old.handle !== record.handle) {
      kind.lifetime.ended(old.createdAt, how.ending.at);
      kind.lifetime.created();
    }
    kind.notePeak(now);
    this.#emit(effects);
    return { status: "replaced", evicted };
  }

  /** Ends an alive record; null if it was not alive. */
  end(ref: Ref, ending: Ending): Tombstone | null {
    const kind = this.#kinds.get(ref.kind);
    const record = kind?.alive(ref, this.#clock.now());
    if (!kind || !record) return null;
    const effects: Effect[] = [];
    const tombstone = this.#end(kind, record, copyEnding(ending), effects);
    this.#emit(effects);
    return tombstone;
  }

  /** As `create`, unless the record's owner or its kind was ended since. @throws as `create` */
  adopt(record: StoredRecord, admission?: contract.Admission): contract.Adopted {
    const kind = this.#kind(record.kind);
    const present = kind.alive({ kind: record.kind, key: record.key }, this.#clock.now());
    const isHere = present?.key === record.key && present.handle === record.handle;
    const ending = kind.endedSince(record);
    if (ending !== null) {
      if (isHere) this.end({ kind: record.kind, key: record.key }, ending);
      return { status: "ended", ending };
    }
    return isHere ? { status: "present" } : this.create(record, admission);
  }

  /** Ends every record of an owner but `except`; how many, or null where `except` is not alive. */
  endOwner(
    kindName: string,
    owner: OwnerKey,
    ending: Ending,
    except?: contract.Handle,
  ): number | null {
    const kind = this.#kind(kindName);
    const owned = kind.ownedBy(owner, this.#clock.now());
    const others = owned.filter(({ handle }) => handle !== except);
    if (except !== undefined && others.length === owned.length) return null;
    const effects: Effect[] = [];
    const copied = copyEnding(ending);
    for (const record of others) this.#end(kind, record, copied, effects);
    this.#remember(kind, ownerEnded(kindName, owner, copied), effects);
    this.#emit(effects);
    return others.length;
  }

  /** Ends every record of a kind in constant time; `purge` makes the tombstones. */
  endAll(kindName: string, ending: Ending): void {
    const copied = copyEnding(ending);
    this.#kind(kindName).retire(copied, true);
    this.#emit([{ endAll: { kind: kindName, ending: copied } }]);
  }

  /** Takes a record out; null if it was not alive. */
  consume(ref: Ref): StoredRecord | null {
    const now = this.#clock.now();
    const kind = this.#kinds.get(ref.kind);
    const record = kind?.alive(ref, now);
    if (!kind || !record) return null;
    kind.remove(record.key);
    kind.lifetime.ended(record.createdAt, now);
    this.#emit([{ drop: { kind: ref.kind, key: record.key } }]);
    return record;
  }

  /** The alive records of an owner, in order of creation. */
  listOwner(kind: string, owner: OwnerKey): StoredRecord[] {
    return this.#kinds.get(kind)?.ownedBy(owner, this.#clock.now()) ?? [];
  }

  /** Every session of a kind that lives during the whole scan, once, also one that is rotated. */
  async *scan(kind: string): AsyncIterable<StoredRecord> {
    let seen = 0;
    for (const key of this.#kinds.get(kind)?.newestKeys() ?? []) {
      seen += 1;
      if (seen % SCAN_SLICE === 0) await nextTurn();
      const record = this.#kinds.get(kind)?.alive({ kind, key }, this.#clock.now());
      if (record?.key === key) yield record;
    }
  }

  /** Exact counts; takes time in proportion to {@link overdue}. */
  count(kind: string): contract.Counts {
    return (this.#kinds.get(kind) ?? new KindTable(this.#since)).count(this.#clock.now());
  }

  /** As {@link count}, or null where more than `max` records wait for `purge`; that changes nothing. */
  tryCount(kind: string, max: number): contract.Counts | null {
    const table = this.#kinds.get(kind) ?? new KindTable(this.#since);
    const now = this.#clock.now();
    return table.overdue(now, max + 1) > max ? null : table.count(now);
  }

  /** A page of the owners with alive records, ordered by code units. */
  owners(kind: string, cursor?: string | null, limit: number = 100): contract.OwnersPage {
    const page = this.#kinds.get(kind)?.owners(cursor ?? "", Math.max(1, limit), this.#clock.now());
    return page ?? { owners: [], cursor: null };
  }

  /** Expired records of a kind that wait for `purge`: what {@link count} would have to do first. */
  overdue(kind: string): number {
    return this.#kinds.get(kind)?.overdue(this.#clock.now()) ?? 0;
  }

  /** Does up to `max` units of cleaning, each one entry; true if more is due. */
  purge(max: number): boolean {
    const now = this.#clock.now();
    let left = max;
    const kinds = [...this.#kinds.values()];
    // First what makes others wait: see tryCount.
    for (const kind of kinds) left -= kind.expire(now, left);
    for (const kind of kinds) left -= kind.forget(now, left);
    for (const kind of kinds) left -= kind.convert(left);
    return kinds.some((kind) => kind.isDue(now));
  }

  /**
   * Replays effects; never calls `onEffects`, judges no expiry and keeps no `maxRecords`. Replay all
   * of a journal before other operations.
   */
  apply(effects: Iterable<Effect>): void {
    replay(effects, (name) => this.#kind(name));
  }

  /** The whole state as effects, made step by step: the table may change in between. */
  *state(): Iterable<Effect> {
    for (const [name, kind] of this.#kinds) {
      const ending = kind.lastEndAll;
      if (ending !== null) yield { endAll: { kind: name, ending } };
      yield* kind.state();
    }
  }

  #kind(name: string): KindTable {
    let kind = this.#kinds.get(name);
    if (kind === undefined) {
      kind = new KindTable(this.#since);
      this.#kinds.set(name, kind);
    }
    return kind;
  }

  #put(kind: KindTable, record: StoredRecord, effects: Effect[]): void {
    const put = copyRecord(record);
    kind.put(put);
    effects.push({ put });
  }

  /** Keeps the latest ending of an owner. */
  #remember(kind: KindTable, mark: Tombstone, effects: Effect[]): void {
    const known = kind.markAt(mark.key);
    if (known !== null && known.ending.at >= mark.ending.at) return;
    effects.push(...makeRoom(this.#kinds, this.#maxRecords, this.#clock.now()));
    kind.bury(mark);
    effects.push({ end: mark });
  }

  #evict(kind: KindTable, victim: StoredRecord, by: StoredRecord, effects: Effect[]): Tombstone {
    const at = this.#clock.now();
    const successor = by.handle;
    const ending = Object.freeze({ why: "evicted", at, reason: "limit", successor } as const);
    return this.#end(kind, victim, ending, effects);
  }

  #end(kind: KindTable, record: StoredRecord, ending: Ending, effects: Effect[]): Tombstone {
    kind.lifetime.ended(record.createdAt, ending.at);
    return this.#bury(kind, record, ending, effects);
  }

  #bury(
    kind: KindTable,
    record: StoredRecord,
    ending: Ending,
    effects: Effect[],
    moved?: Moved,
  ): Tombstone {
    const end = endedTombstone(record, ending, moved?.until);
    kind.bury(end, moved);
    effects.push(moved === undefined ? { end } : { end, moved });
    return end;
  }

  #emit(effects: readonly Effect[]): void {
    if (effects.length > 0) this.#onEffects?.(effects);
  }
}

function gone(tombstone: Tombstone | null): contract.Gone {
  return { status: "gone", tombstone };
}

async function nextTurn(): Promise<void> {
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
}
