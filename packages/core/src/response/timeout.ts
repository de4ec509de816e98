/** The machine-readable answer to a browser whose session timed out. */
import { type Clock, systemClock } from "../clock.ts";
import type { SessionFacts } from "../session/types.ts";

/** Body of a 401; whole seconds. */
export interface TimeoutAnswer {
  readonly code: "SESSION_TIMEOUT";
  /** Which timeout it was. */
  readonly why: "idle" | "absolute";
  /** Since the last use. */
  readonly idleSeconds: number;
  /** The idle timeout that was in force; null where the absolute one ended the session. */
  readonly timeoutSeconds: number | null;
}

/**
 * What to answer, with status 401, to a request whose session has timed out; null to any other. A store that
 * is away is an error of its own (503) before this is asked, so nobody is let in by it.
 *
 * `const timedOut = timeoutAnswer(request.session); if (timedOut) return reply.code(401).send(timedOut);`
 */
export function timeoutAnswer(
  { ending }: Pick<SessionFacts, "ending">,
  clock: Clock = systemClock,
): TimeoutAnswer | null {
  if (ending === null || (ending.why !== "idle" && ending.why !== "absolute")) return null;
  const { why, at, seenAt = at } = ending;
  return {
    code: "SESSION_TIMEOUT",
    why,
    idleSeconds: Math.floor((clock.now() - seenAt) / 1_000),
    timeoutSeconds: why === "idle" ? Math.round((at - seenAt) / 1_000) : null,
  };
}
