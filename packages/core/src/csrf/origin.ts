/**
 * The origin gate: whether a browser says that a request comes from our own pages. Fetch Metadata where
 * the browser sends it, else Origin against Host (OWASP CSRF Prevention Cheat Sheet; ASVS 3.5.1, 3.5.3).
 */

/** What the gate looks at. Header values as they came; `host` after the framework's trust-proxy rules. */
export interface OriginFacts {
  readonly method: string;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly secFetchSite: string | undefined;
}

/** What the gate lets through beside our own origin. */
export interface OriginPolicy {
  /** Other origins, exactly as browsers write them: `https://app.example.com`. */
  readonly trustedOrigins: ReadonlySet<string>;
  /** Whether pages of sibling hosts (`same-site`) may send. */
  readonly trustSameSite: boolean;
  /** Whether a request without any such header is refused; browsers send them, other programs do not. */
  readonly strict: boolean;
}

/** Why the gate refused. */
export type OriginRejection = "cross-site" | "same-site" | "cross-origin" | "no-origin";

/** RFC 9110 9.2.1; QUERY: draft-ietf-httpbis-safe-method-w-body. */
const SAFE: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "QUERY"]);

/** True for a method that changes nothing, and so needs no protection. */
export function isSafe(method: string): boolean {
  return SAFE.has(method.toUpperCase());
}

/** Null: the request may pass. */
export function judgeOrigin(facts: OriginFacts, policy: OriginPolicy): OriginRejection | null {
  const { origin, secFetchSite } = facts;
  if (origin !== undefined && policy.trustedOrigins.has(origin)) return null;
  if (secFetchSite !== undefined) return judgeSite(secFetchSite, policy);
  if (origin === undefined) return policy.strict ? "no-origin" : null;
  return hostOf(origin) === facts.host?.toLowerCase() ? null : "cross-origin";
}

function judgeSite(site: string, { trustSameSite }: OriginPolicy): OriginRejection | null {
  if (site === "same-origin" || site === "none") return null;
  if (site !== "same-site") return "cross-site";
  return trustSameSite ? null : "same-site";
}

/** The host and port of an origin; null for `null` and for anything else that is no origin. */
function hostOf(origin: string): string | null {
  return /^https?:\/\/([^/?#@\\]+)$/i.exec(origin)?.[1]?.toLowerCase() ?? null;
}
