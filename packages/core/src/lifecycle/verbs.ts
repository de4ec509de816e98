/** The verbs of a session, bound to one manager; each waits for the one before it. */
import type { SessionState, Verbs } from "../session/state.ts";
import { type Engine, sessionEnded } from "./engine.ts";
import { flush } from "./flush.ts";
import { login } from "./login.ts";
import { logout, regenerate, revokeOthers } from "./logout.ts";
import { elevate, reauthenticate, rotate } from "./rotate.ts";
import { reload, update } from "./write.ts";

/** Implements what {@link Verbs} names. */
export function createVerbs(engine: Engine): Verbs {
  return {
    login: (state, principal, options) =>
      state.exchange.inTurn(() => login(engine, state, principal, options)),
    elevate: (state, options) => state.exchange.inTurn(() => elevate(engine, state, options)),
    reauthenticate: (state) => state.exchange.inTurn(() => reauthenticate(engine, state)),
    rotate: (state) => state.exchange.inTurn(() => rotate(engine, state)),
    logout: (state) => state.exchange.inTurn(() => logout(engine, state)),
    regenerate: (state) => state.exchange.inTurn(() => regenerate(engine, state)),
    reload: (state) => state.exchange.inTurn(() => reload(engine, state)),
    update: (state, change) => state.exchange.inTurn(() => update(engine, state, change)),
    revokeOthers: (state, reason) =>
      state.exchange.inTurn(() => revokeOthers(engine, state, reason)),
    save: (state) =>
      state.exchange.inTurn(async () => {
        requireLive(state);
        await flush(engine, state);
        requireLive(state);
      }),
  };
}

function requireLive(state: SessionState): void {
  if (state.phase === "ended") throw sessionEnded(state.ending);
}
