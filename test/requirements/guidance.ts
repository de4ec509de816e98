/** What the OWASP cheat sheets and the cookie specifications add to the standards. */
import { rowsOf } from "./security-row.ts";
import type { SecurityRow } from "./security-row.ts";

/** OWASP Session Management Cheat Sheet: what the ASVS does not say already. */
export const cheatSheet: readonly SecurityRow[] = rowsOf([
  ["OWASP-name", "", "A generic cookie name", { met: "`__Host-sid`" }],
  [
    "OWASP-meaningless",
    "",
    "The id means nothing",
    {
      met: "random; its first 3 characters are a 14-bit hash of the principal that places it in a cluster",
    },
  ],
  [
    "OWASP-strict",
    "",
    "An id that we did not issue is never adopted, and is told of",
    { met: "unsigned: no session, event `cookie-rejected`; signed but unknown: cleared" },
  ],
  [
    "OWASP-transport",
    "",
    "Ids are taken from cookies only, not from URL, body or headers",
    { met: "there is no other way in" },
  ],
  [
    "OWASP-untrusted",
    "",
    "The id is untrusted input: checked before any use",
    { met: "exact form and signature before the store; no command for anything else" },
  ],
  [
    "OWASP-renewal",
    "",
    "A new id at any change of privileges",
    { met: "login, step-up, re-authentication; option `privileges` watches roles" },
  ],
  [
    "OWASP-binding",
    "",
    "Where several cookies make one session their binding is verified",
    { met: "the device cookie is signed and bound to the session" },
  ],
  [
    "OWASP-names",
    "",
    "No two cookies of one name on several paths or domains",
    { met: "refused where one application has both; two valid ones in a request are refused" },
  ],
  [
    "OWASP-timeouts",
    "",
    "Idle, absolute and renewal timeout, the overlap short and noticed",
    {
      met: "`rotate()` with a grace time of 10 s; renewal on a timer is the application's to call",
    },
  ],
  ["OWASP-logs", "", "Logs hold no id in the clear", { met: "handles, never tokens" }],
  [
    "OWASP-events",
    "",
    "The life of a session is logged: creation, renewal, end, timeouts, misuse",
    { met: "events, log and `audit`" },
  ],
  [
    "OWASP-guessing",
    "",
    "Guessing is noticed per address",
    {
      met: "every failure carries the address; docs/guides/audit.md shows a limiter that counts them",
    },
  ],
  [
    "OWASP-client",
    "",
    "User agent and address are signals, not proofs",
    { met: "`checkClient()`, `binding`; by network and browser family" },
  ],
  [
    "OWASP-logons",
    "",
    "Parallel logins: decide, list, alert, end from afar",
    { met: "`max`, `list()`, events `evicted` and `denied`, `revoke()`" },
  ],
  [
    "OWASP-nostore",
    "",
    "`Cache-Control: no-store` with Set-Cookie",
    { met: "always, whatever the application set that caches may share" },
  ],
  ["OWASP-clear", "", "`Clear-Site-Data` at logout", { met: "option `clearSiteData`" }],
  [
    "OWASP-durations",
    "",
    "Idle 2 to 5 min for high value, 15 to 30 min for low; absolute 4 to 8 h for office work",
    { notHere: "the application's choice; the defaults are 30 min and 24 h" },
  ],
  ["OWASP-nonpersistent", "", "Cookies do not outlive the browser", { met: "default" }],
]);

/** OWASP CSRF Prevention Cheat Sheet, Fetch Metadata, and what Go's net/http decided. */
export const csrf: readonly SecurityRow[] = rowsOf([
  [
    "CSRF-methods",
    "",
    "Safe methods pass, everything else is judged",
    { met: "GET, HEAD, OPTIONS, TRACE and QUERY are safe" },
  ],
  [
    "CSRF-crosssite",
    "",
    "Sec-Fetch-Site: `cross-site` is refused, `same-origin` and `none` pass",
    { met: "`csrfGuard`; an unknown word is refused too" },
  ],
  [
    "CSRF-samesite",
    "",
    "`same-site` passes only where siblings are trusted",
    { met: "`trustSameSite`" },
  ],
  [
    "CSRF-fallback",
    "",
    "Without Sec-Fetch-Site the Origin is compared with the host",
    { met: "host and port; the scheme is not compared, as TLS may end at a proxy" },
  ],
  [
    "CSRF-absent",
    "",
    "Where both are absent it is no browser; sensitive places refuse",
    { met: "let in; refused with `strict`" },
  ],
  [
    "CSRF-vary",
    "",
    "Answers that depend on these headers say so to caches",
    { met: "`Vary: Sec-Fetch-Site, Origin` on the refusal" },
  ],
  ["CSRF-report", "", "A mode that only tells", { met: "`reportOnly`" }],
  [
    "CSRF-token",
    "",
    "Tokens are an HMAC bound to the session, compared in constant time",
    { met: "`csrfToken()`; void with every new token of the session" },
  ],
  [
    "CSRF-exempt",
    "",
    "Exemptions are exact, no patterns (CVE-2025-47910)",
    {
      met: "Fastify: the route says it; Express: a function; origins without wildcard",
    },
  ],
  [
    "CSRF-proxies",
    "",
    "Behind proxies the host is what the browser asked for",
    { met: "the framework's trust-proxy rules decide" },
  ],
]);

/** RFC 6265bis and its successor; RFC 9700; RFC 8628. */
export const cookies: readonly SecurityRow[] = rowsOf([
  ["COOKIE-size", "", "Name and value together at most 4096 bytes", { met: "160 at most" }],
  ["COOKIE-lifetime", "", "At most 400 days", { met: "Max-Age is cut to it" }],
  ["COOKIE-nameless", "", "No cookie without a name", { met: "refused at construction" }],
  [
    "COOKIE-case",
    "",
    "Names are compared by their exact case, as browsers match prefixes in any",
    { met: "byte for byte" },
  ],
  ["COOKIE-samesite", "", "SameSite is always written out", { met: "it is" }],
  ["COOKIE-http", "", "`__Http-` and `__Host-Http-`", { met: "possible names, checked" }],
  [
    "COOKIE-partitioned",
    "",
    "Partitioned (CHIPS) needs Secure",
    { met: "option `partitioned`, refused without" },
  ],
  [
    "COOKIE-dbsc",
    "",
    "Device-bound session credentials",
    { notHere: "not built: a stolen cookie is good while its session lives" },
  ],
  [
    "COOKIE-replay",
    "",
    "RFC 9700 4.14: the replay of a rotated token is noticed",
    { met: "event `token-reused`" },
  ],
  [
    "COOKIE-device-grant",
    "",
    "RFC 8628: device authorization",
    { notHere: "the device grant is not built" },
  ],
]);
