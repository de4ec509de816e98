/** B-25: the machine-readable answer after an idle logoff. */
import { describe, expect, test } from "vitest";
import { timeoutAnswer } from "../src/response/timeout.ts";
import { HOUR, MINUTE, SECOND } from "./support/clock.ts";
import { world } from "./support/world.ts";

describe("B-25 timeoutAnswer", () => {
  test("after 45 minutes without use of 30 says 2700 and 1800 seconds, once", async () => {
    const { browser, clock } = world({ idle: "30m" });
    const visitor = browser();
    await visitor.visit((session) => session.login("ada"));
    clock.advance(45 * MINUTE);
    expect(await visitor.visit((session) => timeoutAnswer(session, clock))).toEqual({
      code: "SESSION_TIMEOUT",
      why: "idle",
      idleSeconds: 2_700,
      timeoutSeconds: 1_800,
    });
    expect(await visitor.visit((session) => timeoutAnswer(session, clock))).toBeNull();
  });

  test("goes by the session's own idle timeout", async () => {
    const { browser, clock } = world({ idle: "30m" });
    const visitor = browser();
    await visitor.visit((session) => session.login("ada", { idle: "5m" }));
    clock.advance(5 * MINUTE + 10 * SECOND);
    expect(await visitor.visit((session) => timeoutAnswer(session, clock))).toMatchObject({
      idleSeconds: 310,
      timeoutSeconds: 300,
    });
  });

  test("names the absolute timeout as such", async () => {
    const { browser, clock } = world({ idle: null, absolute: "1h" });
    const visitor = browser();
    await visitor.visit((session) => session.login("ada"));
    clock.advance(HOUR + SECOND);
    expect(await visitor.visit((session) => timeoutAnswer(session, clock))).toEqual({
      code: "SESSION_TIMEOUT",
      why: "absolute",
      idleSeconds: 3_601,
      timeoutSeconds: null,
    });
  });

  test.each([
    ["an alive session", async () => {}],
    ["a revoked one", (made: ReturnType<typeof world>) => made.sessions.revokeAll("ada")],
  ])("says nothing of %s", async (_, end) => {
    const made = world();
    const visitor = made.browser();
    await visitor.visit((session) => session.login("ada"));
    await end(made);
    expect(await visitor.visit((session) => timeoutAnswer(session, made.clock))).toBeNull();
  });
});
