/** What this process has read a moment ago: all that it can go by while the store is away. */
import type { RecordKey, Ref, StoredRecord } from "../store/contract.ts";

/** How much is remembered, and how long. */
export interface RecentOptions {
  readonly staleForMs: number;
  /** The most records; beyond it those read longest ago go. */
  readonly most: number;
  /** Monotonic ms. */
  readonly now: () => number;
}

interface Reading {
  readonly record: StoredRecord;
  readonly readAt: number;
}

/** Alive records by the key that they were read under, in the order of reading. */
export class RecentRecords {
  readonly #options: RecentOptions;
  readonly #readings = new Map<RecordKey, Reading>();

  constructor(options: RecentOptions) {
    this.#options = options;
  }

  remember(key: RecordKey, record: StoredRecord): void {
    this.#readings.delete(key);
    this.#readings.set(key, { record, readAt: this.#options.now() });
    if (this.#readings.size <= this.#options.most) return;
    for (const [oldest] of this.#readings) return void this.#readings.delete(oldest);
  }

  /** The record, if it was read within `staleForMs`. */
  get(ref: Ref): StoredRecord | null {
    const reading = "key" in ref ? this.#readings.get(ref.key) : this.#byHandle(ref.handle);
    if (!reading || reading.record.kind !== ref.kind) return null;
    const isFresh = this.#options.now() - reading.readAt < this.#options.staleForMs;
    return isFresh ? reading.record : null;
  }

  /** Forgets what a reference leads to. */
  drop(ref: Ref): void {
    if ("key" in ref) this.#readings.delete(ref.key);
    else this.forget(({ handle }) => handle === ref.handle);
  }

  forget(where: (record: StoredRecord) => boolean): void {
    for (const [key, { record }] of this.#readings) {
      if (where(record)) this.#readings.delete(key);
    }
  }

  #byHandle(handle: string): Reading | undefined {
    return [...this.#readings.values()].findLast(({ record }) => record.handle === handle);
  }
}
