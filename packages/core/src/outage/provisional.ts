/** Sessions that were made while the store was away: kept in this process until the store takes them over. */
import type { Clock } from "../clock.ts";
import { isSojournError, SojournError } from "../errors.ts";
import type { Events } from "../events.ts";
import type * as contract from "../store/contract.ts";
import {
  type Ending,
  type Handle,
  type Found,
  isTombstone,
  type OwnerKey,
  type RecordKey,
  type Ref,
  type Store,
  type StoredRecord,
  type Tombstone,
} from "../store/contract.ts";
import { withDeadline } from "../store/deadline.ts";
import { isAway } from "../store/guard.ts";
import { memoryStore } from "../store/memory/store.ts";
import type { PayloadCodec } from "../session/payload.ts";
import { catchUp } from "./catch-up.ts";
import { principalOf } from "../policy/principal.ts";
import { tellEnded } from "./tell.ts";

/** What is known of one beside its record. */
interface Provisional {
  readonly kind: string;
  readonly key: RecordKey;
  readonly owner: OwnerKey | null;
  /** The limit that it is to be held to. */
  readonly admission: contract.Admission | undefined;
  /** The payload that it began with: the store may have taken it late. */
  readonly sent: string;
}

/** What they work with. */
export interface ProvisionalParts {
  readonly clock: Clock;
  readonly events: Events;
  readonly codec: PayloadCodec;
  /** Longest wait for the store in one step of a promotion, in ms. */
  readonly deadlineMs: number;
  /** The most records. */
  readonly most: number;
}

/** See the top of the file. */
export class ProvisionalRecords {
  /** Their records; bounded. */
  readonly store: Store;
  readonly #parts: ProvisionalParts;
  /** Those alive; one that has ended may be among them for a while. */
  readonly #alive = new Map<Handle, Provisional>();
  /** Those on their way to the store. */
  readonly #promoting = new Map<Handle, { key: RecordKey; done: Promise<void> }>();

  constructor(parts: ProvisionalParts) {
    this.#parts = parts;
    this.store = memoryStore({ clock: parts.clock, maxRecords: parts.most });
  }

  get size(): number {
    return this.#alive.size;
  }

  has(handle: Handle): boolean {
    return this.#alive.has(handle);
  }

  async add(record: StoredRecord, admission: contract.Admission | undefined): Promise<void> {
    await this.store.create(record);
    this.#note(record, admission);
  }

  /** Puts one in place of another. */
  async replace(
    old: StoredRecord,
    record: StoredRecord,
    { admission, ...how }: contract.Replacement,
  ): Promise<contract.Replaced> {
    const result = await this.store.replace({ kind: old.kind, key: old.key }, record, how);
    if (result.status !== "replaced") return result;
    this.#alive.delete(old.handle);
    this.#note(record, admission);
    return result;
  }

  /** The record, or the tombstone of one that ended in this process. */
  async read(ref: Ref): Promise<Found> {
    return this.store.read(ref);
  }

  /** The alive record, or null. */
  async alive(ref: Ref): Promise<StoredRecord | null> {
    const found = this.size === 0 ? null : await this.store.read(ref);
    return found === null || isTombstone(found) ? null : found;
  }

  async end(ref: Ref, ending: Ending): Promise<Tombstone | null> {
    const tombstone = await this.store.end(ref, ending);
    if (tombstone) this.#alive.delete(tombstone.handle);
    return tombstone;
  }

  /** Where those of an owner are, or all. */
  refs(owner?: OwnerKey): Ref[] {
    return [...this.#alive]
      .filter(([, one]) => owner === undefined || one.owner === owner)
      .map(([handle, { kind }]) => ({ kind, handle }));
  }

  /** Hands one over to the store, if it is there. @throws what the store throws */
  async settle(ref: Ref, to: Store): Promise<void> {
    const record = await this.alive(ref);
    if (record) return this.#promote(record, to);
    if ("handle" in ref) this.#alive.delete(ref.handle);
    for (const [handle, { key, done }] of this.#promoting) {
      if ("key" in ref ? key === ref.key : handle === ref.handle) await done;
    }
  }

  /** Ends in the store what has ended here, and may have come there meanwhile. */
  async endThere(ref: Ref, to: Store): Promise<void> {
    const found = await this.store.read(ref);
    if (found && isTombstone(found)) await to.end(ref, found.ending);
  }

  async close(): Promise<void> {
    await this.store.close();
  }

  #note(record: StoredRecord, admission: Provisional["admission"]): void {
    const { kind, key, handle, owner, payload } = record;
    this.#alive.set(handle, { kind, key, owner, admission, sent: payload });
  }

  #promote(record: StoredRecord, to: Store): Promise<void> {
    const { key, handle } = record;
    const one = this.#alive.get(handle);
    const under = this.#promoting.get(handle);
    if (under || !one) return under?.done ?? Promise.resolve();
    const done = this.#handOver(record, one, to).finally(() => this.#promoting.delete(handle));
    this.#promoting.set(handle, { key, done });
    return done;
  }

  async #handOver(record: StoredRecord, one: Provisional, to: Store): Promise<void> {
    const { kind, handle } = record;
    const { events } = this.#parts;
    const refused = await this.#adopted(record, one, to);
    if (refused) {
      const tombstone = await this.end({ kind, handle }, refused);
      if (tombstone) tellEnded(events, tombstone);
      return this.endThere({ kind, handle }, to);
    }
    const newest = await this.store.consume({ kind, handle });
    this.#alive.delete(handle);
    if (newest === null) return this.endThere({ kind, handle }, to);
    try {
      await this.#inTime(catchUp(to, this.#parts.codec, { newest, sent: one.sent }));
    } catch (error) {
      await this.store.create(newest);
      this.#alive.set(handle, one);
      throw error;
    }
    events.emit("promoted", { handle, principal: principalOf(record) });
  }

  /** Null: the store has it now. Else how it ended instead. */
  async #adopted(record: StoredRecord, one: Provisional, to: Store): Promise<Ending | null> {
    const { clock, events } = this.#parts;
    try {
      const outcome = await this.#inTime(this.#adopt(record, one, to));
      if (outcome.status === "present") return null;
      if (outcome.status === "created") {
        for (const tombstone of outcome.evicted) tellEnded(events, tombstone);
        return null;
      }
      if (outcome.status === "ended") return outcome.ending;
      return { why: "evicted", at: clock.now(), reason: "limit" };
    } catch (error) {
      if (!isSojournError(error) || isAway(error)) throw error;
      return { why: "revoked", at: clock.now(), reason: "the store did not take it over" };
    }
  }

  /** Also where the answer comes too late for anybody to wait: what is over here is over there. */
  async #adopt(
    record: StoredRecord,
    { admission }: Provisional,
    to: Store,
  ): Promise<contract.Adopted> {
    const outcome = await to.adopt(record, admission);
    const isThere = outcome.status === "created" || outcome.status === "present";
    if (isThere) await this.endThere(record, to);
    return outcome;
  }

  #inTime<T>(work: Promise<T>): Promise<T> {
    const { deadlineMs } = this.#parts;
    return withDeadline(work, deadlineMs, () => tooLate(deadlineMs));
  }
}

function tooLate(deadlineMs: number): SojournError {
  return new SojournError(
    "SOJOURN_STORE_TIMEOUT",
    `the store did not take a provisional session over within ${deadlineMs} ms; it is asked again`,
  );
}
