/** What this process has read a moment ago: all that it can go by while the store is away. */
import { Bag, type Bagged, NO_PLACE } from "../collections/bag.ts";
import { RenewedMap } from "../collections/renewed-map.ts";
import type { RecordKey, Ref, StoredRecord } from "../store/contract.ts";

/** How much is remembered, and how long. */
export interface RecentOptions {
  readonly staleForMs: number;
  /** The most records; beyond it those read longest ago go. */
  readonly most: number;
  /** Monotonic ms. */
  readonly now: () => number;
}

/** Which records are meant. */
export type Where = (record: StoredRecord) => boolean;

/** What a call brought, and whether a record in it was to be forgotten while the call was under way. */
export interface Brought<T> {
  readonly result: T;
  readonly isDoubtful: Where;
}

interface Reading {
  readonly record: StoredRecord;
  readonly readAt: number;
}

/** A call under way, and what was forgotten since it began: its answer may be older. */
interface Call extends Bagged {
  readonly doubts: Where[];
}

/** More than so many during one call, and everything in its answer is in doubt. */
const MOST_DOUBTS = 1_000;

/** Alive records by the key that they were read under, in the order of reading. */
export class RecentRecords {
  readonly #options: RecentOptions;
  readonly #readings = new RenewedMap<RecordKey, Reading>();
  readonly #calls = new Bag<Call>();

  constructor(options: RecentOptions) {
    this.#options = options;
  }

  /** Runs a call whose answer is to be remembered. */
  async bring<T>(call: () => Promise<T>): Promise<Brought<T>> {
    const doubts: Where[] = [];
    const underWay = { doubts, place: NO_PLACE };
    this.#calls.add(underWay);
    try {
      const result = await call();
      return { result, isDoubtful: (record) => doubts.some((where) => where(record)) };
    } finally {
      this.#calls.remove(underWay);
    }
  }

  /** Remembers a record under its own key, also where an old one led to it. */
  remember(record: StoredRecord): void {
    const { key } = record;
    this.#readings.delete(key);
    this.#readings.set(key, { record, readAt: this.#options.now() });
    if (this.#readings.size <= this.#options.most) return;
    const [oldest] = this.#readings.keys();
    if (oldest !== undefined) this.#readings.delete(oldest);
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
    if (!("key" in ref)) return this.forget(({ handle }) => handle === ref.handle);
    this.#readings.delete(ref.key);
    this.#doubt(({ key }) => key === ref.key);
  }

  forget(where: Where): void {
    for (const { record } of this.#readings.values()) {
      if (where(record)) this.#readings.delete(record.key);
    }
    this.#doubt(where);
  }

  #doubt(where: Where): void {
    for (const { doubts } of this.#calls.list()) {
      if (doubts.length < MOST_DOUBTS) doubts.push(where);
      else doubts[0] = () => true;
    }
  }

  #byHandle(handle: string): Reading | undefined {
    return this.#readings.values().findLast(({ record }) => record.handle === handle);
  }
}
