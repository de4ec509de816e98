/** Records as they were read, by tag, until somebody changes them. */
import { Bag, type Bagged, NO_PLACE } from "@sojourn/core/store";
import type { StoredRecord } from "@sojourn/core/store";

/** Where a record is: its tag, and what its name in Redis has behind that. */
export interface Place {
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

interface Ticket extends Place, Bagged {
  isDirty: boolean;
}

/** At most `most` records; the ones that came first go first. */
export class Entries {
  readonly #most: number;
  readonly #records = new Map<string, StoredRecord>();
  readonly #ids = new Map<string, Set<string>>();
  readonly #reading = new Bag<Ticket>();

  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#records.size;
  }

  /** @param name tag and id of its place, in one */
  get(name: string): StoredRecord | undefined {
    return this.#records.get(name);
  }

  begin({ tag, id }: Place): Reading {
    const ticket: Ticket = { tag, id, isDirty: false, place: NO_PLACE };
    this.#reading.add(ticket);
    return {
      keep: (record) => {
        if (!ticket.isDirty) this.#put(ticket, record);
      },
      done: () => this.#reading.remove(ticket),
    };
  }

  /** Something changed one record. */
  drop({ tag, id }: Place): void {
    this.#soil((ticket) => ticket.tag === tag && ticket.id === id);
    this.#remove(tag, id);
  }

  /** Something changed any of a tag. */
  dropTag(tag: string): void {
    this.#soil((ticket) => ticket.tag === tag);
    for (const id of this.#ids.get(tag) ?? []) this.#records.delete(tag + id);
    this.#ids.delete(tag);
  }

  /** Something may have changed anything. */
  clear(): void {
    this.#soil(() => true);
    this.#records.clear();
    this.#ids.clear();
  }

  #soil(isMeant: (ticket: Ticket) => boolean): void {
    for (const ticket of this.#reading.list()) if (isMeant(ticket)) ticket.isDirty = true;
  }

  #put({ tag, id }: Place, record: StoredRecord): void {
    this.#remove(tag, id);
    this.#records.set(tag + id, record);
    const ids = this.#ids.get(tag) ?? new Set();
    this.#ids.set(tag, ids.add(id));
    if (this.#records.size <= this.#most) return;
    const [oldest] = this.#records.keys();
    if (oldest !== undefined) this.#remove(oldest.slice(0, tag.length), oldest.slice(tag.length));
  }

  #remove(tag: string, id: string): void {
    if (!this.#records.delete(tag + id)) return;
    const ids = this.#ids.get(tag);
    ids?.delete(id);
    if (ids?.size === 0) this.#ids.delete(tag);
  }
}
