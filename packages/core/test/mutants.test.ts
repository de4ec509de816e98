/** What mutation testing found untested in token/, cookie/ and csrf/; see docs/mutation.md. */
import { describe, expect, test } from "vitest";
import { Device } from "../src/cookie/device.ts";
import { cookieProblems, cookieSpecs } from "../src/cookie/spec.ts";
import {
  csrfPolicy,
  csrfRejected,
  type CsrfFacts,
  type CsrfOptions,
  judgeCsrf,
} from "../src/csrf/policy.ts";
import { isCsrfToken, mintCsrfToken } from "../src/csrf/token.ts";
import { KeyRing } from "../src/keys/key-ring.ts";
import { Signing } from "../src/keys/signing.ts";
import type { RecordKey } from "../src/store/contract.ts";
import { openCookies, sealToken } from "../src/token/cookie-value.ts";
import { isToken, mintHandle, mintToken, parseHandle } from "../src/token/token.ts";
import { failure, SECRET } from "./support/world.ts";

const signingOf = (...secrets: [string, ...string[]]): Signing =>
  new Signing(new KeyRing(secrets), "test");
const OLD = "o".repeat(32);
const token = mintToken("abA");

describe("cookie values", () => {
  test("no value is no cookie; one value is not among others", () => {
    const signing = signingOf(SECRET);
    expect(openCookies(signing, "sid", [])).toEqual({ status: "none" });
    expect(openCookies(signing, "sid", [sealToken(signing, "sid", token)])).toEqual({
      status: "token",
      token,
      resign: false,
      amongOthers: false,
    });
  });

  test.each([48, 60, 94])("another letter than base64url's at %i is malformed", (at) => {
    const value = sealToken(signingOf(SECRET), "sid", token);
    expect(value).toHaveLength(95);
    for (const letter of ["!", " ", "=", "+", "/", "%", "\u00e9"]) {
      const bad = value.slice(0, at) + letter + value.slice(at + 1);
      const answer = { status: "rejected", reason: "malformed" };
      expect(openCookies(signingOf(SECRET), "sid", [bad])).toEqual(answer);
    }
  });
});

describe("tokens and handles", () => {
  test("ASVS 7.2.3 a generator that is not random is named", async () => {
    const fixed = await failure(() => mintToken("abA", () => new Uint8Array(32).fill(7)));
    expect(fixed).toMatchObject({ code: "SOJOURN_OPTIONS_INVALID" });
    expect(fixed.message).toContain("generateSecret returned 32 equal bytes");
    const short = await failure(() => mintToken("abA", () => new Uint8Array(31)));
    expect(short).toMatchObject({ code: "SOJOURN_OPTIONS_INVALID" });
    expect(short.message).toContain("generateSecret must return a Uint8Array of 32 bytes");
  });

  test("[A-30] a token is a token, with nothing around it", () => {
    expect(isToken(token)).toBe(true);
    for (const other of [` ${token}`, `${token} `, `${token}\n`, token.slice(1), `x${token}`])
      expect(isToken(other)).toBe(false);
  });

  test("a handle is a handle, with nothing around it and nothing missing", () => {
    const handle = mintHandle("abA");
    expect(parseHandle(handle)).toBe(handle);
    const others = [`x${handle}`, `${handle}x`, handle.slice(1), handle.slice(0, -1), ""];
    const letters = [`!${handle.slice(1)}`, `${handle.slice(0, -1)}!`, `abB${handle.slice(3)}`];
    for (const other of [...others, ...letters]) expect(parseHandle(other)).toBeNull();
    expect(parseHandle([handle] as unknown as string)).toBeNull();
  });
});

describe("the device cookie", () => {
  const attributes = { path: "/", httpOnly: true, secure: true, sameSite: "lax" } as const;
  const spec = { name: "sid", attributes };
  const introduced = (signing: Signing): { device: Device; header: string } => {
    const device = new Device(signing, spec, undefined);
    device.introduce();
    return { device, header: `sid-device=${device.take()?.value}` };
  };

  test("is set once, and known again by 22 characters of its digest", () => {
    const { device, header } = introduced(signingOf(SECRET));
    expect(device.digest).toMatch(/^[\w-]{22}$/);
    device.introduce();
    expect(device.take()).toBeNull();
    const again = new Device(signingOf(SECRET), spec, header);
    expect(again.digest).toBe(device.digest);
    again.introduce();
    expect(again.take()).toBeNull();
  });

  test("is found behind one that is not ours", () => {
    const { device, header } = introduced(signingOf(SECRET));
    const found = new Device(signingOf(SECRET), spec, `sid-device=${"x".repeat(70)}; ${header}`);
    expect(found.digest).toBe(device.digest);
  });

  test("signed by an older key it still counts; with another separator it does not", () => {
    const { device, header } = introduced(signingOf(OLD));
    expect(new Device(signingOf(SECRET, OLD), spec, header).digest).toBe(device.digest);
    const other = header.replace(".", ":");
    expect(new Device(signingOf(SECRET, OLD), spec, other).digest).toBeUndefined();
  });
});

describe("the cookie's options", () => {
  test.each([
    [{ name: "a b" }, "name", "RFC 6265 cookie-name"],
    [{ path: "a/b" }, "path", "must begin with /"],
    [{ domain: ".example.com" }, "domain", "without a leading dot"],
    [{ sameSite: "none", secure: false }, "sameSite", "needs secure"],
    [{ partitioned: true, secure: false }, "partitioned", "needs secure"],
    [{ name: "__Secure-a", secure: false }, "name", "prefix __secure- needs secure"],
    [{ name: "__Host-a", path: "/a" }, "name", "needs path '/' and no domain"],
    [{ name: "__Http-a", httpOnly: false }, "name", "needs httpOnly"],
  ] as const)("%j: %s %s", (options, path, problem) => {
    expect(cookieProblems(options)).toEqual([[path, expect.stringContaining(problem)]]);
  });

  test("a prefix counts at the beginning only", () => {
    expect(cookieProblems({ name: "x__Host-a", secure: false })).toEqual([]);
  });

  test("a cookie for plain http keeps a name with underscores; what is not set is not there", () => {
    const { plain } = cookieSpecs({ name: "__mine", secure: false }, true);
    expect(plain).toStrictEqual({
      name: "__mine",
      attributes: { path: "/", httpOnly: true, secure: false, sameSite: "lax" },
    });
  });
});

describe("CSRF", () => {
  const facts: CsrfFacts = {
    method: "POST",
    host: "app.example.com",
    origin: undefined,
    secFetchSite: undefined,
    contentType: undefined,
    token: undefined,
  };
  const verdict = (options: CsrfOptions, request: Partial<CsrfFacts>, isGood = true) =>
    judgeCsrf({ ...facts, ...request }, csrfPolicy(options), () => isGood);

  test.each([
    ["cross-site", "name its origin in trustedOrigins"],
    ["same-site", "set trustSameSite"],
    ["cross-origin", "Behind a proxy"],
    ["no-origin", "strict is set"],
    ["content-type", "not among contentTypes"],
    ["token-missing", "x-csrf-token"],
    ["token-invalid", "load the page again"],
  ] as const)("%s is a 403 that says: %s", (reason, advice) => {
    const error = csrfRejected(reason);
    const rest = { code: "SOJOURN_CSRF_REJECTED", statusCode: 403, details: { reason } };
    expect(error).toMatchObject(rest);
    expect(error.message).toContain("this request was refused: ");
    expect(error.message).toContain(advice);
  });

  test("wrong options are listed, each with its path", async () => {
    const wrong = { protection: "all", contentTypes: [], strict: 1 } as unknown as CsrfOptions;
    const { code, message, details } = await failure(() => csrfPolicy(wrong));
    expect(code).toBe("SOJOURN_OPTIONS_INVALID");
    expect(message).toMatch(/^csrfGuard\(\): protection: .*; strict: .*; contentTypes: /);
    expect(details["problems"]).toHaveLength(3);
    const unknown = await failure(() => csrfPolicy({ x: 1 } as CsrfOptions));
    expect(unknown.message).toMatch(/^csrfGuard\(\): options: /);
  });

  test.each([
    [{ trustedOrigins: ["see https://a.example"] }, "trustedOrigins.0: must be an origin such as"],
    [{ trustedOrigins: ["https://a.example/"] }, "trustedOrigins.0: must be an origin such as"],
    [{ contentTypes: ["json"] }, "contentTypes.0: "],
  ])("%j is refused", async (options, problem) => {
    expect((await failure(() => csrfPolicy(options))).message).toContain(problem);
  });

  test("each protection asks for what it names; the default is origin", () => {
    const asks = (options: CsrfOptions) => {
      const { wantsOrigin, wantsToken } = csrfPolicy(options);
      return [wantsOrigin, wantsToken];
    };
    expect(asks({})).toEqual([true, false]);
    expect(asks({ protection: "origin" })).toEqual([true, false]);
    expect(asks({ protection: "token" })).toEqual([false, true]);
    expect(asks({ protection: "both" })).toEqual([true, true]);
    expect(csrfPolicy({})).toEqual({
      wantsOrigin: true,
      wantsToken: false,
      trustedOrigins: new Set(),
      trustSameSite: false,
      strict: false,
      contentTypes: null,
      reportOnly: false,
    });
  });

  test("ASVS 3.5.2 media types are compared without parameters, blanks and case", () => {
    const contentTypes = ["application/JSON", "text/csv"];
    for (const contentType of ["Application/json ; charset=utf-8", " text/csv", undefined])
      expect(verdict({ contentTypes }, { contentType })).toBeNull();
    expect(verdict({ contentTypes }, { contentType: "text/plain" })).toBe("content-type");
    expect(verdict({ contentTypes }, { contentType: "" })).toBe("content-type");
    expect(verdict({}, { contentType: "text/plain" })).toBeNull();
  });

  test("an empty token is a missing one", () => {
    const options = { protection: "token" } as const;
    expect(verdict(options, { token: "" })).toBe("token-missing");
    expect(verdict(options, { token: "x" })).toBeNull();
    expect(verdict(options, { token: "x" }, false)).toBe("token-invalid");
  });

  test("ASVS 3.5.1 text before an origin makes it none of ours; http is an origin too", () => {
    const from = (origin: string) => verdict({}, { origin });
    expect(from("xhttps://app.example.com")).toBe("cross-origin");
    expect(from("http://app.example.com")).toBeNull();
    const trustedOrigins = ["http://friend.example"];
    const request = { origin: "http://friend.example", secFetchSite: "cross-site" };
    expect(verdict({ trustedOrigins }, request)).toBeNull();
  });

  test("a token made by an older key of the ring is still good", () => {
    const key = "abA.key" as RecordKey;
    const made = mintCsrfToken(signingOf(OLD), key);
    expect(isCsrfToken(signingOf(SECRET, OLD), key, made)).toBe(true);
    expect(isCsrfToken(signingOf(SECRET), key, made)).toBe(false);
  });
});
