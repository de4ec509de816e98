/** Idle and absolute timeout: when a session dies, and when it is worth writing that it was used. */
import type { UnixMs } from "../clock.ts";
import type { EndingReason, StoredRecord } from "../store/contract.ts";

/** The timeouts of one session in ms; `idle: null` = none. */
export interface Timeouts {
  readonly idle: number | null;
  readonly absolute: number;
  /** The idle timeout locks the session instead of ending it. */
  readonly locks: boolean;
}

/** Longest time between two touches in ms. */
const TOUCH_AT_MOST_EVERY = 60_000;

/** The instant at which a session last used at `seenAt` dies. */
export function deadline(timeouts: Timeouts, seenAt: UnixMs, absoluteExpiresAt: UnixMs): UnixMs {
  if (timeouts.idle === null || timeouts.locks) return absoluteExpiresAt;
  return Math.min(seenAt + timeouts.idle, absoluteExpiresAt);
}

/** How long a session is used before a touch is written: a tenth of idle, at most a minute. */
export function touchInterval(idle: Timeouts["idle"], configured: number | undefined): number {
  if (idle === null) return Number.POSITIVE_INFINITY;
  return configured ?? Math.min(idle / 10, TOUCH_AT_MOST_EVERY);
}

/** Whether a session last used at `seenAt` is locked by now. */
export function isIdle(timeouts: Timeouts, seenAt: UnixMs, now: UnixMs): boolean {
  return timeouts.locks && timeouts.idle !== null && now - seenAt >= timeouts.idle;
}

/** Why the record is dead at `now`, or null while it lives. It is dead at `expiresAt` itself. */
export function expired(
  record: StoredRecord,
  now: UnixMs,
): (EndingReason & ("idle" | "absolute")) | null {
  if (now < record.expiresAt) return null;
  return record.expiresAt >= record.absoluteExpiresAt ? "absolute" : "idle";
}
