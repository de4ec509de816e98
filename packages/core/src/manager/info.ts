/** A record as the manager shows it. */
import { principalOf } from "../policy/principal.ts";
import { type Engine } from "../lifecycle/engine.ts";
import { EMPTY_DATA, parseValues } from "../session/data.ts";
import { ANONYMOUS } from "../session/payload.ts";
import type { StoredRecord } from "../store/contract.ts";
import type { SessionInfo } from "./types.ts";

/**
 * Nothing in the result is a credential: the handle is public, the key is left out. A session whose
 * payload no key opens is shown without its data, so that lists are complete.
 */
export function sessionInfo(engine: Engine, record: StoredRecord): SessionInfo {
  const decoded = engine.codec.tryDecode(record);
  const { facts, dataText } = decoded ?? { facts: ANONYMOUS, dataText: EMPTY_DATA };
  const { handle, createdAt, seenAt, expiresAt, absoluteExpiresAt } = record;
  return {
    handle,
    principal: principalOf(record),
    createdAt,
    authenticatedAt: facts.authenticatedAt,
    seenAt,
    expiresAt,
    absoluteExpiresAt,
    level: facts.level,
    client: { ip: facts.ip, userAgent: facts.userAgent },
    data: parseValues(dataText),
    readable: decoded !== null,
  };
}
