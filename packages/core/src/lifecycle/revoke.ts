/** Ends the sessions of a principal from outside; the one way for a session and for the manager. */
import type { ClientFacts } from "../request/facts.ts";
import type { Handle, OwnerKey } from "../store/contract.ts";
import { endingNow, type Engine, principalOf } from "./engine.ts";

/** What is revoked beside the owner. */
interface Revocation {
  readonly reason: string | undefined;
  /** The session to spare. */
  readonly except: Handle | null;
  /** Who asked for it, where it was a request. */
  readonly client?: ClientFacts;
}

/** Revokes all sessions of an owner but `except`; resolves to how many. */
export async function revokeOwner(
  engine: Engine,
  owner: OwnerKey,
  { reason, except, client }: Revocation,
): Promise<number> {
  const ending = endingNow(engine, "revoked", { reason });
  const count = await engine.store.call("endOwner", (store) =>
    store.endOwner(engine.settings.kind, owner, ending, except ?? undefined),
  );
  const principal = principalOf({ owner });
  engine.events.emit("revoked", {
    handle: null,
    principal,
    except,
    count,
    ending,
    ...(client ? { client } : {}),
  });
  return count;
}
