/** The audit trail: who, what, when, from where, with which result; never a token. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { describe, expect, test } from "vitest";
import { AUDIT_CHANNEL, type AuditRecord } from "../src/audit.ts";
import { networkOf } from "../src/policy/client.ts";
import { MINUTE } from "./support/clock.ts";
import { failureCode, world } from "./support/world.ts";

const CLIENT = { ip: "198.51.100.7", userAgent: "Firefox/130" };

function audited(): ReturnType<typeof world> & { trail: AuditRecord[] } {
  const trail: AuditRecord[] = [];
  const made = world({
    max: 2,
    grace: "0ms",
    binding: "report",
    audit: (record) => void trail.push(record),
  });
  return { ...made, trail };
}

describe("audit", () => {
  test("ASVS 16.2.1 a login (au-3) is told with principal, handle, address, agent, time and controls", async () => {
    const { browser, trail, clock } = audited();
    const visitor = browser({ client: CLIENT });
    await visitor.visit((session) => session.login("ada"));
    const handle = await visitor.visit((session) => session.handle);
    expect(trail).toEqual([
      {
        at: clock.now(),
        action: "login",
        result: "success",
        principal: "ada",
        handle,
        ...CLIENT,
        why: null,
        count: 1,
        controls: ["ia-2", "ac-12", "au-3"],
      },
    ]);
  });

  test("OWASP-events OWASP-guessing every security event is in it, each with its why", async () => {
    const { browser, trail, sessions, clock } = audited();
    const visitor = browser({ client: CLIENT });
    await visitor.visit((session) => session.login("ada"));
    await visitor.visit((session) => session.elevate());
    const old = visitor.clone();
    await visitor.visit((session) => session.rotate());
    await old.visit(() => {});
    const moved = visitor.clone();
    Object.assign(moved, { parts: { ...visitor.parts, client: { ip: "203.0.113.1" } } });
    await moved.visit(() => {});
    for (const other of [browser(), browser()])
      await other.visit((session) => session.login("ada"));
    await browser().visit(async (session) => {
      const login = session.login("ada", { onLimit: "reject" });
      expect(await failureCode(login)).toBe("SOJOURN_LIMIT_REACHED");
    });
    await sessions.revokeAll("ada", "password changed");
    await browser().open("__Host-sid=x");
    const guest = browser();
    await guest.visit((session) => session.login("bob"));
    await guest.visit((session) => session.logout());
    const late = browser();
    await late.visit((session) => session.login("cy"));
    clock.advance(30 * MINUTE);
    await late.visit(() => {});
    const seen = trail.map(({ action, result, why, count }) => [action, result, why, count]);
    expect(seen).toEqual([
      ["login", "success", null, 1],
      ["rotated", "success", "elevate", 1],
      ["elevated", "success", null, 1],
      ["rotated", "success", "rotate", 1],
      ["token-reused", "failure", "rotated", 1],
      ["client-changed", "failure", "network-changed", 1],
      ["login", "success", null, 1],
      ["evicted", "success", "evicted: limit", 1],
      ["login", "success", null, 1],
      ["denied", "failure", "limit 2", 1],
      ["revoked", "success", "revoked: password changed", 2],
      ["cookie-rejected", "failure", "malformed", 1],
      ["login", "success", null, 1],
      ["logout", "success", "logout", 1],
      ["login", "success", null, 1],
      ["expired", "success", "idle", 1],
    ]);
    expect(trail.every(({ controls }) => controls.length > 1)).toBe(true);
    const failures = trail.filter(({ result }) => result === "failure");
    expect(failures.every(({ ip }) => ip !== null)).toBe(true);
  });

  test("T-LOG no record holds a token, a cookie or a device id", async () => {
    const { browser, trail } = audited();
    const visitor = browser();
    await visitor.visit((session) => session.login("ada"));
    const { value } = visitor;
    await visitor.open(`__Host-sid=${value}; __Host-sid=${value}x`);
    await visitor.visit((session) => session.logout());
    const text = JSON.stringify(trail);
    for (const secret of [value.slice(0, 47), value.slice(4, 47), value.slice(52)])
      expect(text).not.toContain(secret);
  });

  test("a pino-like logger gets successes as info and failures as warnings", async () => {
    const lines: [string, object, string][] = [];
    const line = (level: string) => (facts: object, message: string) =>
      void lines.push([level, facts, message]);
    const { browser } = world({ audit: { info: line("info"), warn: line("warn") } });
    await browser().visit((session) => session.login("ada"));
    await browser().open("__Host-sid=x");
    expect(lines).toMatchObject([
      ["info", { audit: { action: "login", principal: "ada" } }, "audit login success"],
      ["warn", { audit: { action: "cookie-rejected" } }, "audit cookie-rejected failure"],
    ]);
  });
});

test("the trail is on the channel sojourn:audit, with and without a sink", async () => {
  const heard: unknown[] = [];
  const listener = (record: unknown): void => void heard.push(record);
  subscribe(AUDIT_CHANNEL, listener);
  try {
    for (const options of [{}, { audit: () => {} }])
      await world(options)
        .browser()
        .visit((session) => session.login("ada"));
  } finally {
    unsubscribe(AUDIT_CHANNEL, listener);
  }
  expect(heard).toMatchObject([
    { action: "login", principal: "ada" },
    { action: "login", principal: "ada" },
  ]);
});

describe("T-IP networkOf", () => {
  test.each([
    ["198.51.100.7", "198.51.100"],
    ["::ffff:198.51.100.7", "198.51.100"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
    ["2001:0db8:0001:0002::9", "2001:db8:1:2"],
    ["2001:db8::1", "2001:db8:0:0"],
    ["::1", "0:0:0:0"],
    ["fe80::1%eth0", "fe80:0:0:0"],
    ["not an address", "not an address"],
  ])("%s counts as %s", (ip, network) => {
    expect(networkOf(ip)).toBe(network);
  });
});
