/** CSRF tokens and what a request says of its origin: only a token of this session passes. */
// oxlint-disable vitest/no-standalone-expect -- fuzz() makes the tests
import { csrfPolicy, type CsrfFacts, KeyRing } from "@sojourn/core";
import type { CsrfOptions } from "@sojourn/core";
import * as fc from "fast-check";
import { expect } from "vitest";
import { judgeCsrf } from "../../packages/core/src/csrf/policy.ts";
import { isCsrfToken, mintCsrfToken } from "../../packages/core/src/csrf/token.ts";
import { Signing } from "../../packages/core/src/keys/signing.ts";
import type { RecordKey } from "../../packages/core/src/store/contract.ts";
import { SECRET } from "./support/answer.ts";
import { anyText, anyValue, damaged } from "./support/damage.ts";
import { fuzz } from "./support/runs.ts";

const signing = new Signing(new KeyRing([SECRET]), "csrf");
const key = `abc.${"k".repeat(43)}` as RecordKey;
const other = `abc.${"K".repeat(43)}` as RecordKey;
const genuine = mintCsrfToken(signing, key);

fuzz(
  "any CSRF token: valid only as it was made, and for the session that it was made for",
  () => fc.oneof(damaged(genuine), damaged(mintCsrfToken(signing, other)), anyText),
  (token) => {
    expect(isCsrfToken(signing, key, token)).toBe(token === genuine);
    if (token === genuine) expect(isCsrfToken(signing, other, token)).toBe(false);
  },
);

const HOST = "app.example.com";
const OURS = `https://${HOST}`;
const FRIEND = "https://friend.example";
const header = (...usual: string[]): fc.Arbitrary<string | undefined> =>
  fc.oneof(fc.constantFrom(undefined, ...usual), fc.constantFrom(...usual).chain(damaged), anyText);
const facts = fc.record({
  method: header("POST", "GET", "DELETE", "patch", "get ", "__proto__").map(
    (text) => text ?? "PUT",
  ),
  host: header(HOST, HOST.toUpperCase(), `${HOST}:443`),
  origin: header(OURS, FRIEND, "null", `${OURS}:443`, `${OURS}@evil.example`, `${OURS}.evil`),
  secFetchSite: header("same-origin", "same-site", "cross-site", "none"),
  contentType: header("application/json", "text/plain", "application/json; charset=utf-8"),
  token: fc.oneof(fc.constant(genuine), damaged(genuine), anyValue),
});
const options: fc.Arbitrary<CsrfOptions> = fc.record({
  protection: fc.constantFrom("origin", "token", "both"),
  trustedOrigins: fc.constantFrom([], [FRIEND]),
  trustSameSite: fc.boolean(),
  strict: fc.boolean(),
  contentTypes: fc.constantFrom(undefined, ["application/json"]),
});

const isHost = (host: string | undefined): boolean => /^[^/?#@\\]+$/.test(host ?? "");

/** The rules once more, in a line each. */
function mayPass({ method, host, origin, secFetchSite, token }: CsrfFacts, asked: CsrfOptions) {
  const isSafe = ["GET", "HEAD", "OPTIONS", "TRACE", "QUERY"].includes(method.toUpperCase());
  const isTrusted = origin !== undefined && (asked.trustedOrigins ?? []).includes(origin);
  const isSame =
    secFetchSite === undefined
      ? origin === undefined
        ? !asked.strict
        : isHost(host) &&
          [`https://${host}`, `http://${host}`].some(
            (own) => own.toLowerCase() === origin.toLowerCase(),
          )
      : ["same-origin", "none", ...(asked.trustSameSite ? ["same-site"] : [])].includes(
          secFetchSite,
        );
  const byOrigin = asked.protection === "token" || isTrusted || isSame;
  return isSafe || (byOrigin && (asked.protection === "origin" || token === genuine));
}

fuzz(
  "any request: nothing passes the CSRF guard that its rules forbid",
  () => fc.tuple(facts, options),
  ([request, asked]) => {
    const verdict = judgeCsrf(request, csrfPolicy(asked), (token) =>
      isCsrfToken(signing, key, token),
    );
    if (!mayPass(request, asked)) expect(verdict).not.toBeNull();
    else expect([null, "content-type"]).toContain(verdict);
  },
);
