/** Names and attributes of the cookie: golden headers, and combinations that browsers would drop. */
import { describe, expect, test } from "vitest";
import { serializeCookie } from "../src/cookie/serialize.ts";
import { type CookieOptions, deadlineSeconds } from "../src/cookie/spec.ts";
import { createSessionManager } from "../src/create.ts";
import { failure, must, SECRET, world } from "./support/world.ts";

/** The Set-Cookie header of a login, the value replaced by `V`. */
async function setCookie(cookie: CookieOptions, secure: boolean = true): Promise<string | null> {
  const visitor = world({ cookie }).browser({ secure });
  await visitor.visit((session) => session.login("ada"));
  const planned = visitor.plan?.cookie;
  return planned ? serializeCookie(planned.name, "V", planned.attributes) : null;
}

const REST = "Path=/; HttpOnly; Secure; SameSite=Lax";

describe("E-08 F-11 golden Set-Cookie headers", () => {
  test.each<[what: string, options: CookieOptions, header: string]>([
    [
      "ASVS 3.3.2 ASVS 3.3.3 ASVS 3.3.4 NIST 5.1.1-scope NIST 5.1.1-httponly NIST 5.1.1-prefix NIST 5.1.1-samesite NIST 5.1-persistence OWASP-nonpersistent OWASP-name COOKIE-samesite default",
      {},
      `__Host-sid=V; ${REST}`,
    ],
    ["ASVS 3.3.1 NIST 5.1.1-secure secure: true", { secure: true }, `__Host-sid=V; ${REST}`],
    ["secure: false", { secure: false }, "sid=V; Path=/; HttpOnly; SameSite=Lax"],
    ["httpOnly: false", { httpOnly: false }, "__Host-sid=V; Path=/; Secure; SameSite=Lax"],
    ["name", { name: "id" }, `id=V; ${REST}`],
    [
      "ASVS 3.3.2 sameSite strict",
      { sameSite: "strict" },
      `__Host-sid=V; ${REST.replace("Lax", "Strict")}`,
    ],
    ["sameSite none", { sameSite: "none" }, `__Host-sid=V; ${REST.replace("Lax", "None")}`],
    ["path", { path: "/app" }, `__Secure-sid=V; ${REST.replace("Path=/", "Path=/app")}`],
    ["domain", { domain: "example.com" }, `__Secure-sid=V; Domain=example.com; ${REST}`],
    ["partitioned", { partitioned: true }, `__Host-sid=V; ${REST}; Partitioned`],
    ["priority low", { priority: "low" }, `__Host-sid=V; ${REST}; Priority=Low`],
    ["priority medium", { priority: "medium" }, `__Host-sid=V; ${REST}; Priority=Medium`],
    ["priority high", { priority: "high" }, `__Host-sid=V; ${REST}; Priority=High`],
    ["persistent", { persistent: true }, `__Host-sid=V; Max-Age=1800; ${REST}`],
    ["COOKIE-http __Host-Http- name", { name: "__Host-Http-sid" }, `__Host-Http-sid=V; ${REST}`],
    [
      "COOKIE-partitioned CHIPS: all that a cross-site frame needs",
      { partitioned: true, sameSite: "none" },
      `__Host-sid=V; ${REST.replace("Lax", "None")}; Partitioned`,
    ],
    [
      "everything",
      {
        name: "__Secure-x",
        path: "/a b",
        domain: "a.example.com",
        secure: true,
        sameSite: "none",
        httpOnly: false,
        persistent: true,
        partitioned: true,
        priority: "high",
      },
      "__Secure-x=V; Max-Age=1800; Domain=a.example.com; Path=/a b; Secure; SameSite=None; Partitioned; Priority=High",
    ],
  ])("%s", async (_, options, header) => {
    expect(await setCookie({ secure: true, ...options })).toBe(header);
  });

  test("ASVS 3.3.5 COOKIE-size NIST 5.1.1-opaque the whole default header has at most 150 bytes", async () => {
    const visitor = world().browser();
    await visitor.visit((session) => session.login("ada"));
    const { name, value, attributes } = must(visitor.plan?.cookie);
    expect(Buffer.byteLength(serializeCookie(name, value, attributes))).toBeLessThanOrEqual(150);
    expect(value).toMatch(/^[\w-]{3}\.[\w-]{43}\.[\w-]{47}$/);
  });

  test("clearing says Max-Age=0 and a date long past, with the same name, path and domain", async () => {
    const visitor = world({
      cookie: { secure: true, domain: "example.com", path: "/x" },
    }).browser();
    await visitor.visit((session) => session.login("ada"));
    await visitor.visit((session) => session.logout());
    const { name, value, attributes } = must(visitor.plan?.cookie);
    expect(serializeCookie(name, value, attributes)).toBe(
      "__Secure-sid=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Domain=example.com; Path=/x; HttpOnly; Secure; SameSite=Lax",
    );
  });
});

describe("secure: 'auto'", () => {
  test("is the default outside production: __Host-sid over https, sid over http", async () => {
    expect(await setCookie({}, true)).toBe(`__Host-sid=V; ${REST}`);
    expect(await setCookie({}, false)).toBe("sid=V; Path=/; HttpOnly; SameSite=Lax");
  });

  test.each<[what: string, options: CookieOptions]>([
    ["secure: true", { secure: true }],
    ["sameSite 'none'", { secure: "auto", sameSite: "none" }],
    ["partitioned", { secure: "auto", partitioned: true }],
    ["a __Host- name", { secure: "auto", name: "__Host-x" }],
    ["a __Secure- name in other case", { secure: "auto", name: "__SECURE-x" }],
  ])(
    "NIST 5.1-channel NIST 5.1-intermediaries %s sends nothing over http, and tells",
    async (_, cookie) => {
      const { browser, told } = world({ cookie });
      const visitor = browser({ secure: false });
      await visitor.visit((session) => session.login("ada"));
      expect(visitor.plan?.cookie).toBeNull();
      expect(told("cookie-unsent")).toMatchObject([{ reason: "insecure-request" }]);
    },
  );

  test("NIST 5.1-storage the cookie of https is not taken over http, nor the other way round", async () => {
    const { browser } = world();
    const visitor = browser();
    await visitor.visit((session) => session.login("ada"));
    const plain = await browser({ secure: false }).open(visitor.cookie);
    expect(plain.session.principal).toBeNull();
    const renamed = await browser({ secure: false }).open(`sid=${visitor.value}`);
    expect(renamed.session.principal).toBeNull();
  });
});

describe("impossible combinations are refused at construction, with the option's path", () => {
  test.each<[path: string, options: CookieOptions]>([
    ["cookie.sameSite", { sameSite: "none", secure: false }],
    ["cookie.partitioned", { partitioned: true, secure: false }],
    ["cookie.name", { name: "__Host-x", secure: false }],
    ["cookie.name", { name: "__Secure-x", secure: false }],
    ["cookie.name", { name: "__Http-x", secure: false }],
    ["cookie.name", { name: "__host-x", secure: false }],
    ["cookie.name", { name: "__Host-x", path: "/app" }],
    ["cookie.name", { name: "__Host-x", domain: "example.com" }],
    ["cookie.name", { name: "__Host-Http-x", path: "/app" }],
    ["cookie.name", { name: "__Host-Http-x", httpOnly: false }],
    ["cookie.name", { name: "__Http-x", httpOnly: false }],
    ["cookie.name", { name: "" }],
    ["cookie.name", { name: "a b" }],
    ["cookie.name", { name: "a;b" }],
    ["cookie.name", { name: "a=b" }],
    ["cookie.name", { name: "a,b" }],
    ["cookie.name", { name: "a\r\nSet-Cookie: x" }],
    ["cookie.name", { name: "é" }],
    ["cookie.name", { name: "x".repeat(65) }],
    ["cookie.path", { path: "" }],
    ["cookie.path", { path: "app" }],
    ["cookie.path", { path: "/; Domain=evil.example" }],
    ["cookie.path", { path: "/\r\nx: y" }],
    ["cookie.domain", { domain: "" }],
    ["cookie.domain", { domain: ".example.com" }],
    ["cookie.domain", { domain: "example.com; Path=/" }],
    ["cookie.domain", { domain: "exa mple.com" }],
    ["cookie.domain", { domain: "com" }],
    ["cookie.domain", { domain: "example.com\n" }],
  ])("T-COOK3 COOKIE-nameless %s of %j", async (path, cookie) => {
    const error = await failure(() =>
      createSessionManager({ secret: SECRET, logger: false, cookie }),
    );
    expect(error.code).toBe("SOJOURN_OPTIONS_INVALID");
    const { problems } = error.details as { problems: string[] };
    expect(problems.some((problem) => problem.startsWith(`${path}: `))).toBe(true);
  });

  test.each<[options: CookieOptions]>([
    [{ name: "__Secure-x", path: "/app", domain: "example.com" }],
    [{ name: "__Host-x" }],
    [{ domain: "localhost" }],
    [{ domain: "a-b.example.co.uk" }],
    [{ path: "/a/b" }],
  ])("%j is possible", (cookie) => {
    expect(() => createSessionManager({ secret: SECRET, logger: false, cookie })).not.toThrow();
  });
});

describe("Max-Age", () => {
  test.each([
    [0, 1],
    [1, 1],
    [1_000, 1],
    [1_001, 2],
    [1_800_000, 1_800],
    [-5_000, 1],
    [500 * 86_400_000, 400 * 86_400],
  ])("COOKIE-lifetime of a deadline in %d ms is %d s", (ms, seconds) => {
    expect(deadlineSeconds(1_000_000 + ms, 1_000_000)).toBe(seconds);
  });
});
