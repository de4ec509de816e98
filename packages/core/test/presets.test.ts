/** ASVS 7.1.1, 7.1.2: timeouts by assurance level, and the policy in words. */
import { describe, expect, test } from "vitest";
import type { SessionOptions } from "../src/options/types.ts";
import { DAY, HOUR, MINUTE } from "./support/clock.ts";
import { failure, world } from "./support/world.ts";

describe("NIST 2.1.3 NIST 2.2.3 NIST 2.3.3 presets", () => {
  test.each<[SessionOptions["preset"] & string, number | null, number]>([
    ["aal1", null, 30 * DAY],
    ["aal2", HOUR, DAY],
    ["aal3", 15 * MINUTE, 12 * HOUR],
  ])(
    "%s: dead after %s ms without use, and after %s ms in any case",
    async (preset, idle, absolute) => {
      for (const [ms, expected] of [
        [(idle ?? absolute) - 1, "ada"],
        [idle ?? absolute, null],
      ] as const) {
        const { browser, clock } = world({ preset });
        const visitor = browser();
        await visitor.visit((session) => session.login("ada"));
        clock.advance(ms);
        expect((await visitor.open()).session.principal).toBe(expected);
      }
      const { browser } = world({ preset });
      const visit = await browser().open();
      await visit.session.login("ada");
      expect(Number(visit.session.absoluteExpiresAt) - Number(visit.session.createdAt)).toBe(
        absolute,
      );
    },
  );

  test("shorter times of one's own go before, without a word", async () => {
    const { browser, clock } = world({ preset: "aal3", idle: "5m" });
    const visitor = browser();
    await visitor.visit((session) => session.login("ada"));
    clock.advance(5 * MINUTE);
    expect((await visitor.open()).session.principal).toBeNull();
  });

  test.each<[Omit<SessionOptions, "clock">, string]>([
    [{ preset: "aal2", idle: "2h" }, "idle: is longer than the 1h"],
    [{ preset: "aal2", idle: null }, "idle: is longer than the 1h"],
    [{ preset: "aal2", absolute: "25h" }, "absolute: is longer than the 24h"],
    [{ preset: "aal3", absolute: "24h" }, "absolute: is longer than the 12h"],
    [{ preset: "aal1", absolute: "31d" }, "absolute: is longer than the 30d"],
  ])("ASVS 7.1.1 %j is refused without a justification", async (options, text) => {
    const error = await failure(() => world(options));
    expect(error.code).toBe("SOJOURN_OPTIONS_INVALID");
    expect(error.message).toContain(text);
    const justification = "kiosk in a locked room, risk accepted by J. Doe";
    expect(world({ ...options, justification }).sessions.describePolicy().markdown).toContain(
      justification,
    );
  });
});

describe("describePolicy", () => {
  test("ASVS 7.1.1 ASVS 7.1.2 NIST 5.2-documented OWASP-logons says what is in force", () => {
    const { sessions } = world({
      preset: "aal2",
      onIdle: "lock",
      max: 3,
      onLimit: "reject",
      encryption: true,
      binding: "step-up",
    });
    expect(sessions.describePolicy().markdown).toMatchInlineSnapshot(`
      "| policy | value | source |
      | --- | --- | --- |
      | idle timeout | 1 h; then the session is locked | ASVS 7.3.1 |
      | absolute timeout | 1 d | ASVS 7.3.2 |
      | assurance level | AAL2 | NIST SP 800-63B-4 2.2.3 |
      | justification of longer timeouts | none needed | ASVS 7.1.1 |
      | grace time of a rotated token | 10 s | OWASP renewal timeout |
      | parallel sessions of a user | 3; beyond it: reject | ASVS 7.1.2 |
      | cookie | \`__Host-sid\`, Path=/, no Domain, Secure, HttpOnly, SameSite=lax, until the browser closes | ASVS 3.3.1 to 3.3.4, NIST SP 800-63B-4 5.1.1 |
      | another client with the session | step-up | NIST SP 800-63B-4 5.3 |
      | what is stored | memory; AES-256-GCM | ASVS 11.3.2 |
      | an outage of the store | fail | ASVS 11.2.5 |
      | cleared at logout | the session cookie | ASVS 14.3.1 |"
    `);
  });

  test("never shows a secret", () => {
    const { sessions } = world({ secret: "very-secret-and-long-enough-for-us-0123" });
    expect(JSON.stringify(sessions.describePolicy())).not.toContain("very-secret");
  });

  test("has every point, also where nothing was chosen", () => {
    const { points } = world({ idle: null, absolute: "1h" }).sessions.describePolicy();
    expect(points.find(({ name }) => name === "idle timeout")?.value).toBe("none");
    expect(points.find(({ name }) => name === "parallel sessions of a user")?.value).toBe(
      "unlimited",
    );
    expect(points.every(({ value, source }) => value !== "" && source !== "")).toBe(true);
  });
});
