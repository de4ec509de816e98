/** What an ended session means for the browser that still presents it. */
import type { UnixMs } from "../clock.ts";
import type { Ending } from "../store/contract.ts";

/**
 * True for a request that this browser sent before it learned of its own login or logout: it may
 * neither touch the cookie (the browser has a newer one by now) nor write anything.
 */
export function isStraggler(ending: Ending, now: UnixMs, graceMs: number): boolean {
  const isOwnDoing = ending.why === "rotated" || ending.why === "logout";
  return isOwnDoing && now - ending.at < graceMs;
}
