/**
 * `onStoreError: 'local'`: while the store is away this process goes on with what it knows, within
 * bounds. What it read a moment ago stays readable; logins make provisional sessions, which the
 * store takes over when it is back; endings fail loudly, hold here at once, and are repeated.
 */
import { setTimeout as pause } from "node:timers/promises";
import { isSojournError, SojournError } from "../errors.ts";
import type { Events } from "../events.ts";
import type { Relay } from "../nodes/relay.ts";
import type { CrossingEvent } from "../nodes/crossing.ts";
import type { Found, ReadOptions, Ref, Store, StoredRecord } from "../store/contract.ts";
import {
  type CallOptions,
  type GuardedOperation,
  isAway,
  type StoreCaller,
} from "../store/guard.ts";
import type { Reader } from "../store/reader.ts";
import type { PayloadCodec } from "../session/payload.ts";
import { ownerKey } from "../token/tag.ts";
import { Backlog } from "./backlog.ts";
import { Condemned } from "./condemned.ts";
import { frontOf } from "./front.ts";
import { ProvisionalRecords } from "./provisional.ts";
import { RecentRecords } from "./recent.ts";
import { standIn } from "./stand-in.ts";

/** Sessions remembered, and provisional ones, at most. */
const MOST = 10_000;
/** How often the store is tried while something waits for it, in ms. */
const RETRY_EVERY = 250;

/** All that the process knows by itself. */
export interface LocalKnowledge {
  readonly store: Store;
  readonly recent: RecentRecords;
  readonly provisional: ProvisionalRecords;
  readonly condemned: Condemned;
  readonly backlog: Backlog;
  readonly events: Events;
  /** Records that were handed out although the store could not be asked. */
  readonly stale: WeakSet<StoredRecord>;
}

/** What it works with. */
export interface LocalParts {
  readonly store: Store;
  readonly guard: StoreCaller;
  readonly events: Events;
  readonly codec: PayloadCodec;
  /** By which it hears what ended elsewhere; null where there is no such way. */
  readonly relay: Relay | null;
  readonly namespace: string;
  readonly staleForMs: number;
  /** Monotonic ms. */
  readonly now?: () => number;
}

/** See the top of the file. */
export class LocalCaller implements StoreCaller {
  readonly deadlineMs: number;
  readonly #guard: StoreCaller;
  readonly #front: Store;
  readonly #known: LocalKnowledge;
  readonly #relay: Relay | null;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(parts: LocalParts) {
    const { store, guard, events, codec, relay, namespace, staleForMs } = parts;
    const { now = () => performance.now() } = parts;
    this.deadlineMs = guard.deadlineMs;
    this.#guard = guard;
    this.#relay = relay;
    const recent = new RecentRecords({ staleForMs, most: MOST, now });
    const { clock } = store;
    const { deadlineMs } = guard;
    const provisional = new ProvisionalRecords({ clock, events, codec, deadlineMs, most: MOST });
    const condemned = new Condemned((where) => recent.forget(where));
    const backlog = new Backlog(provisional, condemned);
    const stale = new WeakSet<StoredRecord>();
    this.#known = { store, recent, provisional, condemned, backlog, events, stale };
    this.#front = frontOf(this.#known);
    // What was read before messages were missed may be over by now.
    relay?.onOpened(() => this.#known.recent.forget(() => true));
    for (const type of ["login", "logout", "revoked", "evicted"] as const) {
      events.on(type, (event) => this.#hear(event as CrossingEvent, namespace));
    }
  }

  /**
   * What the store does too late is not undone as elsewhere: the provisional session that was made
   * instead is handed over at once, unless it has ended.
   */
  async call<T>(
    operation: GuardedOperation,
    run: (store: Store) => T | Promise<T>,
    { withinMs = this.deadlineMs }: CallOptions<T> = {},
  ): Promise<T> {
    const { provisional, backlog } = this.#known;
    let made: StoredRecord | null = null;
    const undo = async (store: Store): Promise<void> => {
      if (!made) return;
      await provisional.endThere(made, store);
      await backlog.settle(made, store);
    };
    this.#relay?.listen();
    try {
      return await this.#guard.call(operation, () => run(this.#front), { withinMs, undo });
    } catch (error) {
      if (!isAway(error)) throw error;
      try {
        return await run(standIn(this.#known, { cause: error, made: (record) => (made = record) }));
      } finally {
        this.#retryLater();
      }
    }
  }

  /** Never at once: what ended here, or waits for the store, is looked at first. */
  read(ref: Ref, how?: ReadOptions): Promise<Found> {
    return this.call("read", (store) => store.read(ref, how));
  }

  readFor<T>(reader: Reader<Found, T>, ref: Ref, how?: ReadOptions): Promise<T> {
    return this.read(ref, how).then((found) => reader.answered(found));
  }

  /** What a record is worth; null: the store has said so itself. */
  standing(record: StoredRecord): "provisional" | "stale" | null {
    if (this.#known.provisional.has(record.handle)) return "provisional";
    return this.#known.stale.has(record) ? "stale" : null;
  }

  /** Calls `listener` after each ending that holds in this process alone. */
  onEnding(listener: () => void): void {
    this.#known.condemned.onAdded(listener);
  }

  /** What waits for the store is told once more, then given up. @throws SOJOURN_STORE_UNAVAILABLE when something could not be told to the store */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    const { provisional, condemned } = this.#known;
    const cause = await this.#settleAtLast();
    await provisional.close();
    if (cause !== null) throw unsettled(condemned.size, provisional.size, cause);
  }

  /** As `#settle`; a breaker that is open does not get in the way. */
  async #settleAtLast(): Promise<unknown> {
    const cause = await this.#settle();
    const retryInMs = isSojournError(cause) ? cause.details["retryInMs"] : undefined;
    if (typeof retryInMs !== "number") return cause;
    await pause(retryInMs);
    return this.#settle();
  }

  /** Null: the store knows everything. Else why it does not. */
  async #settle(): Promise<unknown> {
    try {
      await this.#known.backlog.clear(this.#guard);
      return null;
    } catch (error) {
      return error;
    }
  }

  #retryLater(): void {
    if (this.#timer || this.#closed || this.#known.backlog.size === 0) return;
    this.#timer = setTimeout(() => void this.#retry(), RETRY_EVERY).unref();
  }

  async #retry(): Promise<void> {
    await this.#settle();
    this.#timer = undefined;
    this.#retryLater();
  }

  #hear(event: CrossingEvent, namespace: string): void {
    const { recent } = this.#known;
    if (event.type !== "revoked" || event.handle !== null) {
      const { handle } = event.type === "login" ? { handle: event.previous } : event;
      return recent.forget((record) => record.handle === handle);
    }
    const { principal, except } = event;
    const owner = principal === null ? null : ownerKey(namespace, principal);
    recent.forget(
      (record) => (owner === null || record.owner === owner) && record.handle !== except,
    );
  }
}

function unsettled(endings: number, sessions: number, cause: unknown): SojournError {
  return new SojournError(
    "SOJOURN_STORE_UNAVAILABLE",
    `closed while the store was away: ${endings} endings were not carried out (repeat them), and ${sessions} provisional sessions are lost (their users log in again)`,
    { cause, details: { endings, sessions } },
  );
}
