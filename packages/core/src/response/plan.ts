/** What a response must say about the session: decided by the core, applied by an adapter. */
import type { CookieAttributes } from "../cookie/spec.ts";

/** A cookie to set or (with an empty value and `maxAge: 0`) to clear. */
export interface PlannedCookie {
  readonly name: string;
  readonly value: string;
  readonly attributes: CookieAttributes;
}

/**
 * What to do before the response leaves.
 * `privacy` says what caches must be told: `none`, `varies` (session data was looked at) or
 * `secret` (a cookie is set); {@link privacyHeaders} turns it into headers.
 */
export interface ResponsePlan {
  readonly cookie: PlannedCookie | null;
  /** The device cookie, where the browser is to get one. */
  readonly device: PlannedCookie | null;
  /** The cookies of a record that travels with the browser; most often none. */
  readonly carried: readonly PlannedCookie[];
  /** Value of the header `Clear-Site-Data`, or null. */
  readonly clearSiteData: string | null;
  readonly privacy: "none" | "varies" | "secret";
}
