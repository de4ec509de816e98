/** What a session says of itself, and of the client that uses it. */
import { describe, expect, test } from "vitest";
import type { TestSession } from "./support/browser.ts";
import { failureCode, world } from "./support/world.ts";

async function fresh(): Promise<TestSession> {
  const { session } = await world().browser().open();
  return session;
}

describe("facts", () => {
  test("of a session that nobody stored", async () => {
    const session = await fresh();
    expect(session).toMatchObject({ handle: null, principal: null, createdAt: null, level: 0 });
    expect(session.isNew).toBe(true);
    expect(session.ending).toBeNull();
    expect([session.authenticatedAt, session.expiresAt, session.absoluteExpiresAt]).toEqual([
      null,
      null,
      null,
    ]);
  });

  test("isNew ends with the first save, and the handle is then known", async () => {
    const session = await fresh();
    session.a = 1;
    await session.save();
    expect(session.isNew).toBe(false);
    expect(session.handle).toMatch(/^[\w-]{19}$/);
  });

  test("a number as principal is its text", async () => {
    const session = await fresh();
    await session.login(42);
    expect(session.principal).toBe("42");
  });

  test.each<[principal: string | number, what: string]>([
    ["", "nothing"],
    ["x".repeat(513), "513 characters"],
    [Number.NaN, "NaN"],
    [Infinity, "Infinity"],
    ["\ud800", "half a character"],
    [null as unknown as string, "null"],
    [{ id: 1 } as unknown as string, "an object"],
  ])("%j is no principal: %s", async (principal) => {
    const session = await fresh();
    expect(await failureCode(session.login(principal))).toBe("SOJOURN_PRINCIPAL_INVALID");
  });
});

describe("E-12 checkClient", () => {
  const from = (ip: string | undefined, userAgent: string | undefined) => ({
    ...(ip === undefined ? {} : { ip }),
    ...(userAgent === undefined ? {} : { userAgent }),
  });
  test.each([
    ["the same", from("192.0.2.7", "Test/1"), []],
    ["another address in the same /24", from("192.0.2.250", "Test/1"), []],
    ["the same address mapped into IPv6", from("::ffff:192.0.2.7", "Test/1"), []],
    ["another network", from("192.0.3.7", "Test/1"), ["network-changed"]],
    ["a newer version of the browser", from("192.0.2.7", "Test/2.0.1"), []],
    ["another browser", from("192.0.2.7", "Other/1"), ["user-agent-changed"]],
    ["both", from("2001:db8::1", "Other/1"), ["network-changed", "user-agent-changed"]],
    ["unknown", from(undefined, undefined), []],
  ])("%s", async (_, client, reasons) => {
    const { browser } = world();
    const visitor = browser();
    await visitor.visit((session) => session.login("ada"));
    const { session } = await browser({ client }).open(visitor.cookie);
    expect(session.checkClient()).toEqual({ matches: reasons.length === 0, reasons });
  });

  test.each([
    ["2001:db8:0:1::1", "2001:db8:0:1:ffff::2", []],
    ["2001:db8:0:1::1", "2001:0DB8:0000:0001:0:0:0:9", []],
    ["2001:db8:0:1::1", "2001:db8:0:2::1", ["network-changed"]],
    ["::1", "0:0:0:0:0:0:0:1", []],
    ["fe80::1%eth0", "fe80::2", []],
  ])("T-IP of IPv6 the /64 counts: %s and %s", async (began, now, reasons) => {
    const { browser } = world();
    const visitor = browser({ client: { ip: began } });
    await visitor.visit((session) => session.login("ada"));
    const { session } = await browser({ client: { ip: now } }).open(visitor.cookie);
    expect(session.checkClient().reasons).toEqual(reasons);
  });

  test("a user agent of 4,000 characters is the same client at the next request", async () => {
    const { browser } = world();
    const visitor = browser({ client: { userAgent: "Long agent ".repeat(400) } });
    await visitor.visit((session) => session.login("ada"));
    expect(await visitor.visit((session) => session.checkClient().reasons)).toEqual([]);
  });
});
