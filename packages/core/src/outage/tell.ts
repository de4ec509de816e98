/** Tells of endings that came to be known while the store was away, or when it was back. */
import type { Events } from "../events.ts";
import { principalOf } from "../policy/principal.ts";
import type { Tombstone } from "../store/contract.ts";

/** Tells of the end of one session; a login tells of the one that it replaced by itself. */
export function tellEnded(events: Events, { handle, owner, ending }: Tombstone): void {
  const principal = principalOf({ owner });
  if (ending.why === "evicted" || ending.why === "logout") {
    events.emit(ending.why, { handle, principal, ending });
  } else if (ending.why === "revoked") {
    events.emit("revoked", { handle, principal, except: null, count: 1, ending });
  }
}
