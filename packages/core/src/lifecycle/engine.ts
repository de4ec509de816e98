/** What every verb works with: the settings, the guarded store, time, events and the commit queue. */
import { SojournError } from "../errors.ts";
import type { Events } from "../events.ts";
import type { Relay } from "../nodes/relay.ts";
import type { Settings } from "../options/settings.ts";
import type { LocalCaller } from "../outage/local.ts";
import type { Timeouts } from "../policy/expiry.ts";
import { principalOf } from "../policy/principal.ts";
import { privilegeDigest } from "../policy/privileges.ts";
import {
  EMPTY_DATA,
  invalidData,
  keysOf,
  TrackedData,
  type Validate,
  type Values,
} from "../session/data.ts";
import { runSchema } from "../options/standard-schema.ts";
import type { Facts, PayloadCodec } from "../session/payload.ts";
import type { CommitQueue } from "../session/queue.ts";
import { createSession } from "../session/session.ts";
import { type Exchange, type LockReason, SessionState, type Verbs } from "../session/state.ts";
import {
  type Ending,
  type EndingReason,
  type Handle,
  isTombstone,
  type OwnerKey,
  type StoredRecord,
  type Tombstone,
} from "../store/contract.ts";
import type { StoreCaller, StoreGuard } from "../store/guard.ts";

/** Shared by all verbs of one manager. */
export interface Engine {
  readonly settings: Settings;
  readonly codec: PayloadCodec;
  readonly store: StoreCaller;
  /** The store under guard, without what `local` puts before it. */
  readonly guard: StoreGuard;
  /** What goes on while the store is away; null unless `onStoreError` is `'local'`. */
  readonly local: LocalCaller | null;
  /** The way to the other processes on the store; null where there are none. */
  readonly relay: Relay | null;
  readonly events: Events;
  readonly queue: CommitQueue;
}

/**
 * The timeouts of a session: its own where it has them. One that nobody is logged in to is never locked:
 * nobody could unlock it.
 */
export function timeoutsOf(engine: Engine, facts: Facts): Timeouts {
  const { absolute, onIdle } = engine.settings;
  return {
    idle: idleOf(engine, facts),
    absolute: facts.absolute ?? absolute,
    locks: onIdle === "lock" && facts.authenticatedAt !== null,
  };
}

/** The idle timeout of a session alone, in ms. */
export function idleOf({ settings }: Engine, { idle }: Facts): number | null {
  return idle === undefined ? settings.idle : idle;
}

/** A fresh session object for an exchange. */
export function openSession(
  engine: Engine,
  exchange: Exchange,
  verbs: Verbs,
  text: string,
): SessionState {
  const state = new SessionState(
    exchange,
    verbs,
    new TrackedData(text, validator(engine), exchange),
  );
  exchange.open(state, createSession(state));
  return state;
}

function validator({ settings: { schema } }: Engine): Validate | undefined {
  if (!schema) return undefined;
  return (values) => {
    const result = runSchema(schema, { ...values });
    if ("problems" in result) throw invalidData(result.problems);
    return result.value as Record<string, unknown>;
  };
}

/**
 * The JSON text of data that did not come through a session object, checked as a commit checks.
 * @throws SOJOURN_DATA_UNSERIALISABLE, SOJOURN_DATA_INVALID
 */
export function checkedText(engine: Engine, values: Readonly<Values>): string {
  const data = new TrackedData(EMPTY_DATA, validator(engine));
  for (const key of Object.keys(values)) data.set(key, values[key]);
  data.changes();
  return data.text();
}

/**
 * What the store has now of the session that a request came with, by the key that it was let in with. For what
 * concerns more than the session's own record, and so is refused by no write of it.
 * @throws SOJOURN_SESSION_ENDED when it ended meanwhile
 */
export async function readAlive(
  engine: Engine,
  state: SessionState,
  { kind, key }: StoredRecord,
): Promise<StoredRecord> {
  const found = await engine.store.read({ kind, key }, { fresh: true });
  if (found !== null && !isTombstone(found)) return found;
  dropChanges(engine, state, found);
  throw sessionEnded(state.ending);
}

/** Takes over what the store has now, keeping this request's own changes for the next write. */
export function adopt(engine: Engine, state: SessionState, record: StoredRecord): void {
  const { facts, dataText } = engine.codec.decode(record);
  state.live(record, facts);
  state.data.written(dataText);
}

/** An ending that happens now. */
export function endingNow(
  engine: Engine,
  why: EndingReason,
  more: { reason?: string | undefined; successor?: Handle } = {},
): Ending {
  return {
    why,
    at: engine.settings.clock.now(),
    ...(more.reason === undefined ? {} : { reason: more.reason }),
    ...(more.successor === undefined ? {} : { successor: more.successor }),
  };
}

/** The digest of the privileges of some data, or undefined where the application watches none: then nobody reads it. */
export function privilegesOf(
  engine: Engine,
  data: () => Readonly<Values>,
  principal: string | null,
): string | undefined {
  const { privileges } = engine.settings;
  return privileges && privilegeDigest(privileges(data(), { principal }));
}

/** Notes that the session ended under the request's feet; its changes are not written. */
export function dropChanges(
  engine: Engine,
  state: SessionState,
  tombstone: Tombstone | null,
): void {
  const keys = keysOf(state.data.changes());
  const handle = state.record?.handle ?? null;
  state.end(tombstone);
  state.data.forget();
  if (keys.length > 0)
    engine.events.emit("changes-dropped", { handle, keys, ending: state.ending });
}

/** The error for work on a session that is no more. */
export function sessionEnded(ending: Ending | null): SojournError {
  const why = ending
    ? `${ending.why}${ending.reason ? `: ${ending.reason}` : ""}`
    : "its ending is not known any more";
  return new SojournError(
    "SOJOURN_SESSION_ENDED",
    `this session ended while the request was using it (${why}); nothing was written. Let the user log in again`,
    { details: { ending } },
  );
}

/** Tells of evicted sessions. */
export function emitEvicted(engine: Engine, evicted: readonly Tombstone[]): void {
  for (const tombstone of evicted) {
    const { handle, ending } = tombstone;
    engine.events.emit("evicted", { handle, principal: principalOf(tombstone), ending });
  }
}

/** The error for work on a session that is locked. */
export function sessionLocked(why: LockReason): SojournError {
  return new SojournError(
    "SOJOURN_SESSION_LOCKED",
    `this session is locked (${why}): let the user prove who they are, then call session.reauthenticate()`,
    { details: { why } },
  );
}

/** The session must show itself. @throws the error of the outage, SOJOURN_SESSION_ENDED, SOJOURN_SESSION_LOCKED */
export function requireOpen(state: SessionState): void {
  if (state.phase === "detached") throw state.outage;
  if (state.phase === "ended") throw sessionEnded(state.ending);
  if (state.lock !== null) throw sessionLocked(state.lock);
}

/** A record that is somebody's. */
type OwnedRecord = StoredRecord & { readonly owner: OwnerKey };

function isOwned(record: StoredRecord): record is OwnedRecord {
  return record.owner !== null;
}

/** As {@link requireOpen}, and somebody must be logged in. @throws SOJOURN_NOT_LOGGED_IN */
export function requireLoggedIn(state: SessionState, verb: string): OwnedRecord {
  requireOpen(state);
  const { record } = state;
  if (record && isOwned(record)) return record;
  throw new SojournError(
    "SOJOURN_NOT_LOGGED_IN",
    `${verb}() needs a logged-in session: call login() first`,
  );
}

/** True for the error of {@link sessionEnded}. */
export function isSessionEnded(error: unknown): boolean {
  return error instanceof SojournError && error.code === "SOJOURN_SESSION_ENDED";
}
