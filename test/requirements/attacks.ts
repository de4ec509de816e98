/** Attacks that worked on others, each tried here by its name. */
import { rowsOf } from "./security-row.ts";
import type { SecurityRow } from "./security-row.ts";

export const attacks: readonly SecurityRow[] = rowsOf([
  [
    "T-EXP1",
    "CVE-2024-35220 @fastify/session",
    "A session restored from the store never expires, as its deadline is made anew",
    { met: "every combination of idle, absolute and persistent, by every way of use" },
  ],
  [
    "T-EXP2",
    "CVE-2024-31999 @fastify/secure-session",
    "A deleted cookie goes on working",
    { met: "the session is in the store; the cookie is its key" },
  ],
  [
    "T-EXP3",
    "CVE-2025-46344 nextjs-auth0",
    "A cookie without an expiry of its own is replayed after its Max-Age",
    { met: "the record's deadline counts" },
  ],
  [
    "T-RES1",
    "CVE-2025-46336 rack-session; expressjs/session#632; tj/connect-redis#328",
    "A slow request saves, touches or rotates a session that was ended meanwhile; its late cookie comes after the logout's",
    { met: "no write creates; a late request's cookie is none, or opens nothing" },
  ],
  [
    "T-RES2",
    "CVE-2026-9802 Keycloak",
    "What was revoked works again after a restart",
    {
      met: "endings are as durable as sessions. Putting back an older copy of the store's file by hand is out of scope",
    },
  ],
  [
    "T-FIX1",
    "CVE-2022-25896 passport; CVE-2024-7341 Keycloak; CVE-2023-29019 @fastify/passport",
    "The id of before the login works after it",
    { met: "by every way to log in: `login()`, the data's principal, passport, the manager" },
  ],
  [
    "T-FIX2",
    "CVE-2023-46733 Symfony",
    "The second step of a login of the same user keeps the id",
    { met: "`elevate()` and `reauthenticate()` replace the token" },
  ],
  [
    "T-FIX3",
    "CVE-2022-24895 Symfony; CVE-2023-29020 @fastify/passport",
    "A CSRF token from before the login works after it",
    { met: "it is bound to the token's digest" },
  ],
  [
    "T-FIX4",
    "OWASP cheat sheet",
    "An id that the client chose is adopted",
    { met: "never, and no record is made under it" },
  ],
  [
    "T-PWD",
    "CVE-2021-41268 Symfony",
    "A persistent cookie survives the change of the password",
    { met: "`authVersion` ends it" },
  ],
  [
    "T-CACHE1",
    "CVE-2023-30861 Flask; CVE-2026-35192 Django; CVE-2025-48947 nextjs-auth0",
    "A shared cache keeps an answer with a cookie, as where it slides with nobody looking",
    { met: "`Vary: Cookie` and `Cache-Control: no-store` with every cookie" },
  ],
  [
    "T-CACHE2",
    "CVE-2026-27205 Flask",
    "Looking at the session by `in` or `len` is not told to caches",
    { met: "any look is" },
  ],
  [
    "T-KEY1",
    "CVE-2025-47278 Flask",
    "After a rotation the oldest key signs",
    { met: "the newest; cookies of older ones are signed anew" },
  ],
  [
    "T-KEY2",
    "CVE-2026-39324 rack-session",
    "What cannot be decrypted is read as plain",
    { met: "refused; unsigned, foreign and legacy forms are no session" },
  ],
  [
    "T-KEY3",
    "CVE-2026-40372 ASP.NET Data Protection",
    "Altered bytes pass, as the MAC is computed over others",
    { met: "every byte of cookie and payload; `KeyRing.revoke(kid)` after the fact" },
  ],
  [
    "T-TIME",
    "CVE-2019-16782 rack",
    "The store's look-up by raw ids tells them by its time",
    { met: "keys are digests; nothing that is stored opens a session" },
  ],
  [
    "T-LOG",
    "CVE-2023-20866 Spring Session",
    "Ids are in the log",
    { met: "not in logs, errors, inspections, figures, audit, channels or the store" },
  ],
  [
    "T-LOGOUT",
    "CVE-2023-20862 Spring Security",
    "An emptied session is not saved",
    { met: "it is stored as empty" },
  ],
  [
    "T-2FA",
    "GHSA-xg6x-h9c9-2m83 better-auth",
    "A session that waits for its second factor counts as full",
    { met: "level 1 until `elevate()`; a locked one shows no principal, level or data" },
  ],
  [
    "T-MULTI",
    "better-auth, multi-session sign-out",
    "Sessions are ended by unsigned cookies or other people's ids",
    {
      met: "a cookie that is not good ends nothing; whose handle it is the application checks by `get()` or `list()`",
    },
  ],
  [
    "T-DEV",
    "GHSA-cq3f-vc6p-68fh better-auth",
    "A device code is approved by another's session",
    { notHere: "the device grant is not built" },
  ],
  [
    "T-IP",
    "CVE-2026-45364 better-auth",
    "Limits are evaded with other addresses of one IPv6 network",
    { met: "`networkOf()`: /64 and /24" },
  ],
  [
    "T-COOK1",
    "CVE-2023-23934 Werkzeug; PortSwigger, Cookie Chaos",
    "A cookie of another name is taken for ours",
    { met: "exact bytes, no trimming but SP and HTAB, no `$Version`, no decoding" },
  ],
  [
    "T-COOK2",
    "Cookie tossing",
    "A sibling host plants a second cookie of our name",
    { met: "exactly one must be valid; told by an event" },
  ],
  [
    "T-COOK3",
    "CVE-2024-47764 cookie",
    "Names and attributes break out of the header",
    { met: "checked at construction" },
  ],
  [
    "T-HDR",
    "CVE-2025-7339 on-headers",
    "Ways of sending the head corrupt or lose headers",
    { met: "writeHead with objects and arrays, 103, streams, events, HEAD, 304, aborts" },
  ],
  [
    "T-SQL",
    "CVE-2019-15658 connect-pg-simple",
    "SQL in a table's name or an id",
    { notHere: "there is no SQL store" },
  ],
  [
    "T-FILE1",
    "CVE-2024-3400 PAN-OS",
    "An id makes files elsewhere",
    { met: "one file, named by the option alone" },
  ],
  [
    "T-FILE2",
    "CVE-2025-24813 Tomcat",
    "A file that somebody planted is deserialised",
    {
      met: "JSON lines with checksums only; 0600 in 0700; no symbolic link. Who can write the file can write sessions",
    },
  ],
  [
    "T-FILE3",
    "Tomcat bug 69781",
    "Parallel saves and crashes tear a file",
    { met: "batches with marks, fsync, atomic replacement" },
  ],
  [
    "T-DOS",
    "CVE-2015-5143, CVE-2015-5963 Django",
    "Anonymous requests and logouts fill the store",
    { met: "they make no record; the memory store is bounded" },
  ],
  [
    "T-CSRF",
    "CVE-2025-47910 Go; CVE-2021-29624 fastify-csrf",
    "Exemptions match more than they should; a token is good for other sessions",
    { met: "exact exemptions; tokens bound to the session" },
  ],
  [
    "T-PROTO",
    "Prototype pollution",
    "Keys such as `__proto__` reach prototypes",
    { met: "they are data, on objects without a prototype" },
  ],
  [
    "T-MOUNT",
    "CVE-2026-33808 @fastify/express",
    "Another spelling of a path passes by the guard",
    { met: "guards are bound to routes and mounts, never to beginnings of paths" },
  ],
]);
