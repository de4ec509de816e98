/** NIST SP 800-63B-4 (final), sections 2 and 5, as far as it is about sessions. */
import { rowsOf } from "./security-row.ts";
import type { SecurityRow } from "./security-row.ts";

export const nist: readonly SecurityRow[] = rowsOf([
  [
    "NIST 2.1.3",
    "SHALL",
    "AAL1: an overall timeout, at most 30 days; inactivity optional",
    { met: "`preset: 'aal1'`" },
  ],
  [
    "NIST 2.2.3",
    "SHALL",
    "AAL2: an overall timeout of at most 24 h, inactivity of at most 1 h; after inactivity one factor may do",
    { met: "`preset: 'aal2'`; `onIdle: 'lock'` keeps the session, unreadable, until then" },
  ],
  [
    "NIST 2.3.3",
    "SHALL",
    "AAL3: an overall timeout of at most 12 h, inactivity of at most 15 min",
    { met: "`preset: 'aal3'`" },
  ],
  [
    "NIST 5.1-secret",
    "SHALL",
    "The secret is issued by the host at authentication, and may be refreshed",
    { met: "the token; `login()` and `rotate()` mint it" },
  ],
  [
    "NIST 5.1-persistence",
    "SHOULD NOT",
    "Bearer secrets outlive the browser",
    { met: "a cookie of the browser's session by default; `persistent` is a choice" },
  ],
  [
    "NIST 5.1-remember",
    "SHALL NOT",
    "Cookies that remember a browser replace authentication",
    {
      met: "there is no such cookie: a persistent one is the session itself, with its timeouts",
    },
  ],
  [
    "NIST 5.1-level",
    "SHALL NOT",
    "A session counts as higher than its authentication",
    { met: "`level` rises by `elevate()` and a new login only" },
  ],
  [
    "NIST 5.1-established",
    "SHALL",
    "(1) It begins with or right after authentication",
    { met: "`login()` makes a new token for it" },
  ],
  [
    "NIST 5.1-entropy",
    "SHALL",
    "(2) At least 64 bits from an approved generator",
    { met: "256 bits of `node:crypto`" },
  ],
  [
    "NIST 5.1-erased",
    "SHALL",
    "(3) It is erased or made void at logout",
    { met: "record ended, cookie cleared" },
  ],
  [
    "NIST 5.1-channel",
    "SHALL",
    "(4) It is sent over an authenticated, protected channel only",
    { met: "Secure; nothing is sent over http where it should be https" },
  ],
  ["NIST 5.1-timeout", "SHALL", "(5) It times out", { met: "idle and absolute timeout" }],
  [
    "NIST 5.1-intermediaries",
    "SHALL",
    "(6) Intermediaries between host and subscriber cannot have it",
    { met: "as (4); `no-store` on every answer with a cookie" },
  ],
  [
    "NIST 5.1-storage",
    "SHOULD NOT",
    "The secret is in local storage; SHALL NOT fall back to http",
    { met: "cookie only; the names for https and http differ" },
  ],
  [
    "NIST 5.1-csrf",
    "SHALL",
    "POST and PUT carry a session identifier that is verified",
    { met: "`csrfToken()`, and `csrfGuard` with `protection: 'token'` or `'both'`" },
  ],
  [
    "NIST 5.1-logout",
    "SHOULD",
    "Logging out is easy to reach",
    { met: "`session.logout()`; the button is the application's" },
  ],
  ["NIST 5.1.1-secure", "SHALL", "Cookies are Secure", { met: "default" }],
  [
    "NIST 5.1.1-scope",
    "SHALL",
    "Cookies have the smallest set of hosts and paths",
    { met: "no Domain, Path=/ as `__Host-` asks for" },
  ],
  ["NIST 5.1.1-httponly", "SHOULD", "Cookies are HttpOnly", { met: "default" }],
  [
    "NIST 5.1.1-expiry",
    "SHOULD",
    "Cookies expire with the session; SHALL NOT be relied on",
    { met: "Max-Age of the deadline where persistent; the server judges by the record" },
  ],
  ["NIST 5.1.1-prefix", "SHOULD", "`__Host-` and Path=/", { met: "default" }],
  ["NIST 5.1.1-samesite", "SHOULD", "SameSite Lax or Strict", { met: "Lax" }],
  [
    "NIST 5.1.1-opaque",
    "SHALL NOT",
    "Cookies hold personal information in the clear",
    { met: "random bytes and their signature" },
  ],
  [
    "NIST 5.1.2",
    "SHALL NOT",
    "An access token is taken for the presence of the user",
    { notHere: "access tokens are not built" },
  ],
  ["NIST 5.2-timeouts", "SHALL", "Either timeout ends the session", { met: "both, to the ms" }],
  [
    "NIST 5.2-activity",
    "SHALL",
    "Activity begins the inactivity timeout anew",
    { met: "touch, written when a tenth of the idle time has passed, at most 60 s" },
  ],
  [
    "NIST 5.2-reauth",
    "SHALL",
    "Re-authentication begins both timeouts anew",
    { met: "`reauthenticate()`" },
  ],
  [
    "NIST 5.2-warn",
    "MAY",
    "Users are warned before the timeout",
    { met: "`session.expiresAt` and `absoluteExpiresAt` say when; the warning is the page's" },
  ],
  ["NIST 5.2-documented", "SHALL", "The limits are documented", { met: "`describePolicy()`" }],
  [
    "NIST 5.2-federation",
    "SHALL",
    "In a federation the relying party decides about re-authentication",
    { notHere: "federation (OIDC) is not built" },
  ],
  [
    "NIST 5.3",
    "MAY",
    "Sessions are monitored; on suspicion re-authenticate, end or notify",
    { met: "`binding: 'report' | 'step-up' | 'revoke'`; events and audit records" },
  ],
]);
