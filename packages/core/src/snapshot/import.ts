/** `sessions.import`: a snapshot into the store, batch by batch. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { isSojournError, SojournError } from "../errors.ts";
import type { Engine } from "../lifecycle/engine.ts";
import { expired } from "../policy/expiry.ts";
import { parseValues } from "../session/data.ts";
import type { Handle, StoredRecord } from "../store/contract.ts";
import type { Header } from "./format.ts";
import { LastUsed } from "./last-used.ts";
import { checkNumbers, kindsOf, ringOf } from "./options.ts";
import { segmentsOf } from "./read.ts";
import { parseRecord, shownOf } from "./record.ts";
import { restoreAll } from "./restore.ts";
import { Tally } from "./tally.ts";
import { untilAborted } from "./until-aborted.ts";
import type { ImportOptions, ImportResult, SnapshotSource } from "./types.ts";

const BATCH = 500;

/** See {@link Sessions.import}. */
export async function importSnapshot(
  engine: Engine,
  from: SnapshotSource,
  options: ImportOptions = {},
): Promise<ImportResult> {
  const { limit, batchSize } = options;
  checkNumbers("import()", { limit, batchSize });
  const importer = new Importer(engine, options);
  try {
    return await importer.run(from);
  } catch (error) {
    throw importer.stopped(error);
  }
}

function isRefusal(error: unknown): error is SojournError {
  return isSojournError(error) && error.code === "SOJOURN_SNAPSHOT_INVALID";
}

/** One import under way. */
class Importer {
  readonly #engine: Engine;
  readonly #options: ImportOptions;
  readonly #kinds: readonly string[];
  readonly #tally = new Tally();
  readonly #began = performance.now();
  #header: Header | null = null;
  #waiting: readonly StoredRecord[] = [];
  /** Records left out for the option `limit`. */
  #beyond = 0;

  constructor(engine: Engine, options: ImportOptions) {
    this.#engine = engine;
    this.#options = options;
    this.#kinds = kindsOf(engine, options);
  }

  async run(from: SnapshotSource): Promise<ImportResult> {
    const { acceptPlain = false, limit = Infinity, signal } = this.#options;
    const lastUsed = new LastUsed<StoredRecord>(limit);
    const reading = {
      ring: ringOf(this.#engine, this.#options),
      acceptPlain,
      read: (bytes: number) => {
        this.#tally.bytes += bytes;
      },
    };
    let damage: unknown = null;
    try {
      for await (const { header, lines } of segmentsOf(untilAborted(from, signal), reading)) {
        this.#header = header;
        const records = lines.flatMap((line) => this.#candidate(line) ?? []);
        if (limit === Infinity) await this.#restore(records, false);
        else for (const record of records) this.#beyond += lastUsed.add(record);
        await nextTurn();
      }
    } catch (error) {
      if (!isRefusal(error)) throw error;
      damage = error;
    }
    const { chosen, left } = lastUsed.finish();
    this.#beyond += left;
    this.#tally.count("limit", this.#beyond);
    await this.#restore(chosen, true);
    if (damage !== null) throw damage;
    return this.#finished();
  }

  /** Tells of the end of an import that did not come to its end; the error to throw. */
  stopped(error: unknown): unknown {
    const snapshot = this.#header?.id ?? null;
    if (!isRefusal(error)) return error;
    const reason = String(error.details["reason"]);
    this.#engine.events.emit("restore-failed", { snapshot, handle: null, reason });
    const result = this.#header === null ? null : this.#result(this.#header);
    return new SojournError(error.code, error.message, {
      details: { ...error.details, result },
      cause: error.cause,
    });
  }

  /** The record of a line if it is to be restored, else null, and it is counted. */
  #candidate(line: string): StoredRecord | null {
    const now = this.#engine.settings.clock.now();
    this.#tally.records += 1;
    const parsed = parseRecord(line, { kinds: this.#kinds, now });
    if ("reason" in parsed) return this.#fail(parsed.handle, parsed.reason);
    const { record } = parsed;
    const { filter } = this.#options;
    if (expired(record, now)) this.#tally.count("expired");
    else if (filter && !filter(shownOf(record))) this.#tally.count("filtered");
    else {
      const reason = this.#unfit(record);
      return reason === null ? record : this.#fail(record.handle, reason);
    }
    return null;
  }

  /** Why a session could not be used, were it restored. */
  #unfit(record: StoredRecord): string | null {
    const { codec, settings } = this.#engine;
    if (record.kind !== settings.kind) return null;
    const { validate } = this.#options;
    try {
      const values = parseValues(codec.decode(record).dataText);
      return validate?.(values, shownOf(record)) ?? null;
    } catch (error) {
      if (isSojournError(error)) return `its payload cannot be read (${error.code})`;
      throw error;
    }
  }

  #fail(handle: Handle | null, reason: string): null {
    const { records: position } = this.#tally;
    if (this.#tally.fail(position, handle, reason)) {
      const snapshot = this.#header?.id ?? null;
      this.#engine.events.emit("restore-failed", { snapshot, handle, reason });
    }
    return null;
  }

  /** Restores in whole batches; with `all` the rest too. */
  async #restore(records: readonly StoredRecord[], all: boolean): Promise<void> {
    const { batchSize = BATCH, onProgress, signal } = this.#options;
    this.#waiting = this.#waiting.concat(records);
    let from = 0;
    while (this.#waiting.length - from >= (all ? 1 : batchSize)) {
      signal?.throwIfAborted();
      await restoreAll(this.#engine, this.#waiting.slice(from, from + batchSize), this.#tally);
      from += batchSize;
      onProgress?.({ records: this.#tally.restored, bytes: this.#tally.bytes });
      await nextTurn();
    }
    this.#waiting = this.#waiting.slice(from);
  }

  #finished(): ImportResult {
    const { events } = this.#engine;
    const { limit } = this.#options;
    const result = this.#result(this.#header);
    const { snapshot, restored: count, skipped } = result;
    if (limit !== undefined && this.#beyond > 0)
      events.emit("restore-limited", { snapshot, limit, count: this.#beyond });
    events.emit("restored", { snapshot, count, skipped });
    return result;
  }

  #result(header: Header | null): ImportResult {
    const { records, restored, skipped, failed } = this.#tally;
    return {
      snapshot: header?.id ?? "",
      createdAt: header?.createdAt ?? 0,
      records,
      restored,
      skipped: { ...skipped },
      failed: [...failed],
      tookMs: performance.now() - this.#began,
    };
  }
}
