/** What caches are told: nobody gets another person's page or cookie from a shared cache. */
import { describe, expect, test } from "vitest";
import { type CacheHeaders, privacyHeaders } from "../src/response/privacy.ts";
import type { ResponsePlan } from "../src/response/plan.ts";
import type { TestSession } from "./support/browser.ts";
import { inspect } from "node:util";
import { MINUTE } from "./support/clock.ts";
import { world } from "./support/world.ts";

describe("headers", () => {
  test.each<[ResponsePlan["privacy"], CacheHeaders, Record<string, string>]>([
    ["none", {}, {}],
    ["none", { vary: "Origin", cacheControl: "public" }, {}],
    ["varies", {}, { vary: "Cookie", "cache-control": "private" }],
    ["varies", { vary: "Origin" }, { vary: "Origin, Cookie", "cache-control": "private" }],
    ["varies", { vary: "Accept, cookie", cacheControl: "public" }, {}],
    ["varies", { vary: "*", cacheControl: "max-age=5" }, {}],
    ["varies", { vary: "X-Cookie" }, { vary: "X-Cookie, Cookie", "cache-control": "private" }],
    ["secret", {}, { vary: "Cookie", "cache-control": "no-store" }],
    [
      "secret",
      { cacheControl: "public, max-age=60" },
      { vary: "Cookie", "cache-control": "no-store" },
    ],
    ["secret", { cacheControl: "private, max-age=60" }, { vary: "Cookie" }],
    ["secret", { cacheControl: "No-Store", vary: "Cookie" }, {}],
  ])("of %s over %j are %j", (privacy, current, headers) => {
    expect(privacyHeaders(privacy, current)).toEqual(headers);
  });
});

describe("T-CACHE2 any look at the session makes the response vary", () => {
  test.each<[string, (session: TestSession) => unknown]>([
    ["a property", (session) => session.cart],
    ["get()", (session) => session.get("cart")],
    ["has()", (session) => session.has("cart")],
    ["in", (session) => "cart" in session],
    ["Object.keys", (session) => Object.keys(session)],
    ["spread", (session) => ({ ...session })],
    ["JSON", (session) => JSON.stringify(session)],
    ["inspect", (session) => inspect(session)],
    ["the principal", (session) => session.principal],
    ["the ending", (session) => session.ending],
    ["checkClient()", (session) => session.checkClient()],
  ])("%s", async (_, look) => {
    const visitor = world().browser();
    await visitor.visit((session) => {
      look(session);
    });
    expect(visitor.plan?.privacy).toBe("varies");
  });

  test("not looking does not", async () => {
    const visitor = world().browser();
    await visitor.visit(() => {});
    expect(visitor.plan?.privacy).toBe("none");
  });
});

describe("T-CACHE1 ASVS 14.3.2 OWASP-nostore a response with a cookie is secret", () => {
  test("at login, at logout, and when a persistent cookie slides with nobody looking", async () => {
    const { browser, clock } = world({ cookie: { persistent: true } });
    const visitor = browser();
    await visitor.visit((session) => session.login("ada"));
    expect(visitor.plan?.privacy).toBe("secret");
    clock.advance(5 * MINUTE);
    await visitor.visit(() => {});
    expect(visitor.plan?.cookie).not.toBeNull();
    expect(visitor.plan?.privacy).toBe("secret");
    await visitor.visit((session) => session.logout());
    expect(visitor.plan?.privacy).toBe("secret");
  });
});
