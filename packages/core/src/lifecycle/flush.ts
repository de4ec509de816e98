/** Flush: whatever a request changed in its session goes to the store, if anything. */
import { principalName, principalOf } from "../policy/principal.ts";
import { deadline, touchInterval } from "../policy/expiry.ts";
import type { UnixMs } from "../clock.ts";
import type { SessionState } from "../session/state.ts";
import { admissionFor, becomeSession, emitLogin, loginFacts } from "./login.ts";
import { keysOf, NO_CHANGES } from "../session/data.ts";
import { ANONYMOUS } from "../session/payload.ts";
import type { Handle, StoredRecord } from "../store/contract.ts";
import { dropChanges, endingNow, type Engine, idleOf, privilegesOf, timeoutsOf } from "./engine.ts";
import { isAway } from "../store/guard.ts";
import { rotateRecord } from "./rotate.ts";
import { createAnonymous, noteDeadline, writeChanges } from "./write.ts";

/**
 * Decides what to write, in this order: another principal than before, other privileges than
 * before, changed data, a touch that is due, nothing: then the answer is null, and nobody has to
 * wait. At most one store operation.
 * @throws SOJOURN_SESSION_ENDED when changes could not be written because the session ended
 */
export function flush(engine: Engine, state: SessionState): Promise<void> | null {
  if (state.phase === "ended") {
    dropChanges(engine, state, null);
    return null;
  }
  const changes = state.data.changes();
  if (state.phase === "detached") {
    if (changes === null) return null;
    throw state.outage;
  }
  if (state.phase === "locked") {
    dropLocked(engine, state);
    return null;
  }
  const principal = otherPrincipal(engine, state);
  if (principal !== undefined) return followPrincipal(engine, state, principal);
  if (state.phase === "fresh") {
    const isWanted = changes !== null || state.reserved !== null;
    return isWanted ? createAnonymous(engine, state) : null;
  }
  const privileges = changedPrivileges(engine, state);
  if (privileges !== undefined && !state.exchange.rotated)
    return rotateRecord(engine, state, "privileges", {});
  if (changes !== null || privileges !== undefined) {
    return writeChanges(
      engine,
      state,
      changes ?? NO_CHANGES,
      privileges === undefined ? null : { privileges },
    );
  }
  return touchIfDue(engine, state);
}

/** A locked session takes nothing, and is not used either. */
function dropLocked(engine: Engine, state: SessionState): void {
  const keys = keysOf(state.data.changes());
  state.data.forget();
  const handle = state.record?.handle ?? null;
  if (keys.length > 0) engine.events.emit("changes-dropped", { handle, keys, ending: null });
}

/**
 * With `onStoreError: 'anonymous'`: what a visitor without a session changed is dropped when the
 * store is away, with an event; a login is not. True if it was.
 */
export function dropUnsaved(engine: Engine, state: SessionState, error: unknown): boolean {
  const { onStoreError, principal } = engine.settings;
  const isUnsaved = state.phase === "detached" || state.phase === "fresh";
  if (onStoreError !== "anonymous" || !isUnsaved || !isAway(error)) return false;
  if (principal && (principal(state.data.peek()) ?? null) !== null) return false;
  dropChanges(engine, state, null);
  return true;
}

/** With the option `principal`: who the data says is logged in now, null for nobody; undefined: as before. */
function otherPrincipal(engine: Engine, { data, record }: SessionState): string | null | undefined {
  const { principal: derive } = engine.settings;
  if (!derive) return undefined;
  const derived = derive(data.peek());
  const after = derived === null || derived === undefined ? null : principalName(derived);
  return after === (record ? principalOf(record) : null) ? undefined : after;
}

/** Logs in, over or out. */
async function followPrincipal(
  engine: Engine,
  state: SessionState,
  principal: string | null,
): Promise<void> {
  const before = state.record ? principalOf(state.record) : null;
  const previous = state.record?.handle ?? null;
  await becomeSession(engine, state, {
    principal,
    facts: principal === null ? ANONYMOUS : loginFacts(engine, {}),
    admission: principal === null ? undefined : await admissionFor(engine, principal, {}),
    endOld: principal === null ? "logout" : "rotated",
    keepData: true,
  });
  if (principal !== null && state.record)
    emitLogin(engine, state.record, previous, state.exchange.sender);
  else if (previous !== null) emitLogout(engine, state, previous, before);
}

function emitLogout(
  engine: Engine,
  state: SessionState,
  handle: Handle,
  principal: string | null,
): void {
  const ending = endingNow(engine, "logout");
  engine.events.emit("logout", { handle, principal, ending, client: state.exchange.sender });
}

/** The digest of the privileges now, if it is another than when the session was last written. */
function changedPrivileges(engine: Engine, state: SessionState): string | undefined {
  const { record } = state;
  if (!record || !engine.settings.privileges) return undefined;
  const principal = principalOf(record);
  const now = privilegesOf(engine, () => state.data.peek(), principal);
  const before =
    state.facts.privileges ?? privilegesOf(engine, () => state.data.loaded(), principal);
  return now === before ? undefined : now;
}

/** Whether so much time has passed since the last touch that the store is told of another one. */
export function isTouchDue(
  engine: Engine,
  { record, facts }: Pick<SessionState, "record" | "facts">,
): boolean {
  if (record === null) return false;
  const { clock, touchAfter } = engine.settings;
  return clock.now() - record.seenAt >= touchInterval(idleOf(engine, facts), touchAfter);
}

function touchIfDue(engine: Engine, state: SessionState): Promise<void> | null {
  const { record, facts, touchWanted, payloadStale } = state;
  if (!record || !(touchWanted || isTouchDue(engine, state))) return null;
  if (payloadStale) return writeChanges(engine, state, NO_CHANGES);
  const now = engine.settings.clock.now();
  const expiresAt = deadline(timeoutsOf(engine, facts), now, record.absoluteExpiresAt);
  return touch(engine, state, record, { now, expiresAt });
}

async function touch(
  engine: Engine,
  state: SessionState,
  record: StoredRecord,
  { now, expiresAt }: { readonly now: UnixMs; readonly expiresAt: UnixMs },
): Promise<void> {
  const ref = { kind: record.kind, key: record.key };
  const isAlive = await engine.store.call("touch", (store) => store.touch(ref, now, expiresAt));
  if (!isAlive) return state.end(null);
  noteDeadline(engine, state, now);
  state.touched(now, expiresAt);
  engine.events.emit("touched", { handle: record.handle, principal: principalOf(record) });
}
