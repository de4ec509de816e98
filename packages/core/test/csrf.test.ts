/** E-03: the origin gate and the anti-forgery token. */
import { describe, expect, test } from "vitest";
import { csrfPolicy, type CsrfFacts, type CsrfOptions, judgeCsrf } from "../src/csrf/policy.ts";
import type { Browser } from "./support/browser.ts";
import { MINUTE } from "./support/clock.ts";
import { failure, range, world } from "./support/world.ts";

const POST: CsrfFacts = {
  method: "POST",
  host: "shop.example",
  origin: undefined,
  secFetchSite: undefined,
  contentType: undefined,
  token: undefined,
};
const judge = (facts: Partial<CsrfFacts>, options: CsrfOptions = {}) =>
  judgeCsrf({ ...POST, ...facts }, csrfPolicy(options), () => false);

describe("E-03 ASVS 3.5.3 T-CSRF CSRF-crosssite CSRF-fallback the origin gate", () => {
  const trusting = { trustedOrigins: ["https://app.example"] };
  test.each<[string, Partial<CsrfFacts>, CsrfOptions, ReturnType<typeof judge>]>([
    ["same-origin", { secFetchSite: "same-origin" }, {}, null],
    ["typed or bookmarked", { secFetchSite: "none" }, {}, null],
    ["cross-site", { secFetchSite: "cross-site" }, {}, "cross-site"],
    ["CSRF-samesite a sibling host", { secFetchSite: "same-site" }, {}, "same-site"],
    [
      "CSRF-samesite a trusted sibling host",
      { secFetchSite: "same-site" },
      { trustSameSite: true },
      null,
    ],
    [
      "cross-site for all the trust in siblings",
      { secFetchSite: "cross-site" },
      { trustSameSite: true },
      "cross-site",
    ],
    ["a word of Sec-Fetch-Site that nobody knows", { secFetchSite: "sideways" }, {}, "cross-site"],
    ["an empty Sec-Fetch-Site", { secFetchSite: "" }, {}, "cross-site"],
    [
      "Sec-Fetch-Site over Origin",
      { secFetchSite: "cross-site", origin: "https://shop.example" },
      {},
      "cross-site",
    ],
    ["CSRF-absent no header at all: not a browser", {}, {}, null],
    ["CSRF-absent no header at all, strictly", {}, { strict: true }, "no-origin"],
    ["our Origin", { origin: "https://shop.example" }, {}, null],
    ["our Origin over http behind a proxy", { origin: "http://shop.example" }, {}, null],
    ["our Origin in capitals", { origin: "https://SHOP.example" }, {}, null],
    ["another port", { origin: "https://shop.example:8443" }, {}, "cross-origin"],
    ["another Origin", { origin: "https://evil.example" }, {}, "cross-origin"],
    ["Origin null (a sandbox, a redirect)", { origin: "null" }, {}, "cross-origin"],
    [
      "an Origin with user info",
      { origin: "https://shop.example@evil.example" },
      {},
      "cross-origin",
    ],
    ["an Origin with a path", { origin: "https://shop.example/" }, {}, "cross-origin"],
    ["no Host", { origin: "https://shop.example", host: undefined }, {}, "cross-origin"],
    [
      "a trusted Origin",
      { origin: "https://app.example", secFetchSite: "cross-site" },
      trusting,
      null,
    ],
    [
      "T-CSRF one that begins like it",
      { origin: "https://app.example.evil.test", secFetchSite: "cross-site" },
      trusting,
      "cross-site",
    ],
    [
      "T-CSRF one that ends like it",
      { origin: "https://evilapp.example", secFetchSite: "cross-site" },
      trusting,
      "cross-site",
    ],
    [
      "the trusted one over http",
      { origin: "http://app.example", secFetchSite: "cross-site" },
      trusting,
      "cross-site",
    ],
    [
      "ASVS 3.5.2 a form where only JSON is taken",
      { secFetchSite: "same-origin", contentType: "text/plain" },
      { contentTypes: ["application/json"] },
      "content-type",
    ],
    [
      "JSON with a charset",
      { contentType: "Application/JSON; charset=utf-8" },
      { contentTypes: ["application/json"] },
      null,
    ],
    ["no body where only JSON is taken", {}, { contentTypes: ["application/json"] }, null],
    [
      "no token where one is wanted",
      { secFetchSite: "same-origin" },
      { protection: "both" },
      "token-missing",
    ],
    ["a token that is a list", { token: ["a", "b"] }, { protection: "token" }, "token-missing"],
    ["another's token", { token: "x" }, { protection: "token" }, "token-invalid"],
    [
      "cross-site before the token is looked at",
      { secFetchSite: "cross-site", token: "x" },
      { protection: "both" },
      "cross-site",
    ],
  ])("%s", (_, facts, options, expected) => {
    expect(judge(facts, options)).toBe(expected);
  });

  test.each(["GET", "HEAD", "OPTIONS", "TRACE", "QUERY", "get"])(
    "CSRF-methods %s changes nothing: let in",
    (method) => {
      expect(
        judge({ method, secFetchSite: "cross-site" }, { protection: "both", strict: true }),
      ).toBeNull();
    },
  );

  test.each(["POST", "PUT", "PATCH", "DELETE", "PROPFIND", "", "GETX"])(
    "CSRF-methods %s is unsafe",
    (method) => {
      expect(judge({ method, secFetchSite: "cross-site" })).toBe("cross-site");
    },
  );
});

describe("csrfPolicy", () => {
  test.each<[string, unknown, string]>([
    ["a pattern", { trustedOrigins: ["https://*.example.com"] }, "trustedOrigins.0"],
    ["a path", { trustedOrigins: ["https://example.com/app"] }, "trustedOrigins.0"],
    ["a host alone", { trustedOrigins: ["example.com"] }, "trustedOrigins.0"],
    ["a word", { protection: "some" }, "protection"],
    ["an unknown option", { mode: "both" }, "mode"],
  ])("CSRF-exempt refuses %s, naming the option", async (_, options, path) => {
    const error = await failure(() => csrfPolicy(options as CsrfOptions));
    expect(error.code).toBe("SOJOURN_OPTIONS_INVALID");
    expect(error.message).toContain(path);
  });
});

describe("ASVS 3.5.1 NIST 5.1-csrf CSRF-token the token", () => {
  const policy = csrfPolicy({ protection: "token" });
  const check = (visitor: Browser, token: unknown) =>
    visitor.visit((session) => session.checkCsrf({ ...POST, token }, policy));
  const tokenOf = (visitor: Browser) => visitor.visit((session) => session.csrfToken());

  test("is good for its own session, again and again, and is another text each time", async () => {
    const { browser } = world();
    const visitor = browser();
    await visitor.visit((session) => session.login("ada"));
    const [one, two] = [await tokenOf(visitor), await tokenOf(visitor)];
    expect(one).not.toBe(two);
    for (const token of [one, two, one]) expect(await check(visitor, token)).toBeNull();
  });

  test("of another session is refused, and told of", async () => {
    const { browser, told } = world();
    const [ada, eve] = [browser(), browser()];
    await ada.visit((session) => session.login("ada"));
    await eve.visit((session) => session.login("eve"));
    expect(await check(ada, await tokenOf(eve))).toBe("token-invalid");
    const handle = await ada.visit((session) => session.handle);
    expect(told("csrf-rejected")).toMatchObject([
      { reason: "token-invalid", enforced: true, handle },
    ]);
  });

  test.each<[string, (visitor: Browser) => unknown]>([
    ["login", (visitor) => visitor.visit((session) => session.login("ada"))],
    ["elevation", (visitor) => visitor.visit((session) => session.elevate())],
    ["re-authentication", (visitor) => visitor.visit((session) => session.reauthenticate())],
    ["rotation", (visitor) => visitor.visit((session) => session.rotate())],
    ["logout", (visitor) => visitor.visit((session) => session.logout())],
  ])("T-FIX3 G5 dies with the session's token at %s", async (_, change) => {
    const { browser } = world();
    const visitor = browser();
    await visitor.visit((session) => session.login("ada"));
    const token = await tokenOf(visitor);
    expect(await check(visitor, token)).toBeNull();
    await change(visitor);
    expect(await check(visitor, token)).toBe("token-invalid");
  });

  test("a visitor without a session gets one with it, and the login form can check it", async () => {
    const { browser, sessions } = world();
    const visitor = browser();
    const token = await visitor.visit((session) => {
      const first = session.csrfToken();
      expect(session.checkCsrf({ ...POST, token: first }, policy)).toBeNull();
      return session.csrfToken();
    });
    expect(visitor.cookie).toBeDefined();
    expect((await sessions.count()).active).toBe(1);
    expect(await check(visitor, token)).toBeNull();
    expect(await check(browser(), token)).toBe("token-invalid");
  });

  test("a login in the same request leaves no anonymous session behind", async () => {
    const { browser, sessions } = world();
    const visitor = browser();
    await visitor.visit(async (session) => {
      session.csrfToken();
      await session.login("ada");
    });
    expect((await sessions.count()).active).toBe(1);
    expect(await check(visitor, await tokenOf(visitor))).toBeNull();
  });

  test("no change of one character is accepted", async () => {
    const { browser } = world();
    const visitor = browser();
    await visitor.visit((session) => session.login("ada"));
    const token = await tokenOf(visitor);
    const visit = await visitor.open();
    for (const at of range(token.length)) {
      const forged = token.slice(0, at) + (token[at] === "A" ? "B" : "A") + token.slice(at + 1);
      expect(visit.session.checkCsrf({ ...POST, token: forged }, policy)).toBe("token-invalid");
      expect(
        visit.session.checkCsrf({ ...POST, token: token.slice(0, at) }, policy),
      ).not.toBeNull();
    }
  });

  test("works on while the session is used, for as long as it lives", async () => {
    const { browser, clock } = world({ idle: "30m" });
    const visitor = browser();
    await visitor.visit((session) => session.login("ada"));
    const token = await tokenOf(visitor);
    for (const _ of range(10)) {
      clock.advance(20 * MINUTE);
      expect(await check(visitor, token)).toBeNull();
    }
  });

  test("CSRF-report reportOnly lets everything in and tells of it", async () => {
    const { browser, told } = world();
    const reporting = csrfPolicy({ protection: "both", reportOnly: true });
    const facts = { ...POST, secFetchSite: "cross-site" };
    expect(await browser().visit((session) => session.checkCsrf(facts, reporting))).toBeNull();
    expect(told("csrf-rejected")).toMatchObject([
      { reason: "cross-site", enforced: false, handle: null },
    ]);
  });
});
