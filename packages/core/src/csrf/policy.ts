/** What a CSRF guard asks for, and whether a request has it. */
import { z } from "zod";
import { SojournError } from "../errors.ts";
import { fieldsOf } from "../shape.ts";
import { isSafe, judgeOrigin, type OriginFacts, type OriginRejection } from "./origin.ts";

/** Options of `csrfGuard`. */
export interface CsrfOptions {
  /**
   * `'origin'`, the default: the browser must say that the request comes from our own pages. `'token'`: it
   * must carry a token of this session (`session.csrfToken()`). `'both'`.
   */
  readonly protection?: "origin" | "token" | "both" | undefined;
  /** Other origins that may send, such as `https://app.example.com`. Default none. */
  readonly trustedOrigins?: readonly string[] | undefined;
  /** Whether pages of sibling hosts may send. Default false. */
  readonly trustSameSite?: boolean | undefined;
  /** Whether requests that say nothing of their origin are refused; then only browsers get in. Default false. */
  readonly strict?: boolean | undefined;
  /** Media types that a request with a body may have; others are refused (ASVS 3.5.2). Default all. */
  readonly contentTypes?: readonly string[] | undefined;
  /** True: nothing is refused, only told of (event `csrf-rejected`): to see what would be. Default false. */
  readonly reportOnly?: boolean | undefined;
}

/** Options, checked and complete. */
export interface CsrfPolicy {
  readonly wantsOrigin: boolean;
  readonly wantsToken: boolean;
  readonly trustedOrigins: ReadonlySet<string>;
  readonly trustSameSite: boolean;
  readonly strict: boolean;
  readonly contentTypes: ReadonlySet<string> | null;
  readonly reportOnly: boolean;
}

/** One request as a guard sees it. */
export interface CsrfFacts extends OriginFacts {
  readonly contentType: string | undefined;
  /** What it presents as token, from a header or a form field. */
  readonly token: unknown;
}

/** What adapters have of a request: its headers in lower case, and its body as it was parsed. */
export interface CsrfRequest {
  readonly method: string;
  /** After the framework's trust-proxy rules. */
  readonly host: string | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: unknown;
}

/** Where a guard looks: the token in the header `x-csrf-token`, then in the field `_csrf` of the body. */
export function csrfFacts({ method, host, headers, body }: CsrfRequest): CsrfFacts {
  const text = (name: string): string | undefined => {
    const value = headers[name];
    return typeof value === "string" ? value : undefined;
  };
  return {
    method,
    host,
    origin: text("origin"),
    secFetchSite: text("sec-fetch-site"),
    contentType: text("content-type"),
    token: headers["x-csrf-token"] ?? fieldsOf(body)["_csrf"],
  };
}

/** Why a request was refused. */
export type CsrfRejection = OriginRejection | "content-type" | "token-missing" | "token-invalid";

const optionsSchema = z.strictObject({
  protection: z.enum(["origin", "token", "both"]).default("origin"),
  trustedOrigins: z
    .array(
      z
        .string()
        .regex(
          /^https?:\/\/[^/?#@*\\\s]+$/,
          "must be an origin such as https://app.example.com, without path or wildcard",
        ),
    )
    .default([]),
  trustSameSite: z.boolean().default(false),
  strict: z.boolean().default(false),
  contentTypes: z.array(z.string().includes("/")).min(1).optional(),
  reportOnly: z.boolean().default(false),
});

/** @throws SOJOURN_OPTIONS_INVALID with every problem */
export function csrfPolicy(options: CsrfOptions = {}): CsrfPolicy {
  const parsed = optionsSchema.safeParse(options);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(
      ({ path, message }) => `${path.join(".") || "options"}: ${message}`,
    );
    throw new SojournError("SOJOURN_OPTIONS_INVALID", `csrfGuard(): ${problems.join("; ")}`, {
      details: { problems },
    });
  }
  const { protection, trustedOrigins, contentTypes, ...rest } = parsed.data;
  return {
    ...rest,
    wantsOrigin: protection !== "token",
    wantsToken: protection !== "origin",
    trustedOrigins: new Set(trustedOrigins),
    contentTypes: contentTypes ? new Set(contentTypes.map((type) => type.toLowerCase())) : null,
  };
}

/** Null: the request may pass. `isToken` is asked only where a token is wanted. */
export function judgeCsrf(
  facts: CsrfFacts,
  policy: CsrfPolicy,
  isToken: (token: string) => boolean,
): CsrfRejection | null {
  if (isSafe(facts.method)) return null;
  const byOrigin = policy.wantsOrigin ? judgeOrigin(facts, policy) : null;
  if (byOrigin !== null) return byOrigin;
  if (!isTypeAllowed(facts, policy)) return "content-type";
  if (!policy.wantsToken) return null;
  if (typeof facts.token !== "string" || facts.token === "") return "token-missing";
  return isToken(facts.token) ? null : "token-invalid";
}

function isTypeAllowed({ contentType }: CsrfFacts, { contentTypes }: CsrfPolicy): boolean {
  if (contentTypes === null || contentType === undefined) return true;
  return contentTypes.has((contentType.split(";")[0] ?? "").trim().toLowerCase());
}

/** The error for a refused request; 403. */
export function csrfRejected(reason: CsrfRejection): SojournError {
  return new SojournError("SOJOURN_CSRF_REJECTED", `this request was refused: ${ADVICE[reason]}`, {
    details: { reason },
  });
}

const ADVICE: Record<CsrfRejection, string> = {
  "cross-site":
    "another site sent it (Sec-Fetch-Site: cross-site). If that is wanted, name its origin in trustedOrigins",
  "same-site":
    "a sibling host sent it (Sec-Fetch-Site: same-site). If that is wanted, name its origin in trustedOrigins, or set trustSameSite",
  "cross-origin":
    "its Origin is not this host. Behind a proxy, let the framework trust it, so that the host is right",
  "no-origin": "it says nothing of its origin, and strict is set",
  "content-type": "its content type is not among contentTypes",
  "token-missing":
    "it has no CSRF token: send session.csrfToken() in the header x-csrf-token or the field _csrf",
  "token-invalid":
    "its CSRF token is of another session, or from before the last login: load the page again",
};
