/** [B-19] What a store advises at start comes out of ready() as warnings, once, and what fails there fails it. */
import { describe, expect, test, vi } from "vitest";
import type { Logger } from "../src/events.ts";
import type { Advice, Store } from "../src/store/contract.ts";
import { SojournError } from "../src/errors.ts";
import { memoryStore } from "../src/store/memory/store.ts";
import { SECRET, failureCode, world } from "./support/world.ts";

const ADVICE: Advice[] = [
  { topic: "eviction-policy", message: "it throws sessions away: CONFIG SET …" },
  { topic: "persistence", message: "a crash logs everyone out" },
];

function advising(advise: () => Promise<readonly Advice[]>, open?: () => Promise<void>): Store {
  return { ...memoryStore(), advise, ...(open ? { open } : {}) };
}

function capture(): Logger & { warnings: [object, string][] } {
  const warnings: [object, string][] = [];
  const log = (): void => {};
  const warn = (facts: object, message: string): void => void warnings.push([facts, message]);
  return { warnings, debug: log, info: log, warn, error: log };
}

describe("[B-19] ready()", () => {
  test("warns of each piece of advice, with its topic, and once however often it is called", async () => {
    const logger = capture();
    const { sessions } = world({ logger, store: advising(async () => ADVICE) });
    expect(logger.warnings).toEqual([]);
    await sessions.ready();
    await sessions.ready();
    expect(logger.warnings).toEqual([
      [
        { topic: "store-eviction-policy" },
        "sojourn: memory store: it throws sessions away: CONFIG SET …",
      ],
      [{ topic: "store-persistence" }, "sojourn: memory store: a crash logs everyone out"],
    ]);
  });

  test("warns through the process where there is no logger, and not at all with logger: false", async () => {
    const emit = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const store = advising(async () => ADVICE);
    await world({ store, logger: false }).sessions.ready();
    expect(emit).not.toHaveBeenCalled();
    const { createSessionManager } = await import("../src/create.ts");
    await createSessionManager({ secret: SECRET, store }).sessions.ready();
    expect(emit.mock.calls.map(([, options]) => options)).toMatchObject([
      { type: "SojournWarning", code: "SOJOURN_STORE_EVICTION_POLICY" },
      { type: "SojournWarning", code: "SOJOURN_STORE_PERSISTENCE" },
    ]);
    vi.restoreAllMocks();
  });

  test("says nothing of a store that has nothing to say", async () => {
    const logger = capture();
    await world({ logger, store: advising(async () => []) }).sessions.ready();
    await world({ logger }).sessions.ready();
    expect(logger.warnings).toEqual([]);
  });

  test("asks for advice when the store is open, not before", async () => {
    const order: string[] = [];
    const store = advising(
      async () => {
        order.push("advise");
        return [];
      },
      async () => void order.push("open"),
    );
    await world({ store }).sessions.ready();
    expect(order).toEqual(["open", "advise"]);
  });

  test("rejects when the store is away, in opening as in advising", async () => {
    const away = (): Promise<never> =>
      Promise.reject(new SojournError("SOJOURN_STORE_UNAVAILABLE", "away"));
    const opening = world({ store: advising(async () => ADVICE, away) });
    expect(await failureCode(opening.sessions.ready())).toBe("SOJOURN_STORE_UNAVAILABLE");
    const asking = world({ store: advising(away) });
    expect(await failureCode(asking.sessions.ready())).toBe("SOJOURN_STORE_UNAVAILABLE");
  });
});
