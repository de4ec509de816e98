/**
 * The store contract: what a store keeps, what each operation promises, and the laws behind it.
 *
 * A store is a table of {@link StoredRecord}s. Three words cover every answer:
 * - *alive*: the record exists and `now < expiresAt`;
 * - *ended*: it does not live any more and a {@link Tombstone} still says why;
 * - *unknown*: nothing is known (never existed, or its tombstone is forgotten). `null` means this.
 * An operation that cannot find out rejects; `null` and `false` are facts, never excuses.
 *
 * **The laws**, each checked by `@sojourn/store-conformance`:
 * 1. values are copied in and out;
 * 2. no write brings an ended or unknown record to life;
 * 3. an index entry lives at least as long as its record, and a dead one is never returned;
 * 4. reads, lists and counts change nothing;
 * 5. limits are exact under any concurrency;
 * 6. `consume` has one winner;
 * 7. a failed write rejects, also in `flush` and `close`;
 * 8. unknown or corrupt data is never overwritten;
 * 9. no secret appears in a key or in metadata (keys are digests);
 * 10. a record is dead at `expiresAt`, whatever the sweeper does;
 * 11. names such as `__proto__` are data;
 * 12. too large, closed, unreachable and newer format are typed errors.
 *
 * Keys, handles and owners begin with a tag of three characters. Everything of one user shares the
 * tag, so a sharded store can keep it on one shard and stay atomic; other stores ignore it.
 */
import type { Clock, UnixMs } from "../clock.ts";
import type { KeyRing } from "../keys/key-ring.ts";

declare const brand: unique symbol;
type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** `<tag>.<digest>`: SHA-256 of the token, base64url. What a record is stored under. */
export type RecordKey = Brand<string, "RecordKey">;
/** `<tag><16 random characters>`: the public, stable id of a session. Safe to show and log. */
export type Handle = Brand<string, "Handle">;
/** `<tag>.<principal>`: whom a record belongs to. */
export type OwnerKey = Brand<string, "OwnerKey">;

/** One record: a session, a grant or a bound id. Every field is a primitive; instants are Unix ms. */
export interface StoredRecord {
  /** What it is, for example `session`. Kinds never see each other. */
  readonly kind: string;
  readonly key: RecordKey;
  readonly handle: Handle;
  /** Null: nobody's (anonymous). A record with an owner has the owner's tag. */
  readonly owner: OwnerKey | null;
  /** 1 at creation; each `update` adds 1. `touch` leaves it, so that a touch is never a conflict. */
  readonly version: number;
  readonly createdAt: UnixMs;
  /** Last use, as far as touches were written. */
  readonly seenAt: UnixMs;
  /** Dead from this instant on. Never later than `absoluteExpiresAt`. */
  readonly expiresAt: UnixMs;
  /** The cap that no touch and no update may pass. */
  readonly absoluteExpiresAt: UnixMs;
  /** Opaque to the store. */
  readonly payload: string;
}

/** Why a session is no more. */
export type EndingReason = "logout" | "revoked" | "evicted" | "idle" | "absolute" | "rotated";

/** The end of a session: why, when, and in words for a person where there are any. */
export interface Ending {
  readonly why: EndingReason;
  readonly at: UnixMs;
  /** Free text of whoever ended it, for example `password changed`; `limit` for an eviction. */
  readonly reason?: string;
  /** Handle of the session that took its place (eviction, login). */
  readonly successor?: Handle;
  /** Last use, where it died of a timeout (`idle`, `absolute`). */
  readonly seenAt?: UnixMs;
}

/** The record of an ending. Kept until `expiresAt`, then forgotten. Carries no payload. */
export interface Tombstone {
  readonly kind: string;
  readonly key: RecordKey;
  readonly handle: Handle;
  readonly owner: OwnerKey | null;
  readonly createdAt: UnixMs;
  readonly expiresAt: UnixMs;
  readonly ending: Ending;
}

/** Points at a record, by key or by handle. */
export type Ref =
  | { readonly kind: string; readonly key: RecordKey }
  | { readonly kind: string; readonly handle: Handle };

/** What is at a reference: the record, its tombstone, or null: nothing is known. */
export type Found = StoredRecord | Tombstone | null;

/** How a record is read. */
export interface ReadOptions {
  /** From where it is kept, never from a copy that the store has near by. */
  readonly fresh?: boolean;
}

/** What to do with one session too many. */
export type OnLimit = "evict-oldest" | "evict-idle" | "reject";

/**
 * The limit that a creation must keep: at most `max` alive records of the new record's owner,
 * counted with it. `evict-oldest` ends those with the smallest `createdAt`, `evict-idle` those with
 * the smallest `seenAt`, as many as needed; `reject` refuses.
 */
export interface Admission {
  readonly max: number;
  readonly onLimit: OnLimit;
}

/** Outcome of {@link Store.create}. */
export type Admitted =
  | { readonly status: "created"; readonly evicted: readonly Tombstone[] }
  | { readonly status: "refused"; readonly active: number };

/**
 * What an update writes. `expiresAt` is capped by the record's `absoluteExpiresAt`; neither instant
 * moves back, for a touch may have come between.
 */
export interface Change {
  readonly payload: string;
  readonly seenAt: UnixMs;
  readonly expiresAt: UnixMs;
}

/** The record is not alive; the tombstone says why, where it is known. */
export interface Gone {
  readonly status: "gone";
  readonly tombstone: Tombstone | null;
}

/** Somebody else wrote in between; `record` is what is there now. */
export interface Conflict {
  readonly status: "conflict";
  readonly record: StoredRecord;
}

/** Outcome of {@link Store.update}; `record` is the record as it now is. */
export type Updated =
  | { readonly status: "updated"; readonly record: StoredRecord }
  | Conflict
  | Gone;

/** How {@link Store.replace} treats the old record. */
export interface Replacement {
  /** The version of the old record that the new one was made from. */
  readonly expectedVersion: number;
  /** How the old key ended. */
  readonly ending: Ending;
  /** Limit for the new record's owner; the old record does not count. */
  readonly admission?: Admission;
  /**
   * For so many ms after `ending.at` the old key still resolves to the new record, in every
   * operation but `replace`. Only between records of one handle. 0 or absent: dead at once.
   */
  readonly graceMs?: number;
}

/**
 * Outcome of {@link Store.replace}. `moved`: the key was replaced a moment ago and is in its grace
 * time; `record` is the session as it now is.
 */
export type Replaced =
  | { readonly status: "replaced"; readonly evicted: readonly Tombstone[] }
  | { readonly status: "refused"; readonly active: number }
  | { readonly status: "moved"; readonly record: StoredRecord }
  | Conflict
  | Gone;

/** Counts of one kind; exact at the instant of the call. */
export interface Counts {
  /** Records alive. */
  readonly active: number;
  /** Distinct owners among them. */
  readonly principals: number;
  /** Since the store was opened by this process; null where the store does not know. */
  readonly lifetime: Lifetime | null;
}

/** What happened since a store was opened. Not kept across restarts. */
export interface Lifetime {
  readonly since: UnixMs;
  readonly created: number;
  readonly ended: number;
  /** The most records alive at once. */
  readonly peak: number;
  /** Sum over the ended records of ending minus creation, in ms. */
  readonly durationMs: number;
}

/** One page of {@link Store.owners}. `cursor` is null on the last page. */
export interface OwnersPage {
  readonly owners: readonly { readonly owner: OwnerKey; readonly active: number }[];
  readonly cursor: string | null;
}

/** How far apart the clocks may be that `adopt` compares, in ms. */
export const CLOCK_TOLERANCE = 10_000;

/**
 * For how long a store remembers for `adopt` that it ended an owner's records, in ms: no cookie outlives it. A
 * bounded store that is full may forget sooner, as it forgets tombstones.
 */
export const ENDING_REMEMBERED: number = 400 * 86_400_000;

/** Outcome of {@link Store.adopt}. */
export type Adopted =
  | Admitted
  | { readonly status: "present" }
  | { readonly status: "ended"; readonly ending: Ending };

/** Something about the server behind a store that its operator should know; see {@link Store.advise}. */
export interface Advice {
  /** Short and stable, for example `eviction-policy`. */
  readonly topic: string;
  /** What is so, what it may cost, what to do. */
  readonly message: string;
}

/** Hears what is sent on a topic. */
export interface SignalListener {
  /** A message, also one that this process sent itself. */
  message(text: string): void;
  /** Listening began, or began again: what was sent before may have been missed. */
  opened(): void;
}

/**
 * Messages between the processes that share a store, each at most once: whoever misses one loses
 * time, never a guarantee.
 */
export interface Signals {
  /** Sends to all who listen. Rejects when it could not; nobody tries again. */
  send(topic: string, text: string): Promise<void>;
  /** Listens, and after a lost connection again, until the returned function is called. */
  listen(topic: string, listener: SignalListener): () => void;
}

/** What a browser brought of a record that travels with it, and what it can carry. */
export interface Brought {
  /** Of the session's records; those of other kinds do not travel. */
  readonly kind: string;
  /** Name of the session's cookie: a sealed record is worth nothing under another one. */
  readonly name: string;
  /** The keys of the option `secret`. */
  readonly ring: KeyRing;
  /** The most characters that the browser can carry. */
  readonly room: number;
  /** The sealed record, and the key that the browser's token is stored under; null: there is none. */
  readonly sealed: { readonly key: RecordKey; readonly text: string } | null;
}

/** What a browser is to carry: a sealed record, and what its cookies must know of it. */
export interface Taken {
  readonly key: RecordKey;
  /** At most `room` characters that may stand in a cookie. */
  readonly text: string;
  readonly expiresAt: UnixMs;
}

/** A store as one request sees it, where records travel with the browser. */
export interface CarriedStore extends Store {
  /** What the browser is to carry from now on, told once: null nothing, undefined what it carries already. */
  taken(): Taken | null | undefined;
}

/** Makes the store of each request; see {@link Store.carrier}. */
export interface Carrier {
  /** The most cookies that one record may take, 1 to 8. */
  readonly chunks: number;
  forRequest(brought: Brought): CarriedStore;
}

/** Keeps records. See the laws at the top of this file. */
export interface Store {
  /** For messages: `memory`, `file`, `redis` … */
  readonly name: string;
  /** The clock by which this store judges expiry; the session manager follows it. */
  readonly clock: Clock;
  /** For stores of many processes: how one tells the others what it did. */
  readonly signals?: Signals;
  /**
   * For stores whose records travel with the browser, sealed. Requests are served by what this makes; the store itself
   * answers from outside a request. The laws then hold within one request; of parallel ones the last wins.
   */
  readonly carrier?: Carrier;
  /** Gets ready (files, connections, migrations). Every operation waits for it. Idempotent. */
  open?(): Promise<void>;
  /** Looks at the server's settings; empty when all is well. Says so too when it may not look. */
  advise?(): Promise<readonly Advice[]>;
  /**
   * The record, its tombstone, or null. In a key's grace time: the new record (its `key` differs
   * from the one asked for). A naturally expired record is a tombstone (`idle` or `absolute`) for
   * as long as the store remembers it.
   *
   * A store that has the answer at hand may give it at once, in no promise: most requests do nothing but read, and then
   * wait for nothing. What goes wrong is a rejected promise all the same.
   */
  read(ref: Ref, how?: ReadOptions): Found | Promise<Found>;
  /**
   * Creates, admits and indexes in one atom. Never overwrites.
   * @throws SOJOURN_RECORD_EXISTS when key or handle is taken, by a record or a tombstone.
   */
  create(record: StoredRecord, admission?: Admission): Promise<Admitted>;
  /**
   * As `create`, for a record that was made elsewhere: while the store was away, or in another store.
   * `ended`: since its `createdAt` its owner's sessions, or all of the kind, were ended; this is looked
   * at first, and ends the record where it is here. Clocks may differ by {@link CLOCK_TOLERANCE}. Where
   * it was asked before, or a `create` of the record came late, it says `present`.
   * @throws SOJOURN_RECORD_EXISTS when key or handle is taken, by another record or a tombstone
   */
  adopt(record: StoredRecord, admission?: Admission): Promise<Adopted>;
  /** Compare-and-set: writes only if alive and at `expectedVersion`. */
  update(ref: Ref, change: Change, expectedVersion: number): Promise<Updated>;
  /** Moves `seenAt` and `expiresAt` forward, never back. False if not alive, and nothing written. */
  touch(ref: Ref, seenAt: UnixMs, expiresAt: UnixMs): Promise<boolean>;
  /**
   * Puts `record` in place of the one at `ref`: creates, admits, indexes and ends the old in one
   * atom. The new record is kept as given, its `version` included.
   */
  replace(ref: Ref, record: StoredRecord, replacement: Replacement): Promise<Replaced>;
  /**
   * Ends an alive record and leaves a tombstone until the record's `absoluteExpiresAt`.
   * Null when it was not alive; the earlier ending then stays as it was.
   */
  end(ref: Ref, ending: Ending): Promise<Tombstone | null>;
  /**
   * Ends every record of an owner; returns how many. With `except`, all but this one, and only if it
   * is alive and the owner's, judged in the same atom: else nothing is ended, and it returns null.
   */
  endOwner(kind: string, owner: OwnerKey, ending: Ending, except?: Handle): Promise<number | null>;
  /** Ends every record of a kind; a constant number of writes. */
  endAll(kind: string, ending: Ending): Promise<void>;
  /** Takes a record out; exactly one caller gets it, the others null. */
  consume(ref: Ref): Promise<StoredRecord | null>;
  /** The alive records of an owner, in order of creation. */
  listOwner(kind: string, owner: OwnerKey): Promise<readonly StoredRecord[]>;
  /** Every session of a kind that lives during the whole scan, once, also one that is rotated in it. */
  scan(kind: string): AsyncIterable<StoredRecord>;
  count(kind: string): Promise<Counts>;
  /** The owners with alive records, `limit` a page (default 100), each once. */
  owners(kind: string, cursor?: string | null, limit?: number): Promise<OwnersPage>;
  /** Resolves when everything acknowledged is durable. */
  flush(): Promise<void>;
  /** Flushes, stops timers, lets go of resources. Idempotent; later operations reject. */
  close(): Promise<void>;
}

/** True if `found` is the record of an ending. */
export function isTombstone(found: StoredRecord | Tombstone): found is Tombstone {
  return "ending" in found;
}
