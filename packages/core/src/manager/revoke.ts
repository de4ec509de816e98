/** Revoking: one session, all of a principal, all but one, everyone's. */
import { SojournError } from "../errors.ts";
import { endingNow, type Engine } from "../lifecycle/engine.ts";
import { revokeOwner } from "../lifecycle/revoke.ts";
import { principalName, principalOf } from "../policy/principal.ts";
import type { Handle } from "../store/contract.ts";
import { ownerKey } from "../token/tag.ts";
import { parseHandle } from "../token/token.ts";
import type { Sessions } from "./types.ts";

/** Ending everyone's sessions may take so many times the deadline of other calls: on a cluster it is many writes. */
const PATIENCE = 5;

type Revoking = Pick<Sessions, "revoke" | "revokeAll" | "revokeOthers" | "revokeEveryone">;

/** The revoking part of {@link Sessions}. Each rejects when the store could not do it. */
export function revokeMethods(engine: Engine): Revoking {
  const { kind, namespace } = engine.settings;
  const revokeSessions = async (
    principal: string | number,
    reason: string | undefined,
    except: Handle | null,
  ): Promise<number> => {
    const owner = ownerKey(namespace, principalName(principal));
    const others = except && (await revokeOwner(engine, owner, { reason, except }));
    return others ?? (await revokeOwner(engine, owner, { reason, except: null })) ?? 0;
  };
  return {
    async revoke(text, reason) {
      const handle = parseHandle(text);
      if (handle === null) return false;
      const ending = endingNow(engine, "revoked", { reason });
      const tombstone = await engine.store.call("end", (store) =>
        store.end({ kind, handle }, ending),
      );
      if (!tombstone) return false;
      engine.events.emit("revoked", {
        handle,
        principal: principalOf(tombstone),
        except: null,
        count: 1,
        ending,
      });
      return true;
    },
    revokeAll: async (principal, reason) => revokeSessions(principal, reason, null),
    async revokeOthers(principal, except, reason) {
      const handle = parseHandle(except);
      if (handle !== null) return revokeSessions(principal, reason, handle);
      throw new SojournError(
        "SOJOURN_OPTIONS_INVALID",
        "revokeOthers() needs the handle of the session to spare; revokeAll() spares none",
      );
    },
    async revokeEveryone(reason) {
      const ending = endingNow(engine, "revoked", { reason });
      const withinMs = engine.store.deadlineMs * PATIENCE;
      await engine.store.call("endAll", (store) => store.endAll(kind, ending), { withinMs });
      engine.events.emit("revoked", {
        handle: null,
        principal: null,
        except: null,
        count: null,
        ending,
      });
    },
  };
}
