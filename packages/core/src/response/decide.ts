/** Decides which cookie a response carries, and what caches are told. */
import { deadlineSeconds, specFor, type CookieSpec } from "../cookie/spec.ts";
import type { UnixMs } from "../clock.ts";
import type { Settings } from "../options/settings.ts";
import type { Exchange } from "../session/state.ts";
import { sealToken } from "../token/cookie-value.ts";
import type { Signing } from "../keys/signing.ts";
import type { Token } from "../token/token.ts";
import type { PlannedCookie, ResponsePlan } from "./plan.ts";

/** What a cookie is made with. */
export interface CookieMaking {
  readonly spec: CookieSpec;
  readonly signing: Signing;
  /** Whether the browser is to keep it until the session expires. */
  readonly persistent: boolean;
  readonly now: UnixMs;
}

/** How these settings make the cookie of a request. */
export function cookieMaking(settings: Settings, isSecure: boolean): CookieMaking {
  const { signing, cookies, clock } = settings;
  const spec = specFor(cookies, isSecure);
  return { spec, signing, persistent: cookies.persistent, now: clock.now() };
}

/** The cookie that hands a token to the browser. `expiresAt`: when its session does, if known. */
export function tokenCookie(
  token: Token,
  expiresAt: UnixMs | undefined,
  { spec, signing, persistent, now }: CookieMaking,
): PlannedCookie {
  const { name } = spec;
  const isKept = persistent && expiresAt !== undefined;
  const maxAge = isKept ? { maxAge: deadlineSeconds(expiresAt, now) } : {};
  return {
    name,
    value: sealToken(signing, name, token),
    attributes: { ...spec.attributes, ...maxAge },
  };
}

/** The cookie that the exchange calls for, or null. Asking again gives null. */
export function decideCookie(exchange: Exchange, making: CookieMaking): PlannedCookie | null {
  const token = exchange.takeToken();
  if (token !== null) return tokenCookie(token, exchange.state.record?.expiresAt, making);
  if (!exchange.clearCookie) return null;
  exchange.clearCookie = false;
  const { name, attributes } = making.spec;
  return { name, value: "", attributes: { ...attributes, maxAge: 0 } };
}

/** The plan for a response with these cookies. */
export function planResponse(
  exchange: Exchange,
  { cookie, device }: Pick<ResponsePlan, "cookie" | "device">,
): ResponsePlan {
  const isSecret = cookie !== null || device !== null;
  const privacy = isSecret ? "secret" : exchange.accessed ? "varies" : "none";
  return { cookie, device, clearSiteData: exchange.takeClearSiteData(), privacy };
}
