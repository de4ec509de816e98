/** Decides which cookie a response carries, and what caches are told. */
import { deadlineSeconds, type CookieSpec } from "../cookie/spec.ts";
import type { UnixMs } from "../clock.ts";
import type { Exchange } from "../session/state.ts";
import { sealToken } from "../token/cookie-value.ts";
import type { KeyRing } from "../token/key-ring.ts";
import type { PlannedCookie, ResponsePlan } from "./plan.ts";

/** The cookie that the exchange calls for, or null. Asking again gives null. */
export function decideCookie(
  exchange: Exchange,
  spec: CookieSpec,
  { keys, persistent, now }: { keys: KeyRing; persistent: boolean; now: UnixMs },
): PlannedCookie | null {
  const token = exchange.takeToken();
  const { name } = spec;
  if (token !== null) {
    const { record } = exchange.state;
    const maxAge = persistent && record ? { maxAge: deadlineSeconds(record.expiresAt, now) } : {};
    return {
      name,
      value: sealToken(keys, name, token),
      attributes: { ...spec.attributes, ...maxAge },
    };
  }
  if (!exchange.clearCookie) return null;
  exchange.clearCookie = false;
  return { name, value: "", attributes: { ...spec.attributes, maxAge: 0 } };
}

/** The plan for a response with that cookie. */
export function planResponse(exchange: Exchange, cookie: PlannedCookie | null): ResponsePlan {
  if (cookie) return { cookie, privacy: "secret" };
  return { cookie, privacy: exchange.accessed ? "varies" : "none" };
}
