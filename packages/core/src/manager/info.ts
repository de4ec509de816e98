/** A record as the manager shows it. */
import { principalOf } from "../lifecycle/engine.ts";
import { parseValues } from "../session/data.ts";
import { decodePayload } from "../session/payload.ts";
import type { StoredRecord } from "../store/contract.ts";
import type { SessionInfo } from "./types.ts";

/** Nothing in the result is a credential: the handle is public, the key is left out. */
export function sessionInfo(record: StoredRecord): SessionInfo {
  const { facts, dataText } = decodePayload(record);
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
  };
}
