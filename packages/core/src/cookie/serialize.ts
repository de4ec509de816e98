/** Writes a `Set-Cookie` header value (RFC 6265 4.1.1). */
import type { CookieAttributes } from "./spec.ts";

const SAME_SITE = { lax: "Lax", strict: "Strict", none: "None" } as const;
const PRIORITY = { low: "Low", medium: "Medium", high: "High" } as const;

/** The header value. Name and attributes were checked when the options were read. */
export function serializeCookie(name: string, value: string, attributes: CookieAttributes): string {
  let header = `${name}=${value}`;
  if (attributes.maxAge !== undefined) {
    // Old browsers know Expires only; one that is long past clears in every browser.
    header += `; Max-Age=${attributes.maxAge}`;
    if (attributes.maxAge === 0) header += "; Expires=Thu, 01 Jan 1970 00:00:00 GMT";
  }
  if (attributes.domain !== undefined) header += `; Domain=${attributes.domain}`;
  header += `; Path=${attributes.path}`;
  if (attributes.httpOnly) header += "; HttpOnly";
  if (attributes.secure) header += "; Secure";
  header += `; SameSite=${SAME_SITE[attributes.sameSite]}`;
  if (attributes.partitioned) header += "; Partitioned";
  if (attributes.priority !== undefined) header += `; Priority=${PRIORITY[attributes.priority]}`;
  return header;
}
