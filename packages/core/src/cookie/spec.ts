/** The cookie's name and attributes: decided once, checked against the rules that browsers enforce. */

/** Attributes of a `Set-Cookie` header. */
export interface CookieAttributes {
  readonly path: string;
  readonly domain?: string;
  readonly httpOnly: boolean;
  readonly secure: boolean;
  readonly sameSite: "lax" | "strict" | "none";
  readonly partitioned?: boolean;
  readonly priority?: "low" | "medium" | "high";
  /** Seconds; absent: the cookie ends with the browser session (NIST 800-63B-4 5.1). */
  readonly maxAge?: number;
}

/** Options of the cookie; see {@link cookieSpecs} for the rules. */
export interface CookieOptions {
  /** Default `__Host-sid` where secure, `sid` where not. */
  readonly name?: string | undefined;
  /** Default `'/'`. */
  readonly path?: string | undefined;
  /** Default none: this host only (RFC 6265 5.3). */
  readonly domain?: string | undefined;
  /** `'auto'`: as the request. Default true in production, `'auto'` elsewhere. */
  readonly secure?: boolean | "auto" | undefined;
  /** Default `'lax'`. */
  readonly sameSite?: "lax" | "strict" | "none" | undefined;
  /** Default true. `false` lets scripts read the token (against ASVS 3.3.4). */
  readonly httpOnly?: boolean | undefined;
  /** True: the browser keeps the cookie until the session expires. Default false. */
  readonly persistent?: boolean | undefined;
  /** CHIPS: one cookie jar for each top-level site. Default false. */
  readonly partitioned?: boolean | undefined;
  readonly priority?: "low" | "medium" | "high" | undefined;
}

/** One concrete cookie. */
export interface CookieSpec {
  readonly name: string;
  readonly attributes: CookieAttributes;
}

/** The cookie for requests over https and the one for plain http (null: not set there). */
export interface CookieSpecs {
  readonly secure: CookieSpec;
  readonly plain: CookieSpec | null;
  readonly persistent: boolean;
}

/** RFC 9110 5.6.2 `token`, the cookie-name of RFC 6265 4.1.1. */
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}$/;
/** RFC 6265 4.1.1 path-value: no control characters, no semicolon; we want it absolute. */
const PATH = /^\/[\x20-\x3A\x3C-\x7E]*$/;
/** RFC 1034 3.5 host names with at least two labels, or localhost. */
const DOMAIN = /^(?:localhost|(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63})$/i;

/** What is wrong with the combination; empty if it can work. Each entry: option path, sentence. */
export function cookieProblems(options: CookieOptions): [path: string, problem: string][] {
  const problems: [string, string][] = [];
  const { name, path = "/", domain, secure, sameSite } = options;
  const prefix = /^__(host-http|host|secure|http)-/i.exec(name ?? "")?.[1]?.toLowerCase();
  if (name !== undefined && !NAME.test(name)) {
    problems.push([
      "name",
      "must be 1 to 64 characters of RFC 6265 cookie-name (no space, ; = or comma)",
    ]);
  }
  if (!PATH.test(path))
    problems.push(["path", "must begin with / and hold no ; or control character"]);
  if (domain !== undefined && !DOMAIN.test(domain)) {
    problems.push(["domain", "must be a host name such as example.com, without a leading dot"]);
  }
  if (sameSite === "none" && secure === false) {
    problems.push(["sameSite", "'none' needs secure: browsers drop the cookie otherwise"]);
  }
  if (options.partitioned && secure === false) {
    problems.push(["partitioned", "needs secure: browsers drop the cookie otherwise"]);
  }
  if (prefix !== undefined && secure === false) {
    problems.push(["name", `prefix __${prefix}- needs secure: browsers drop the cookie otherwise`]);
  }
  if (prefix?.startsWith("host") && (path !== "/" || domain !== undefined)) {
    problems.push([
      "name",
      "prefix __Host- needs path '/' and no domain: browsers drop the cookie otherwise",
    ]);
  }
  if (prefix?.endsWith("http") && options.httpOnly === false) {
    problems.push(["name", "prefix __Http- needs httpOnly: browsers drop the cookie otherwise"]);
  }
  return problems;
}

/**
 * The cookies to use. Where the name is ours to choose: `__Host-sid` for a secure cookie, and
 * `__Secure-sid` where path or domain forbid `__Host-` (ASVS 3.3.1, 3.3.3); `sid` for plain http.
 */
export function cookieSpecs(options: CookieOptions, secureDefault: boolean | "auto"): CookieSpecs {
  const secure = options.secure ?? secureDefault;
  const isHostOnly = (options.path ?? "/") === "/" && options.domain === undefined;
  const needsSecure =
    options.sameSite === "none" ||
    options.partitioned === true ||
    (options.name ?? "").startsWith("__");
  const spec = (isSecure: boolean, name: string): CookieSpec => ({
    name: options.name ?? name,
    attributes: attributes(options, isSecure),
  });
  return {
    secure:
      secure === false
        ? spec(false, "sid")
        : spec(true, isHostOnly ? "__Host-sid" : "__Secure-sid"),
    plain: secure === true || (secure === "auto" && needsSecure) ? null : spec(false, "sid"),
    persistent: options.persistent ?? false,
  };
}

function attributes(options: CookieOptions, secure: boolean): CookieAttributes {
  return {
    path: options.path ?? "/",
    ...(options.domain === undefined ? {} : { domain: options.domain }),
    httpOnly: options.httpOnly ?? true,
    secure,
    sameSite: options.sameSite ?? "lax",
    ...(options.partitioned ? { partitioned: true } : {}),
    ...(options.priority === undefined ? {} : { priority: options.priority }),
  };
}

/** The cookie for a request. Where there is no plain one, the secure one is read all the same. */
export function specFor({ secure, plain }: CookieSpecs, isSecure: boolean): CookieSpec {
  return isSecure ? secure : (plain ?? secure);
}

/** Longest life that browsers grant a cookie: 400 days (RFC 6265bis 5.5). */
export const LONGEST_SECONDS: number = 400 * 86_400;

/** `Max-Age` for a cookie that is to last until `expiresAt`, in whole seconds. */
export function deadlineSeconds(expiresAt: number, now: number): number {
  return Math.min(LONGEST_SECONDS, Math.max(1, Math.ceil((expiresAt - now) / 1000)));
}
