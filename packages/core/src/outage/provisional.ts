/** Sessions that were made while the store was away: kept in this process until the store takes them over. */
import type { Clock } from "../clock.ts";
import { isSojournError } from "../errors.ts";
import type { Events } from "../events.ts";
import {
  type Admission,
  type Ending,
  type Handle,
  isTombstone,
  type Ref,
  type Store,
  type StoredRecord,
  type Tombstone,
} from "../store/contract.ts";
import { isAway } from "../store/guard.ts";
import { memoryStore } from "../store/memory/store.ts";
import { parseTaggedOwner } from "../token/tag.ts";

/** See the top of the file. */
export class ProvisionalRecords {
  /** Their records; bounded. */
  readonly store: Store;
  readonly #clock: Clock;
  readonly #events: Events;
  /** Those alive, with the limit that they are to be held to. */
  readonly #alive = new Map<Handle, { readonly kind: string; readonly admission?: Admission }>();
  /** Those on their way to the store. */
  readonly #promoting = new Map<Handle, Promise<void>>();

  constructor(clock: Clock, events: Events, most: number) {
    this.store = memoryStore({ clock, maxRecords: most });
    this.#clock = clock;
    this.#events = events;
  }

  get size(): number {
    return this.#alive.size;
  }

  has(handle: Handle): boolean {
    return this.#alive.has(handle);
  }

  async add(record: StoredRecord, admission: Admission | undefined): Promise<void> {
    await this.store.create(record);
    this.#alive.set(record.handle, { kind: record.kind, ...(admission ? { admission } : {}) });
  }

  async read(ref: Ref): Promise<StoredRecord | Tombstone | null> {
    return this.size === 0 ? null : this.store.read(ref);
  }

  /** The alive record, or null. */
  async alive(ref: Ref): Promise<StoredRecord | null> {
    const found = await this.read(ref);
    return found === null || isTombstone(found) ? null : found;
  }

  async end(ref: Ref, ending: Ending): Promise<Tombstone | null> {
    const tombstone = this.size === 0 ? null : await this.store.end(ref, ending);
    if (tombstone) this.#alive.delete(tombstone.handle);
    return tombstone;
  }

  /** Hands one record over to the store, if it is one of these. @throws what the store throws */
  async settle(ref: Ref, to: Store): Promise<void> {
    const record = await this.alive(ref);
    if (record) await this.#promote(record, to);
  }

  /** Hands all over. @throws the error of a store that is away */
  async settleAll(to: Store): Promise<void> {
    for (const [handle, { kind }] of this.#alive) {
      const record = await this.alive({ kind, handle });
      if (record) await this.#promote(record, to);
      else this.#alive.delete(handle);
    }
  }

  async close(): Promise<void> {
    await this.store.close();
  }

  #promote(record: StoredRecord, to: Store): Promise<void> {
    const { handle } = record;
    const under = this.#promoting.get(handle);
    if (under) return under;
    const promotion = this.#handOver(record, to).finally(() => this.#promoting.delete(handle));
    this.#promoting.set(handle, promotion);
    return promotion;
  }

  async #handOver(record: StoredRecord, to: Store): Promise<void> {
    const { kind, handle } = record;
    const refused = await this.#adopted(record, to);
    if (refused) {
      await this.end({ kind, handle }, refused);
      return this.#tell(refused.why === "evicted" ? "evicted" : "revoked", record, refused);
    }
    await this.#sendLater(record, to);
    this.#alive.delete(handle);
    await this.store.consume({ kind, handle });
    this.#events.emit("promoted", { handle, principal: principalOf(record) });
  }

  /** Null: the store has it now. Else how it ended instead. */
  async #adopted(record: StoredRecord, to: Store): Promise<Ending | null> {
    try {
      const outcome = await to.adopt?.(record, this.#alive.get(record.handle)?.admission);
      if (outcome?.status === "created") {
        for (const { ending, handle, owner } of outcome.evicted)
          this.#tell("evicted", { handle, owner }, ending);
        return null;
      }
      if (outcome?.status === "ended") return outcome.ending;
      return { why: "evicted", at: this.#clock.now(), reason: "limit" };
    } catch (error) {
      if (!isSojournError(error) || isAway(error)) throw error;
      return { why: "revoked", at: this.#clock.now(), reason: "the store did not take it over" };
    }
  }

  /** What was written here while the store took the record over. */
  async #sendLater(sent: StoredRecord, to: Store): Promise<void> {
    for (let last = sent; ;) {
      const newest = await this.alive({ kind: last.kind, handle: last.handle });
      if (newest === null || newest.version === last.version) return;
      await to.update(newest, newest, last.version);
      last = newest;
    }
  }

  #tell(
    type: "evicted" | "revoked",
    { handle, owner }: Pick<StoredRecord, "handle" | "owner">,
    ending: Ending,
  ): void {
    const principal = principalOf({ owner });
    if (type === "evicted") this.#events.emit("evicted", { handle, principal, ending });
    else this.#events.emit("revoked", { handle, principal, except: null, count: 1, ending });
  }
}

function principalOf({ owner }: Pick<StoredRecord, "owner">): string | null {
  return owner === null ? null : parseTaggedOwner(owner);
}
