/** A store of a hundred lines, made to be broken: each fault is one line in the place where it would really be. */
import { SojournError } from "@sojourn/core/store";
import type {
  Admission,
  Admitted,
  Adopted,
  Change,
  Clock,
  Counts,
  Ending,
  Handle,
  OwnerKey,
  OwnersPage,
  Ref,
  RecordKey,
  Replaced,
  Replacement,
  Store,
  StoredRecord,
  Tombstone,
  Updated,
} from "@sojourn/core/store";

/** What can be wrong with it. */
export const FAULTS = {
  "update revives": "a late update brings an ended session back (upsert)",
  "touch revives": "a late touch brings an ended session back",
  "limit before the atom": "sessions are counted first and created later",
  "limit off by one": "a limit lets one too many in",
  "evicts the newest": "the limit ends the newest session instead of the oldest",
  "evicts by age": "evict-idle goes by creation instead of last use",
  "refusal ends the old": "a login that the limit refuses has ended the session before",
  "index loses": "a rotated session is missing from its owner's list",
  "index keeps": "an ended session stays in its owner's list",
  "ending overwritten": "the second ending of a session replaces the first",
  "grace for ever": "a rotated token works as long as its session",
  "grace after elevation": "the old token lives on for the grace time after an elevation",
  "grace of the first only": "rotated twice, the grace time of the second rotation is not kept",
  "rotation copies": "a rotation leaves the old record where it was",
  "login copies": "a login leaves the session before it alive",
  "handle leads astray": "after a rotation the handle still leads to the old record",
  "dies late": "a session lives one millisecond too long",
  "expiry not looked at": "an expired session lives until somebody sweeps",
  "absolute slides": "each use moves the absolute timeout",
  "update does not slide": "an update leaves the idle timeout where it was",
  "revokes all but the newest": "revoking all sessions of a user misses the newest",
  "spares the dead": "a session that is over itself still revokes all others",
  "spares nobody": "revoking all others ends the present one as well",
  "everyone but anonymous": "revoking everyone forgets those who are not logged in",
  "two winners": "two may consume the same record",
  "last write wins": "an update does not look at the version",
  "rotation wins": "a rotation does not look at the version",
  "counts the dead": "expired sessions are counted",
} as const;

/** Name of a fault. */
export type FaultName = keyof typeof FAULTS;

interface Row {
  record: StoredRecord;
  tombstone: Tombstone | null;
  moved: { readonly to: RecordKey; readonly until: number } | null;
}

/** See the top of the file. */
export class ToyStore implements Store {
  readonly name = "toy";
  readonly clock: Clock;
  readonly #fault: FaultName | null;
  readonly #kinds = new Map<string, Map<RecordKey, Row>>();
  readonly #firstKeys = new Map<Handle, RecordKey>();

  constructor(clock: Clock, fault: FaultName | null) {
    this.clock = clock;
    this.#fault = fault;
  }

  async read(ref: Ref): Promise<StoredRecord | Tombstone | null> {
    const row = this.#find(ref);
    if (row === null) return null;
    return this.#isAlive(row) ? { ...row.record } : this.#tombstoneOf(row);
  }

  async create(record: StoredRecord, admission?: Admission): Promise<Admitted> {
    if (this.#rows(record.kind).has(record.key))
      throw new SojournError("SOJOURN_RECORD_EXISTS", "taken");
    const others = this.#others(record, admission, null);
    if (this.#is("limit before the atom")) await Promise.resolve();
    const admitted = this.#admit(record, admission, others);
    if (admitted.status === "created") this.#put(record);
    return admitted;
  }

  async update(ref: Ref, change: Change, expectedVersion: number): Promise<Updated> {
    const row = this.#find(ref);
    if (!row) return { status: "gone", tombstone: null };
    if (this.#is("update revives")) row.tombstone = null;
    else if (!this.#isAlive(row)) return { status: "gone", tombstone: this.#tombstoneOf(row) };
    const { record } = row;
    if (record.version !== expectedVersion && !this.#is("last write wins"))
      return { status: "conflict", record: { ...record } };
    const { payload } = change;
    row.record = { ...record, payload, version: record.version + 1 };
    if (!this.#is("update does not slide")) this.#slide(row, change.seenAt, change.expiresAt);
    return { status: "updated", record: { ...row.record } };
  }

  async touch(ref: Ref, seenAt: number, expiresAt: number): Promise<boolean> {
    const row = this.#find(ref);
    if (!row) return false;
    if (this.#is("touch revives")) row.tombstone = null;
    else if (!this.#isAlive(row)) return false;
    this.#slide(row, seenAt, expiresAt);
    return true;
  }

  async replace(ref: Ref, record: StoredRecord, how: Replacement): Promise<Replaced> {
    const row = this.#find(ref);
    if (!row || !this.#isAlive(row))
      return { status: "gone", tombstone: row && this.#tombstoneOf(row) };
    const old = row.record;
    if ("key" in ref && old.key !== ref.key) return { status: "moved", record: { ...old } };
    if (old.version !== how.expectedVersion && !this.#is("rotation wins"))
      return { status: "conflict", record: { ...old } };
    if (this.#is("refusal ends the old")) this.#bury(row, how.ending);
    const others = this.#others(record, how.admission, old);
    if (this.#is("limit before the atom")) await Promise.resolve();
    const admitted = this.#admit(record, how.admission, others);
    if (admitted.status === "refused") return admitted;
    const isRotation = old.handle === record.handle;
    if (!this.#is(isRotation ? "rotation copies" : "login copies")) this.#bury(row, how.ending);
    if (isRotation) row.moved = { to: record.key, until: this.#graceEnd(how, old) };
    this.#put(record);
    return { status: "replaced", evicted: admitted.evicted };
  }

  async end(ref: Ref, ending: Ending): Promise<Tombstone | null> {
    const row = this.#find(ref);
    if (!row) return null;
    if (row.tombstone && this.#is("ending overwritten")) return this.#bury(row, ending);
    return this.#isAlive(row) ? this.#bury(row, ending) : null;
  }

  async adopt(): Promise<Adopted> {
    throw new Error("no history asks for it");
  }

  async endOwner(
    kind: string,
    owner: OwnerKey,
    ending: Ending,
    except?: Handle,
  ): Promise<number | null> {
    const spared = this.#ownedBy(kind, owner).find(({ record }) => record.handle === except);
    if (except !== undefined && !spared && !this.#is("spares the dead")) return null;
    const all = this.#ownedBy(kind, owner).filter(
      ({ record }) => record.handle !== except || this.#is("spares nobody"),
    );
    if (this.#is("revokes all but the newest") && except === undefined) all.pop();
    for (const row of all) this.#bury(row, ending);
    return all.length;
  }

  async endAll(kind: string, ending: Ending): Promise<void> {
    for (const row of this.#alive(kind)) {
      if (row.record.owner === null && this.#is("everyone but anonymous")) continue;
      this.#bury(row, ending);
    }
  }

  async consume(ref: Ref): Promise<StoredRecord | null> {
    const row = this.#find(ref);
    if (!row || !this.#isAlive(row)) return null;
    if (this.#is("two winners")) await Promise.resolve();
    this.#rows(ref.kind).delete(row.record.key);
    return row.record;
  }

  async listOwner(kind: string, owner: OwnerKey): Promise<StoredRecord[]> {
    let rows = this.#ownedBy(kind, owner);
    if (this.#is("index keeps"))
      rows = [...this.#rows(kind).values()].filter(({ record }) => record.owner === owner);
    if (this.#is("index loses")) rows = rows.filter(({ record }) => record.version < 2);
    return rows.map(({ record }) => ({ ...record })).toSorted((a, b) => a.createdAt - b.createdAt);
  }

  async *scan(kind: string): AsyncIterable<StoredRecord> {
    for (const { record } of this.#alive(kind)) yield { ...record };
  }

  async count(kind: string): Promise<Counts> {
    const rows = this.#is("counts the dead")
      ? [...this.#rows(kind).values()].filter(({ tombstone }) => tombstone === null)
      : this.#alive(kind);
    const owners = new Set(rows.flatMap(({ record }) => record.owner ?? []));
    return { active: rows.length, principals: owners.size, lifetime: null };
  }

  async owners(kind: string): Promise<OwnersPage> {
    const active = new Map<OwnerKey, number>();
    for (const { record } of this.#alive(kind))
      if (record.owner) active.set(record.owner, (active.get(record.owner) ?? 0) + 1);
    const owners = [...active].map(([owner, number]) => ({ owner, active: number }));
    return { owners, cursor: null };
  }

  async flush(): Promise<void> {}
  async close(): Promise<void> {}

  #is(fault: FaultName): boolean {
    return this.#fault === fault;
  }

  #rows(kind: string): Map<RecordKey, Row> {
    const rows = this.#kinds.get(kind) ?? new Map<RecordKey, Row>();
    this.#kinds.set(kind, rows);
    return rows;
  }

  #find(ref: Ref): Row | null {
    const rows = this.#rows(ref.kind);
    if ("handle" in ref) {
      if (this.#is("handle leads astray"))
        return rows.get(this.#firstKeys.get(ref.handle) ?? ("" as RecordKey)) ?? null;
      return [...rows.values()].findLast(({ record }) => record.handle === ref.handle) ?? null;
    }
    let row = rows.get(ref.key) ?? null;
    let isFirst = true;
    while (row?.moved && (this.clock.now() < row.moved.until || this.#isPastFirst(isFirst))) {
      row = rows.get(row.moved.to) ?? null;
      isFirst = false;
    }
    return row;
  }

  #isPastFirst(isFirst: boolean): boolean {
    return !isFirst && this.#is("grace of the first only");
  }

  #isAlive({ tombstone, record: { expiresAt } }: Row): boolean {
    if (tombstone) return false;
    const late = this.#is("dies late") ? 1 : this.#is("expiry not looked at") ? 60_000 : 0;
    return this.clock.now() < expiresAt + late;
  }

  #alive(kind: string): Row[] {
    return [...this.#rows(kind).values()].filter((row) => this.#isAlive(row));
  }

  #ownedBy(kind: string, owner: OwnerKey): Row[] {
    return this.#alive(kind).filter(({ record }) => record.owner === owner);
  }

  #put(record: StoredRecord): void {
    this.#rows(record.kind).set(record.key, {
      record: { ...record },
      tombstone: null,
      moved: null,
    });
    if (!this.#firstKeys.has(record.handle)) this.#firstKeys.set(record.handle, record.key);
  }

  #tombstoneOf(row: Row): Tombstone {
    if (row.tombstone) return row.tombstone;
    const { expiresAt, absoluteExpiresAt, seenAt } = row.record;
    const why = expiresAt >= absoluteExpiresAt ? "absolute" : "idle";
    return { ...row.record, ending: { why, at: expiresAt, seenAt } };
  }

  #bury(row: Row, ending: Ending): Tombstone {
    row.tombstone = { ...row.record, ending };
    return row.tombstone;
  }

  #slide(row: Row, seenAt: number, expiresAt: number): void {
    const { record } = row;
    const slides = this.#is("absolute slides") ? seenAt - record.seenAt : 0;
    const absoluteExpiresAt = record.absoluteExpiresAt + slides;
    row.record = {
      ...record,
      absoluteExpiresAt,
      seenAt: Math.max(seenAt, record.seenAt),
      expiresAt: Math.min(absoluteExpiresAt, Math.max(record.expiresAt, expiresAt)),
    };
  }

  #graceEnd({ ending, graceMs = 0 }: Replacement, old: StoredRecord): number {
    if (this.#is("grace for ever") && graceMs > 0) return old.absoluteExpiresAt;
    return ending.at + (this.#is("grace after elevation") ? 10_000 : graceMs);
  }

  /** The owner's other sessions, where they are limited. */
  #others(
    { kind, owner }: StoredRecord,
    admission: Admission | undefined,
    old: StoredRecord | null,
  ): Row[] {
    if (!admission || !owner) return [];
    return this.#ownedBy(kind, owner).filter((row) => row.record !== old);
  }

  #admit(record: StoredRecord, admission: Admission | undefined, rows: Row[]): Admitted {
    if (!admission) return { status: "created", evicted: [] };
    const excess = rows.length + 1 - admission.max - (this.#is("limit off by one") ? 1 : 0);
    if (excess <= 0) return { status: "created", evicted: [] };
    if (admission.onLimit === "reject") return { status: "refused", active: rows.length };
    const isByUse = admission.onLimit === "evict-idle" && !this.#is("evicts by age");
    const instant = isByUse ? "seenAt" : "createdAt";
    rows.sort((a, b) => a.record[instant] - b.record[instant]);
    if (this.#is("evicts the newest")) rows.reverse();
    const at = this.clock.now();
    const ending: Ending = { why: "evicted", at, reason: "limit", successor: record.handle };
    return {
      status: "created",
      evicted: rows.slice(0, excess).map((row) => this.#bury(row, ending)),
    };
  }
}
