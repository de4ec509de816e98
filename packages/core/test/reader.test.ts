/** A reader, told of a store's answer by the guard. */
import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { SojournError } from "../src/errors.ts";
import { Breaker } from "../src/store/breaker.ts";
import type { Found, Store } from "../src/store/contract.ts";
import { StoreGuard } from "../src/store/guard.ts";
import { memoryStore } from "../src/store/memory/store.ts";
import type { Reader } from "../src/store/reader.ts";
import { failureCode } from "./support/world.ts";

const REF = { kind: "session", handle: "AAAaaaaaaaaaaaaaaaa" } as never;
const CORRUPT = { version: "1" } as never;

/** A guard over a store whose reads answer so, a reader that notes what it is told, and what the guard told. */
function reading(answer: () => Found | Promise<Found>) {
  const told: string[] = [];
  const given: unknown[] = [];
  const store: Store = { ...memoryStore(), read: answer };
  const breaker = new Breaker({ failures: 1, pauseMs: 60_000 }, { down() {}, up() {} });
  const guard = new StoreGuard(store, {
    deadlineMs: 20,
    breaker,
    onFailure: (operation, code) => told.push(`${operation} ${code}`),
  });
  const reader: Reader<Found, string> = {
    answered(found) {
      given.push(found);
      return "a session";
    },
  };
  const failed = (error: unknown): string => {
    given.push(error instanceof SojournError ? error.code : error);
    return "no session";
  };
  /** What comes of a read; what the reader or the failure was is noted. */
  const read = async (): Promise<string> =>
    Promise.resolve(guard.readFor(reader, REF)).catch(failed);
  return { guard, reader, read, told, given };
}

const TIMES = {
  "at hand": (found: Found) => found,
  later: (found: Found) => Promise.resolve(found),
};

describe.each(Object.entries(TIMES))("an answer %s", (_, answer) => {
  test("is what the reader makes of it", async () => {
    const { read, given } = reading(() => answer(null));
    expect(await read()).toBe("a session");
    expect(given).toEqual([null]);
  });

  test("may be made of a promise", async () => {
    const { guard, reader } = reading(() => answer(null));
    const late = { ...reader, answered: () => Promise.resolve("a session, later") };
    expect(await guard.readFor(late, REF)).toBe("a session, later");
  });

  test("that the contract does not allow is a failure, told once", async () => {
    const { read, told, given } = reading(() => answer(CORRUPT));
    expect(await read()).toBe("no session");
    expect(given).toEqual(["SOJOURN_STORE_CORRUPT"]);
    expect(told).toEqual(["read SOJOURN_STORE_CORRUPT"]);
  });

  test("whose reader throws is no failure of the store", async () => {
    const { guard, reader, read, told } = reading(() => answer(null));
    const failing = {
      ...reader,
      answered() {
        throw new RangeError("the reader's own");
      },
    };
    await expect((async () => guard.readFor(failing, REF))()).rejects.toThrow("the reader's own");
    expect(told).toEqual([]);
    expect(await read()).toBe("a session");
  });
});

describe("no answer", () => {
  const FAILURES: readonly (readonly [string, () => Promise<never>, string])[] = [
    [
      "the store is away",
      () => Promise.reject(new Error("ECONNREFUSED")),
      "SOJOURN_STORE_UNAVAILABLE",
    ],
    ["the store is silent", () => new Promise(() => {}), "SOJOURN_STORE_TIMEOUT"],
  ];

  test.each(FAILURES)("%s: told by the call, and to no reader", async (_, answer, code) => {
    const { read, told, given } = reading(answer);
    expect(await read()).toBe("no session");
    expect(given).toEqual([code]);
    expect(told).toEqual([`read ${code}`]);
  });

  test.each(FAILURES)("%s: a rejection", async (_, answer, code) => {
    const { guard, reader } = reading(answer);
    expect(await failureCode(Promise.resolve(guard.readFor(reader, REF)))).toBe(code);
  });

  test("nor is one asked for, while the calls are stopped", async () => {
    const { read, given } = reading(() => Promise.reject(new Error("ECONNREFUSED")));
    for (const _ of [1, 2]) expect(await read()).toBe("no session");
    expect(given).toEqual(["SOJOURN_STORE_UNAVAILABLE", "SOJOURN_STORE_UNAVAILABLE"]);
  });

  test("the call that tries again, when the pause is over, has a reader too", async () => {
    let isAway = true;
    const { read, given } = reading(() =>
      isAway ? Promise.reject(new Error("ECONNREFUSED")) : null,
    );
    expect(await read()).toBe("no session");
    isAway = false;
    await pause(150);
    expect(await read()).toBe("a session");
    expect(given).toEqual(["SOJOURN_STORE_UNAVAILABLE", null]);
  });

  test("what comes when the time is over is told to no reader", async () => {
    const late = pause(40, null);
    const { read, given } = reading(() => late);
    expect(await read()).toBe("no session");
    await late;
    expect(given).toEqual(["SOJOURN_STORE_TIMEOUT"]);
  });
});
