/**
 * `onStoreError: 'local'`: while the store is away this process goes on with what it knows, within
 * bounds. What it read a moment ago stays readable; logins make provisional sessions, which the
 * store takes over when it is back; endings fail loudly, hold here at once, and are repeated.
 */
import { SojournError } from "../errors.ts";
import type { AnySessionEvent, Events } from "../events.ts";
import type { Store, StoredRecord } from "../store/contract.ts";
import {
  type CallOptions,
  type GuardedOperation,
  isAway,
  type StoreCaller,
} from "../store/guard.ts";
import { ownerKey } from "../token/tag.ts";
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
  readonly recent: RecentRecords;
  readonly provisional: ProvisionalRecords;
  readonly condemned: Condemned;
  /** Records that were handed out although the store could not be asked. */
  readonly stale: WeakSet<StoredRecord>;
}

/** What it works with. */
export interface LocalParts {
  readonly store: Store;
  readonly guard: StoreCaller;
  readonly events: Events;
  readonly namespace: string;
  readonly staleForMs: number;
  /** Monotonic ms. */
  readonly now?: () => number;
}

/** See the top of the file. */
export class LocalCaller implements StoreCaller {
  readonly deadlineMs: number;
  readonly #guard: StoreCaller;
  readonly #store: Store;
  readonly #front: Store;
  readonly #known: LocalKnowledge;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor({ store, guard, events, namespace, staleForMs, now }: LocalParts) {
    this.deadlineMs = guard.deadlineMs;
    this.#guard = guard;
    this.#store = store;
    this.#known = {
      recent: new RecentRecords({ staleForMs, most: MOST, now: now ?? (() => performance.now()) }),
      provisional: new ProvisionalRecords(store.clock, events, MOST),
      condemned: new Condemned(),
      stale: new WeakSet(),
    };
    this.#front = frontOf(this.#known, store);
    for (const type of ["logout", "revoked", "evicted"] as const) {
      events.on(type, (event) => this.#hear(event, namespace));
    }
  }

  /** Late success of a call is not undone: the store takes a provisional session over as its own. */
  async call<T>(
    operation: GuardedOperation,
    run: (store: Store) => Promise<T>,
    { withinMs = this.deadlineMs }: CallOptions<T> = {},
  ): Promise<T> {
    try {
      return await this.#guard.call(operation, () => run(this.#front), { withinMs });
    } catch (error) {
      if (!isAway(error)) throw error;
      try {
        return await run(standIn(this.#known, this.#store, error));
      } finally {
        this.#retryLater();
      }
    }
  }

  /** What a record is worth; null: the store has said so itself. */
  standing(record: StoredRecord): "provisional" | "stale" | null {
    if (this.#known.provisional.has(record.handle)) return "provisional";
    return this.#known.stale.has(record) ? "stale" : null;
  }

  /** What was read before messages were missed may be over by now. */
  forgetRecent(): void {
    this.#known.recent.forget(() => true);
  }

  /** What waits for the store is told once more, then given up. @throws SOJOURN_STORE_UNAVAILABLE when something could not be told to the store */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    const { provisional, condemned } = this.#known;
    const cause = await this.#settle();
    await provisional.close();
    if (cause !== null) throw unsettled(condemned.size, provisional.size, cause);
  }

  /** Null: the store knows everything. Else why it does not. */
  async #settle(): Promise<unknown> {
    const { provisional, condemned } = this.#known;
    try {
      await condemned.carryOut(this.#guard);
      if (provisional.size > 0)
        await this.#guard.call("adopt", (store) => provisional.settleAll(store));
      return null;
    } catch (error) {
      return error;
    }
  }

  #retryLater(): void {
    const { provisional, condemned } = this.#known;
    if (this.#timer || this.#closed || provisional.size + condemned.size === 0) return;
    this.#timer = setTimeout(() => void this.#retry(), RETRY_EVERY).unref();
  }

  async #retry(): Promise<void> {
    await this.#settle();
    this.#timer = undefined;
    this.#retryLater();
  }

  #hear(event: AnySessionEvent, namespace: string): void {
    const { recent } = this.#known;
    if (event.type !== "revoked" || event.handle !== null) {
      const handle = "handle" in event ? event.handle : null;
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
