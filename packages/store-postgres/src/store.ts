/** The Postgres store: each operation is one statement, and so one transaction; reads of one turn share it. */
import { assertInstants, assertText, endingText, isTombstone } from "@sojourn/core/store";
import type {
  Admission,
  Admitted,
  Adopted,
  Advice,
  Change,
  Clock,
  Counts,
  Ending,
  Found,
  Handle,
  OwnerKey,
  OwnersPage,
  Ref,
  Replaced,
  Replacement,
  Store,
  StoredRecord,
  Tombstone,
  UnixMs,
  Updated,
} from "@sojourn/core/store";
import { adviceFor } from "./advice.ts";
import { admitted, adopted, found, recordIn, replaced, tombstoneIn, updated } from "./answers.ts";
import type { FoundRow, Row } from "./answers.ts";
import { Connection } from "./connection.ts";
import { parseOptions } from "./options.ts";
import type { ParsedOptions, PostgresStoreOptions } from "./options.ts";
import { Reads } from "./reads.ts";
import { Reaper } from "./reaper.ts";
import { PostgresSignals } from "./signals.ts";
import { statementsFor } from "./statements.ts";
import type { Operation, Statement } from "./statements.ts";
import { assertChange, assertName, assertRecord, assertVersion } from "./storable.ts";
import { decode, encode } from "./text.ts";

/** Records of one page of a scan. */
const SCAN_PAGE = 100;

/**
 * A store in Postgres 13 or later, for any number of processes. Nothing is sent before the first
 * operation; that one makes the tables where they are not there.
 * @throws SOJOURN_OPTIONS_INVALID with every problem of the options
 */
export function postgresStore(options: PostgresStoreOptions): Store {
  return new PostgresStore(parseOptions(options));
}

class PostgresStore implements Store {
  readonly name = "postgres";
  readonly clock: Clock;
  /** Absent with `events: false`. */
  readonly signals?: PostgresSignals;
  readonly #connection: Connection;
  readonly #statements: Readonly<Record<Operation, Statement>>;
  readonly #reaper: Reaper;
  readonly #reads = new Reads(async (kind, keys) => {
    return (await this.#ask("read", kind, keys, this.clock.now())) as readonly FoundRow[];
  });

  constructor(options: ParsedOptions) {
    const { clock, reapEvery: every, events } = options;
    this.clock = clock;
    this.#connection = new Connection(options);
    this.#statements = statementsFor(this.#connection.names);
    const statement = this.#statements.reap;
    this.#reaper = new Reaper(this.#connection, { statement, clock, every });
    if (events) this.signals = new PostgresSignals(this.#connection);
  }

  async open(): Promise<void> {
    await this.#connection.open();
    this.#reaper.start();
  }

  async advise(): Promise<readonly Advice[]> {
    return adviceFor(this.#connection, this.clock);
  }

  async read(ref: Ref): Promise<Found> {
    const [kind, key, handle] = target(ref);
    if (key !== null) return found(ref.kind, await this.#reads.at(kind, key));
    const values = [kind, handle, this.clock.now()];
    const [row] = await this.#send("read", this.#statements.readHandle, values);
    return found(ref.kind, row);
  }

  async create(record: StoredRecord, admission?: Admission): Promise<Admitted> {
    return admitted(record.kind, await this.#admit("create", record, admission));
  }

  async adopt(record: StoredRecord, admission?: Admission): Promise<Adopted> {
    return adopted(record.kind, await this.#admit("adopt", record, admission));
  }

  async update(ref: Ref, change: Change, expectedVersion: number): Promise<Updated> {
    assertChange(change);
    assertVersion(expectedVersion);
    const { payload, seenAt, expiresAt } = change;
    const values = [expectedVersion, encode(payload), seenAt, expiresAt, this.clock.now()];
    const [row] = await this.#ask("update", ...target(ref), ...values);
    return updated(ref.kind, row, payload);
  }

  async touch(ref: Ref, seenAt: UnixMs, expiresAt: UnixMs): Promise<boolean> {
    assertInstants(seenAt, expiresAt);
    const row = await this.#first("touch", ...target(ref), seenAt, expiresAt, this.clock.now());
    return row["touched"] === true;
  }

  async replace(ref: Ref, record: StoredRecord, replacement: Replacement): Promise<Replaced> {
    assertRecord(record);
    const { expectedVersion, ending, graceMs = 0, admission } = replacement;
    assertVersion(expectedVersion);
    const how = [expectedVersion, endingText(ending), ending.at + graceMs];
    const common = this.#common(record, admission);
    const rows = await this.#ask("replace", ...target(ref), ...how, ...common, ...fields(record));
    return replaced(ref.kind, rows);
  }

  async end(ref: Ref, ending: Ending): Promise<Tombstone | null> {
    const [row] = await this.#ask("end", ...target(ref), endingText(ending), this.clock.now());
    return row === undefined ? null : tombstoneIn(ref.kind, row);
  }

  async endOwner(
    kind: string,
    owner: OwnerKey,
    ending: Ending,
    except?: Handle,
  ): Promise<number | null> {
    const values = [...ofOwner(kind, owner), endingText(ending), ending.at];
    if (except !== undefined) assertText("except", except);
    const spared = except === undefined ? null : encode(except);
    const { ended } = await this.#first("endOwner", ...values, spared, this.clock.now());
    return ended === null ? null : Number(ended);
  }

  async endAll(kind: string, ending: Ending): Promise<void> {
    assertName("kind", kind);
    await this.#ask("endAll", encode(kind), endingText(ending), ending.at);
  }

  async consume(ref: Ref): Promise<StoredRecord | null> {
    const [row] = await this.#ask("consume", ...target(ref), this.clock.now());
    return row === undefined ? null : recordIn(ref.kind, row);
  }

  async listOwner(kind: string, owner: OwnerKey): Promise<readonly StoredRecord[]> {
    const rows = await this.#ask("listOwner", ...ofOwner(kind, owner), this.clock.now());
    return rows.map((row) => recordIn(kind, row));
  }

  /** In the order of handles, for a handle stays when its session is rotated. */
  async *scan(kind: string): AsyncIterable<StoredRecord> {
    let last = "";
    for (;;) {
      const values = [encode(kind), last, this.clock.now(), SCAN_PAGE];
      const rows = await this.#ask("scan", ...values);
      for (const row of rows) {
        const record = recordIn(kind, row);
        const it = this.clock.now() < record.expiresAt ? record : await this.#again(record);
        if (it) yield it;
      }
      last = rows.at(-1)?.handle ?? last;
      if (rows.length < SCAN_PAGE) return;
    }
  }

  async count(kind: string): Promise<Counts> {
    const row = await this.#first("count", encode(kind), this.clock.now());
    const [active, principals] = [Number(row["active"]), Number(row["principals"])];
    return { active, principals, lifetime: null };
  }

  async owners(kind: string, cursor?: string | null, limit: number = 100): Promise<OwnersPage> {
    const most = Math.max(1, limit);
    const values = [encode(kind), encode(cursor ?? ""), this.clock.now(), most + 1];
    const rows = await this.#ask("owners", ...values);
    const owners = rows.slice(0, most).map((row) => ({
      owner: decode(row.owner ?? "") as OwnerKey,
      active: Number(row.active),
    }));
    return { owners, cursor: rows.length > most ? (owners.at(-1)?.owner ?? null) : null };
  }

  async flush(): Promise<void> {
    this.#reads.send();
    await this.#connection.drain();
  }

  close(): Promise<void> {
    this.#reaper.stop();
    this.signals?.close();
    this.#reads.send();
    return this.#connection.close();
  }

  async #admit(
    operation: "create" | "adopt",
    record: StoredRecord,
    admission: Admission | undefined,
  ): Promise<readonly Row[]> {
    assertRecord(record);
    return this.#ask(operation, ...this.#common(record, admission), ...fields(record));
  }

  /** The present instant, and an admission: max or nothing, onLimit, the ending of the evicted. */
  #common({ handle }: StoredRecord, admission: Admission | undefined): unknown[] {
    const at = this.clock.now();
    if (admission === undefined) return [at, null, null, null];
    const ending = { why: "evicted", at, reason: "limit", successor: handle } as const;
    return [at, admission.max, admission.onLimit, endingText(ending)];
  }

  /** A record of a page may have been touched since. */
  async #again({ kind, handle }: StoredRecord): Promise<StoredRecord | null> {
    const it = await this.read({ kind, handle });
    return it === null || isTombstone(it) ? null : it;
  }

  async #ask(operation: Operation, ...values: readonly unknown[]): Promise<readonly Row[]> {
    return this.#send(operation, this.#statements[operation], [...values]);
  }

  async #send(operation: string, statement: Statement, values: unknown[]): Promise<readonly Row[]> {
    this.#reaper.start();
    return (await this.#connection.ask(operation, statement, values)) as readonly Row[];
  }

  async #first(operation: Operation, ...values: unknown[]): Promise<Record<string, unknown>> {
    const [row] = await this.#ask(operation, ...values);
    return { ...row };
  }
}

/**
 * A reference as the functions take it: kind, key or nothing, handle or nothing. The key or the handle
 * may be anything: one too long for us is nobody's.
 */
function target(ref: Ref): [kind: string, key: string, handle: null] | [string, null, string] {
  assertText("kind", ref.kind);
  const id = "key" in ref ? ref.key : ref.handle;
  assertText("reference", id);
  const kind = encode(ref.kind);
  return "key" in ref ? [kind, encode(id), null] : [kind, null, encode(id)];
}

function ofOwner(kind: string, owner: OwnerKey): unknown[] {
  assertName("kind", kind);
  assertName("owner", owner);
  return [encode(kind), encode(owner)];
}

/** A record as the function `given` takes it. */
function fields(record: StoredRecord): unknown[] {
  const { kind, key, handle, owner, version, createdAt, seenAt, expiresAt } = record;
  const names = [encode(kind), encode(key), encode(handle), owner === null ? null : encode(owner)];
  const numbers = [version, createdAt, seenAt, expiresAt, record.absoluteExpiresAt];
  return [...names, ...numbers, encode(record.payload)];
}
