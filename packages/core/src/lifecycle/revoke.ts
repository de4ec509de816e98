/** Ends the sessions of a principal from outside; the one way for a session and for the manager. */
import type { ClientFacts } from "../request/facts.ts";
import type { Exchange } from "../session/state.ts";
import type { Handle, OwnerKey, StoredRecord, Tombstone } from "../store/contract.ts";
import { principalOf } from "../policy/principal.ts";
import { endingNow, type Engine } from "./engine.ts";

/**
 * Ends a session that a request came with, for a reason of ours, and tells of it. Resolves to its tombstone,
 * also where something else had ended it by then.
 */
export async function revokePresent(
  engine: Engine,
  exchange: Exchange,
  { record, reason }: { record: StoredRecord; reason: string },
): Promise<Tombstone> {
  const { kind, handle } = record;
  const ending = endingNow(engine, "revoked", { reason });
  const tombstone = await engine.store.call("end", (store) => store.end({ kind, handle }, ending));
  const [principal, client] = [principalOf(record), exchange.sender];
  engine.events.emit("revoked", { handle, principal, except: null, count: 1, ending, client });
  return tombstone ?? { ...record, ending };
}

/** What is revoked beside the owner. */
interface Revocation {
  readonly reason: string | undefined;
  /** The session to spare. */
  readonly except: Handle | null;
  /** Who asked for it, where it was a request. */
  readonly client?: ClientFacts;
}

/** Revokes all sessions of an owner but `except`; resolves to how many, or null where `except` is over itself. */
export async function revokeOwner(
  engine: Engine,
  owner: OwnerKey,
  { reason, except, client }: Revocation,
): Promise<number | null> {
  const ending = endingNow(engine, "revoked", { reason });
  const count = await engine.store.call("endOwner", (store) =>
    store.endOwner(engine.settings.kind, owner, ending, except ?? undefined),
  );
  if (count === null) return null;
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
