/** [F-10] Watching: how it is asked for, how it stops, and listeners that fail. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Logger } from "../src/events.ts";
import type { Ending } from "../src/store/contract.ts";
import { HOUR } from "./support/clock.ts";
import { settled } from "./support/intercept.ts";
import { watch, watched } from "./support/watching.ts";
import { failureCode, must, range, world } from "./support/world.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("watching ends", () => {
  test("when it is stopped: nothing is told, no timer stays, nobody listens", async () => {
    const made = await watched();
    const first = await watch(made, made.other);
    const second = await watch(made, made.other);
    for (const _ of range(5)) made.bus.reopen();
    await settled(3);
    expect(vi.getTimerCount()).toBe(2);
    first.stop();
    first.stop();
    expect(vi.getTimerCount()).toBe(1);
    second.stop();
    expect(vi.getTimerCount()).toBe(0);
    made.gate.hold("read", "after");
    const seen: Ending[] = [];
    const third = made.other.sessions.watch(HANDLE, (ending) => seen.push(ending));
    await made.gate.reached("read");
    third();
    made.gate.open();
    await made.sessions.revokeAll("ada");
    await made.pass(HOUR);
    expect([...first.endings, ...second.endings, ...seen]).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("with close(): no timer, no listener, and a later watch() is refused", async () => {
    const made = await watched();
    const { endings } = await watch(made, made.other);
    const { other } = made;
    const before = made.bus.listening;
    await other.sessions.close();
    expect(vi.getTimerCount()).toBe(0);
    expect(made.bus.listening).toBe(before - 1);
    made.bus.reopen();
    await made.pass(HOUR);
    expect(endings).toEqual([]);
    expect(await failureCode(() => other.sessions.watch(HANDLE, () => {}))).toBe(
      "SOJOURN_STORE_CLOSED",
    );
  });

  test("at once for a session that nobody knows, or that is over already", async () => {
    const made = await watched();
    const handle = must(await made.visitor.visit((session) => session.handle));
    await made.sessions.revoke(handle, "stolen phone");
    const seen: Ending[] = [];
    for (const one of [handle, HANDLE]) made.sessions.watch(one, (ending) => seen.push(ending));
    await settled(3);
    expect(seen).toMatchObject([
      { why: "revoked", reason: "stolen phone" },
      { why: "revoked", reason: "nothing is known of this session" },
    ]);
  });
});

const HANDLE = `AAA${"b".repeat(16)}`;

describe("watch()", () => {
  test.each(["", "ada", "x".repeat(19) + "!", `${HANDLE}=`, "__proto__"])(
    "refuses %j as a handle",
    async (handle) => {
      const { sessions } = world();
      expect(await failureCode(() => sessions.watch(handle, () => {}))).toBe(
        "SOJOURN_OPTIONS_INVALID",
      );
    },
  );

  test.each([0, 30, -1, "0s", "soon", "25d", Number.NaN])("refuses every: %j", async (every) => {
    const { sessions } = world();
    expect(await failureCode(() => sessions.watch(HANDLE, () => {}, { every }))).toBe(
      "SOJOURN_OPTIONS_INVALID",
    );
  });

  test("a listener that throws or rejects disturbs nobody, and is logged", async () => {
    const lines: [object, string][] = [];
    const log = (): void => {};
    const error = (facts: object, message: string): void => void lines.push([facts, message]);
    const logger: Logger = { debug: log, info: log, warn: log, error };
    const { sessions } = world({ logger });
    const { session } = await sessions.create({ principal: "ada" });
    const seen: string[] = [];
    sessions.watch(session.handle, () => {
      throw new Error("bad listener");
    });
    // oxlint-disable-next-line typescript/no-misused-promises -- the case
    sessions.watch(session.handle, () => Promise.reject(new Error("worse listener")));
    sessions.watch(session.handle, ({ why }) => seen.push(why));
    await sessions.revokeAll("ada");
    await settled(5);
    expect(seen).toEqual(["revoked"]);
    expect(lines).toMatchObject([
      [{ err: { message: "bad listener" } }, "a listener of sessions.watch() threw"],
      [{ err: { message: "worse listener" } }, "a listener of sessions.watch() threw"],
    ]);
  });

  test("without a logger that is a process warning", async () => {
    const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const { sessions } = world();
    sessions.watch(HANDLE, () => {
      throw new Error("bad listener");
    });
    await settled(5);
    expect(String(warn.mock.calls[0]?.[0])).toContain("bad listener");
  });
});
