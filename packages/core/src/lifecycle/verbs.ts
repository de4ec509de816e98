/** The verbs of a session, bound to one manager; each waits for the one before it. */
import type { SessionState, Verbs } from "../session/state.ts";
import type { Degraded } from "../events.ts";
import { principalOf } from "../policy/principal.ts";
import { type Engine, sessionEnded, sessionLocked } from "./engine.ts";
import { checkCsrf, csrfToken } from "./csrf.ts";
import { flush } from "./flush.ts";
import { approve, requireFresh, useApproval, verifyAuthVersion } from "./fresh.ts";
import { login } from "./login.ts";
import { logout, regenerate, revokeOthers } from "./logout.ts";
import { elevate, reauthenticate, rotate } from "./rotate.ts";
import { reload, update } from "./write.ts";

/** Implements what {@link Verbs} names. */
export function createVerbs(engine: Engine): Verbs {
  return {
    login: (state, principal, options) =>
      inTurn(state, async () => {
        await unlocking(state, () => login(engine, state, principal, options));
        tellProvisional(engine, state);
      }),
    reauthenticate: (state, options) =>
      inTurn(state, () => unlocking(state, () => reauthenticate(engine, state, options))),
    requireFresh: (state, asked) => requireFresh(engine, state, asked),
    approve: (state, asked) => inTurn(state, () => approve(engine, state, asked)),
    useApproval: (state, asked) => inTurn(state, () => useApproval(engine, state, asked)),
    verifyAuthVersion: (state, version) =>
      inTurn(state, () => verifyAuthVersion(engine, state, version)),
    logout: (state) => inTurn(state, () => logout(engine, state)),
    regenerate: (state) => inTurn(state, () => regenerate(engine, state)),
    elevate: (state, options) => openTurn(state, () => elevate(engine, state, options)),
    rotate: (state) => openTurn(state, () => rotate(engine, state)),
    reload: (state) => openTurn(state, () => reload(engine, state)),
    update: (state, change) => openTurn(state, () => update(engine, state, change)),
    revokeOthers: (state, reason) => openTurn(state, () => revokeOthers(engine, state, reason)),
    save: (state) =>
      openTurn(state, async () => {
        requireLive(state);
        await flush(engine, state);
        requireLive(state);
      }),
    degraded: (state) => degraded(engine, state),
    csrfToken: (state) => csrfToken(engine, state),
    checkCsrf: (state, facts, policy) => checkCsrf(engine, state, facts, policy),
  };
}

/** @throws the error of the outage, where the store was away when the request came */
function inTurn<T>(state: SessionState, verb: () => Promise<T>): Promise<T> {
  return state.exchange.inTurn(async () => {
    if (state.phase === "detached") throw state.outage;
    return verb();
  });
}

/** As {@link inTurn}. @throws SOJOURN_SESSION_LOCKED */
function openTurn<T>(state: SessionState, verb: () => Promise<T>): Promise<T> {
  return inTurn(state, async () => {
    if (state.lock !== null) throw sessionLocked(state.lock);
    return verb();
  });
}

/** Runs a verb that proves who the user is; the session stays locked when it fails. */
async function unlocking(state: SessionState, verb: () => Promise<void>): Promise<void> {
  const lockAgain = state.unlock();
  try {
    await verb();
  } catch (error) {
    lockAgain();
    throw error;
  }
}

function requireLive(state: SessionState): void {
  if (state.phase === "ended") throw sessionEnded(state.ending);
}

function degraded(engine: Engine, { phase, stale, record }: SessionState): Degraded | null {
  if (phase === "detached") return "anonymous";
  if (stale) return "stale";
  return record && engine.local?.standing(record) === "provisional" ? "provisional" : null;
}

function tellProvisional(engine: Engine, state: SessionState): void {
  const { record } = state;
  const standing = degraded(engine, state);
  if (record === null || standing === null) return;
  const { handle } = record;
  engine.events.emit("degraded", { standing, handle, principal: principalOf(record) });
}
