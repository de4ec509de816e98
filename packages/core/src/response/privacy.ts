/** Keeps shared caches from handing one person's page or cookie to another (CVE-2023-30861). */
import type { ResponsePlan } from "./plan.ts";

/** The response's own headers so far. */
export interface CacheHeaders {
  readonly vary?: string | undefined;
  readonly cacheControl?: string | undefined;
}

/** Where the application said nothing, as most often. */
const USUAL: Readonly<Record<string, string>> = Object.freeze({
  vary: "Cookie",
  "cache-control": "private",
});

/**
 * Headers to set, by lower-case name. `varies`: `Vary: Cookie`, and `Cache-Control: private` where the
 * application said nothing. `secret`: `Cache-Control: no-store`, unless the application already
 * keeps shared caches out by `private` or `no-store` (ASVS 14.3.2, RFC 9111 7.3).
 */
export function privacyHeaders(
  privacy: ResponsePlan["privacy"],
  current: CacheHeaders,
): Readonly<Record<string, string>> {
  if (privacy === "none") return {};
  const isSilent = current.vary === undefined && current.cacheControl === undefined;
  if (privacy === "varies" && isSilent) return USUAL;
  const headers: Record<string, string> = {};
  const vary = current.vary ?? "";
  if (!/(?:^|,)\s*(?:cookie|\*)\s*(?:,|$)/i.test(vary))
    headers["vary"] = vary === "" ? "Cookie" : `${vary}, Cookie`;
  const control = current.cacheControl;
  if (privacy === "secret") {
    if (control === undefined || !/\b(?:private|no-store)\b/i.test(control))
      headers["cache-control"] = "no-store";
  } else if (control === undefined) headers["cache-control"] = "private";
  return headers;
}
