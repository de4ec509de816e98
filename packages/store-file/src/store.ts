/** The file store: a table in memory, a journal on disk, one line of it for every change. */
import { assertInstants } from "@sojourn/core/store";
import type {
  Admission,
  Admitted,
  Adopted,
  Change,
  Clock,
  Counts,
  Ending,
  Found,
  Handle,
  OwnerKey,
  OwnersPage,
  RecordTable,
  Ref,
  Replaced,
  Replacement,
  Store,
  StoredRecord,
  Tombstone,
  UnixMs,
  Updated,
} from "@sojourn/core/store";
import { Compactor } from "./compactor.ts";
import { closed, systemCode } from "./errors.ts";
import { journalFile } from "./files.ts";
import { openStore } from "./open.ts";
import type { Opened, Wrap } from "./open.ts";
import { parseOptions } from "./options.ts";
import type { FileStoreOptions, ParsedOptions } from "./options.ts";
import { assertChange, assertEnding, assertRecord } from "./storable.ts";
import { Sweeper, countInSlices } from "./sweeper.ts";

interface Running extends Opened {
  readonly compactor: Compactor;
  readonly sweeper: Sweeper;
}

const MAY_WORK_LATER = ["SOJOURN_STORE_LOCKED", "SOJOURN_STORE_UNAVAILABLE"];

/**
 * A store in one file, without a server: every record in memory, every change on disk before it is
 * acknowledged. One process at a time. Nothing is opened before the first operation or `open()`.
 * @throws SOJOURN_OPTIONS_INVALID with every problem of the options
 */
export function fileStore(options: FileStoreOptions): Store {
  return new FileStore(parseOptions(options), journalFile);
}

/** See {@link fileStore}. `wrap` is where tests put a disk that fails. */
export class FileStore implements Store {
  readonly name = "file";
  readonly clock: Clock;
  readonly #options: ParsedOptions;
  readonly #wrap: Wrap;
  #opening: Promise<Running> | null = null;
  #opened: Running | null = null;
  #closing: Promise<void> | null = null;

  constructor(options: ParsedOptions, wrap: Wrap) {
    this.#options = options;
    this.#wrap = wrap;
    this.clock = options.clock;
  }

  async open(): Promise<void> {
    await this.#running();
  }

  /** At once, where the file is open. */
  read(ref: Ref): Found | Promise<Found> {
    const opened = this.#closing === null ? this.#opened : null;
    return opened?.lock.isHeld ? opened.table.read(ref) : this.#readWhenOpen(ref);
  }

  async #readWhenOpen(ref: Ref): Promise<Found> {
    return (await this.#table()).read(ref);
  }

  async create(record: StoredRecord, admission?: Admission): Promise<Admitted> {
    assertRecord(record);
    return this.#change((table) => table.create(record, admission));
  }

  async adopt(record: StoredRecord, admission?: Admission): Promise<Adopted> {
    assertRecord(record);
    return this.#change((table) => table.adopt(record, admission));
  }

  async update(ref: Ref, change: Change, expectedVersion: number): Promise<Updated> {
    assertChange(change);
    return this.#change((table) => table.update(ref, change, expectedVersion));
  }

  async touch(ref: Ref, seenAt: UnixMs, expiresAt: UnixMs): Promise<boolean> {
    assertInstants(seenAt, expiresAt);
    return this.#change((table) => table.touch(ref, seenAt, expiresAt));
  }

  async replace(ref: Ref, record: StoredRecord, replacement: Replacement): Promise<Replaced> {
    assertRecord(record);
    assertEnding(replacement.ending);
    return this.#change((table) => table.replace(ref, record, replacement));
  }

  async end(ref: Ref, ending: Ending): Promise<Tombstone | null> {
    assertEnding(ending);
    return this.#change((table) => table.end(ref, ending));
  }

  async endOwner(
    kind: string,
    owner: OwnerKey,
    ending: Ending,
    except?: Handle,
  ): Promise<number | null> {
    assertEnding(ending);
    return this.#change((table) => table.endOwner(kind, owner, ending, except));
  }

  async endAll(kind: string, ending: Ending): Promise<void> {
    assertEnding(ending);
    await this.#change((table) => table.endAll(kind, ending));
  }

  async consume(ref: Ref): Promise<StoredRecord | null> {
    return this.#change((table) => table.consume(ref));
  }

  async listOwner(kind: string, owner: OwnerKey): Promise<readonly StoredRecord[]> {
    return (await this.#table()).listOwner(kind, owner);
  }

  async *scan(kind: string): AsyncIterable<StoredRecord> {
    for await (const record of (await this.#table()).scan(kind)) {
      this.#assertNotClosed();
      yield record;
    }
  }

  async count(kind: string): Promise<Counts> {
    return countInSlices(await this.#table(), kind);
  }

  async owners(kind: string, cursor?: string | null, limit?: number): Promise<OwnersPage> {
    return (await this.#table()).owners(kind, cursor, limit);
  }

  async flush(): Promise<void> {
    const { journal } = await this.#running();
    await journal.flush();
  }

  close(): Promise<void> {
    this.#closing ??= this.#shutDown();
    return this.#closing;
  }

  async #table(): Promise<RecordTable> {
    const { table } = await this.#running();
    return table;
  }

  /**
   * One operation that may change something. It waits for the disk also when it changed nothing:
   * what it answers then rests on changes that may still be on their way.
   */
  async #change<T>(apply: (table: RecordTable) => T): Promise<T> {
    const { compactor, journal, table } = await this.#running();
    await journal.ready();
    this.#assertNotClosed();
    const outcome = apply(table);
    await journal.settle();
    compactor.startIfDue();
    return outcome;
  }

  async #running(): Promise<Running> {
    this.#assertNotClosed();
    this.#opening ??= this.#start();
    const running = await this.#opening;
    this.#assertNotClosed();
    running.lock.assertHeld();
    return running;
  }

  async #start(): Promise<Running> {
    try {
      const opened = await openStore(this.#options, this.#wrap);
      const compactor = new Compactor(opened, this.#options, this.#wrap);
      const sweeper = new Sweeper(opened.table, this.#options.sweepEvery);
      this.#opened = { ...opened, compactor, sweeper };
      return this.#opened;
    } catch (error) {
      if (MAY_WORK_LATER.includes(systemCode(error) ?? "")) this.#opening = null;
      throw error;
    }
  }

  async #shutDown(): Promise<void> {
    const running = await this.#opening?.catch(() => null);
    if (!running) return;
    const { compactor, journal, lock, sweeper } = running;
    sweeper.stop();
    await compactor.stop();
    try {
      await journal.flush();
    } finally {
      await journal.close();
      await lock.release();
    }
  }

  #assertNotClosed(): void {
    if (this.#closing) throw closed(this.#options.path);
  }
}
