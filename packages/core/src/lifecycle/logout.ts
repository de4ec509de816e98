/** Logout and its relatives: the session ends, the request goes on with a fresh one. */
import { EMPTY_DATA } from "../session/data.ts";
import type { SessionState } from "../session/state.ts";
import { principalOf } from "../policy/principal.ts";
import {
  endingNow,
  type Engine,
  openSession,
  readAlive,
  requireLoggedIn,
  sessionEnded,
} from "./engine.ts";
import { revokeOwner } from "./revoke.ts";

/** `session.logout` and `session.destroy`. */
export async function logout(engine: Engine, state: SessionState): Promise<void> {
  await endStored(engine, state);
  state.reset();
  state.data.load(EMPTY_DATA);
  state.exchange.discardToken();
  state.exchange.clearSiteData = engine.settings.clearSiteData;
}

/** `session.regenerate`: a new session object; the old one stays readable and is never written. */
export async function regenerate(engine: Engine, state: SessionState): Promise<void> {
  await endStored(engine, state);
  state.end(null);
  state.exchange.discardToken();
  openSession(engine, state.exchange, state.verbs, EMPTY_DATA);
}

async function endStored(engine: Engine, state: SessionState): Promise<void> {
  const { record } = state;
  if ((state.phase !== "alive" && state.phase !== "locked") || !record) return;
  const ending = endingNow(engine, "logout");
  // By handle: a rotation in another request may have taken the key that this one came with.
  const tombstone = await engine.store.call("end", (store) =>
    store.end({ kind: record.kind, handle: record.handle }, ending),
  );
  if (tombstone)
    engine.events.emit("logout", {
      client: state.exchange.sender,
      handle: tombstone.handle,
      principal: principalOf(tombstone),
      ending,
    });
}

/** `session.revokeOthers`; resolves to how many. @throws SOJOURN_NOT_LOGGED_IN, SOJOURN_SESSION_ENDED */
export async function revokeOthers(
  engine: Engine,
  state: SessionState,
  reason: string | undefined,
): Promise<number> {
  const record = requireLoggedIn(state, "revokeOthers");
  const { sender: client } = state.exchange;
  const count = await revokeOwner(engine, record.owner, { reason, except: record.handle, client });
  if (count !== null) return count;
  await readAlive(engine, state, record);
  throw sessionEnded(state.ending);
}
