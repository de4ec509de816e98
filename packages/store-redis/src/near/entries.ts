/** Records as they were read, until somebody changes them. */
import { Bag, type Bagged, NO_PLACE } from "@sojourn/core/store";
import type { RecordKey, StoredRecord } from "@sojourn/core/store";
import { type KeyRef, slotTag, suffix } from "../names.ts";

/** Where a record is in Redis: its tag, and what its name has behind that, which is the kind and 132 bits of the digest. */
export interface Located {
  readonly tag: string;
  readonly id: string;
}

/** A reading under way. What changes meanwhile is not kept. */
export interface Reading {
  /** Keeps what was read, unless it may have changed since the reading began. */
  keep(record: StoredRecord): void;
  /** The reading is over, kept or not. */
  done(): void;
}

interface Ticket extends Located, Bagged {
  isDirty: boolean;
}

/** At most `most` records; the ones that came first go first. */
export class Entries {
  readonly #most: number;
  /** By their keys, which readers have at hand: the name in Redis would have to be made for each of them. */
  readonly #records = new Map<RecordKey, StoredRecord>();
  /** The key of each record, by tag and id. */
  readonly #keys = new Map<string, Map<string, RecordKey>>();
  readonly #reading = new Bag<Ticket>();

  constructor(most: number) {
    this.#most = most;
  }

  get({ kind, key }: KeyRef): StoredRecord | undefined {
    const record = this.#records.get(key);
    return record?.kind === kind ? record : undefined;
  }

  begin(ref: KeyRef): Reading {
    const ticket: Ticket = { ...locationOf(ref), isDirty: false, place: NO_PLACE };
    this.#reading.add(ticket);
    return {
      keep: (record) => {
        if (!ticket.isDirty) this.#put(ticket, record);
      },
      done: () => this.#reading.remove(ticket),
    };
  }

  /** Something changed one record. */
  drop(located: Located): void {
    const { tag, id } = located;
    this.#soil((ticket) => ticket.tag === tag && ticket.id === id);
    this.#remove(located);
  }

  /** Something changed any of a tag. */
  dropTag(tag: string): void {
    this.#soil((ticket) => ticket.tag === tag);
    for (const key of this.#keys.get(tag)?.values() ?? []) this.#records.delete(key);
    this.#keys.delete(tag);
  }

  /** Something may have changed anything. */
  clear(): void {
    this.#soil(() => true);
    this.#records.clear();
    this.#keys.clear();
  }

  #soil(isMeant: (ticket: Ticket) => boolean): void {
    for (const ticket of this.#reading.list()) if (isMeant(ticket)) ticket.isDirty = true;
  }

  #put(located: Located, record: StoredRecord): void {
    this.#remove(located);
    const ofAnotherKind = this.#records.get(record.key);
    if (ofAnotherKind) this.#remove(locationOf(ofAnotherKind));
    this.#records.set(record.key, record);
    const keys = this.#keys.get(located.tag) ?? new Map<string, RecordKey>();
    this.#keys.set(located.tag, keys.set(located.id, record.key));
    if (this.#records.size <= this.#most) return;
    const [oldest] = this.#records.values();
    if (oldest) this.#remove(locationOf(oldest));
  }

  #remove({ tag, id }: Located): void {
    const keys = this.#keys.get(tag);
    const key = keys?.get(id);
    if (keys === undefined || key === undefined) return;
    this.#records.delete(key);
    keys.delete(id);
    if (keys.size === 0) this.#keys.delete(tag);
  }
}

function locationOf({ kind, key }: KeyRef): Located {
  return { tag: slotTag(key), id: `${suffix(kind)}.${key.slice(4, 26)}` };
}
