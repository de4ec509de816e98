/** Whether somebody proved who they are recently enough, and strongly enough, for what they are about to do. */
import type { UnixMs } from "../clock.ts";
import { SojournError } from "../errors.ts";
import { type Duration, parseDuration } from "../options/duration.ts";

/** What is asked for. */
export interface Freshness {
  /** Longest time since the last login, elevation or re-authentication. */
  readonly within?: Duration;
  /** Lowest level. */
  readonly level?: number;
}

/** What is known of the session. */
export interface Proof {
  readonly authenticatedAt: UnixMs | null;
  readonly level: number;
}

/** Why a proof does not do: too old, or not strong enough. Null: it does. @throws SOJOURN_OPTIONS_INVALID */
export function staleness(
  { authenticatedAt, level }: Proof,
  { within, level: least = 1 }: Freshness,
  now: UnixMs,
): "stale" | "level" | null {
  if (level < least) return "level";
  if (within === undefined) return null;
  const ms = parseDuration(within);
  if (typeof ms !== "number")
    throw new SojournError("SOJOURN_OPTIONS_INVALID", `requireFresh(): within ${ms.problem}`);
  return authenticatedAt !== null && now - authenticatedAt < ms ? null : "stale";
}

/** The error that asks for another proof; `details.reason` is for the program that shows the form. */
export function reauthenticationRequired(
  reason: "stale" | "level",
  { within, level }: Freshness,
): SojournError {
  const what =
    reason === "stale"
      ? `this needs a login within ${String(within)}: ask for the password again, then call session.reauthenticate()`
      : `this needs level ${level}: ask for a further factor, then call session.elevate()`;
  return new SojournError("SOJOURN_REAUTHENTICATION_REQUIRED", what, {
    details: { reason, within: within ?? null, level: level ?? null },
  });
}
