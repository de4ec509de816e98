/** Anti-forgery tokens of a session, and the judgement of a request by them. */
import { type CsrfFacts, type CsrfPolicy, type CsrfRejection, judgeCsrf } from "../csrf/policy.ts";
import { isCsrfToken, mintCsrfToken } from "../csrf/token.ts";
import type { SessionState } from "../session/state.ts";
import type { RecordKey } from "../store/contract.ts";
import { randomTag } from "../token/tag.ts";
import { digestToken, mintToken } from "../token/token.ts";
import { type Engine, requireOpen, sessionEnded } from "./engine.ts";

/**
 * `session.csrfToken`. A visitor without a session gets one at the commit: the token that it will have is
 * made now. @throws SOJOURN_SESSION_ENDED
 */
export function csrfToken(engine: Engine, state: SessionState): string {
  requireOpen(state);
  state.exchange.accessed = true;
  if (state.phase === "fresh") {
    state.reserved ??= mintToken(randomTag(), engine.settings.generateSecret);
  }
  const key = keyOf(state);
  if (key === null) throw sessionEnded(state.ending);
  return mintCsrfToken(engine.settings.csrf, key);
}

/** `session.checkCsrf`. */
export function checkCsrf(
  engine: Engine,
  state: SessionState,
  facts: CsrfFacts,
  policy: CsrfPolicy,
): CsrfRejection | null {
  const key = keyOf(state);
  const reason = judgeCsrf(
    facts,
    policy,
    (token) => key !== null && isCsrfToken(engine.settings.csrf, key, token),
  );
  if (reason === null) return null;
  const handle = state.record?.handle ?? null;
  const client = state.exchange.sender;
  engine.events.emit("csrf-rejected", { reason, enforced: !policy.reportOnly, handle, client });
  return policy.reportOnly ? null : reason;
}

function keyOf({ record, reserved }: SessionState): RecordKey | null {
  return record?.key ?? (reserved && digestToken(reserved));
}
