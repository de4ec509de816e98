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
  making: CookieMaking,
): PlannedCookie {
  const { name, attributes } = making.spec;
  return {
    name,
    value: sealToken(making.signing, name, token),
    attributes: { ...attributes, ...lifeOf(expiresAt, making) },
  };
}

/** The cookie that the exchange calls for, or null. Asking again gives null. */
export function decideCookie(exchange: Exchange, making: CookieMaking): PlannedCookie | null {
  const token = exchange.takeToken();
  if (token !== null) return tokenCookie(token, exchange.state.record?.expiresAt, making);
  if (!exchange.clearCookie) return null;
  exchange.clearCookie = false;
  return clearedCookie(making.spec.name, making);
}

/** What makes a browser drop a cookie of ours. */
export function clearedCookie(name: string, { spec }: CookieMaking): PlannedCookie {
  return { name, value: "", attributes: { ...spec.attributes, maxAge: 0 } };
}

/** `Max-Age` for what is to last until `expiresAt`; nothing where cookies end with the browser session. */
export function lifeOf(
  expiresAt: UnixMs | undefined,
  { persistent, now }: CookieMaking,
): { maxAge?: number } {
  if (!persistent || expiresAt === undefined) return {};
  return { maxAge: deadlineSeconds(expiresAt, now) };
}

const NO_COOKIES = { cookie: null, device: null, carried: [], clearSiteData: null } as const;
/** The plan of a response whose session nobody looked at. */
export const UNSEEN_PLAN: ResponsePlan = { ...NO_COOKIES, privacy: "none" };
const SEEN_PLAN: ResponsePlan = { ...NO_COOKIES, privacy: "varies" };

/** The plan for a response with these cookies. */
export function planResponse(
  exchange: Exchange,
  { cookie, device, carried }: Pick<ResponsePlan, "cookie" | "device" | "carried">,
): ResponsePlan {
  const isSecret = cookie !== null || device !== null || carried.length > 0;
  const clearSiteData = exchange.takeClearSiteData();
  const privacy = isSecret ? "secret" : exchange.accessed ? "varies" : "none";
  return { cookie, device, carried, clearSiteData, privacy };
}

/** The plan for a response that sets no cookie and clears nothing; null where this one may. */
export function plainPlan(exchange: Exchange): ResponsePlan | null {
  if (exchange.hasNews) return null;
  return exchange.accessed ? SEEN_PLAN : UNSEEN_PLAN;
}
