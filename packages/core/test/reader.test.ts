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
function reading(read: () => Found | Promise<Found>) {
  const told: string[] = [];
  const given: unknown[] = [];
  const store: Store = { ...memoryStore(), read };
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
    failed(error) {
      given.push(error instanceof SojournError ? error.code : error);
      return "no session";
    },
  };
  return { guard, reader, told, given };
}

const TIMES = {
  "at hand": (found: Found) => found,
  later: (found: Found) => Promise.resolve(found),
};

describe.each(Object.entries(TIMES))("an answer %s", (_, answer) => {
  test("is what the reader makes of it", async () => {
    const { guard, reader, given } = reading(() => answer(null));
    expect(await guard.readFor(reader, REF)).toBe("a session");
    expect(given).toEqual([null]);
  });

  test("may be made of a promise", async () => {
    const { guard, reader } = reading(() => answer(null));
    const late = { ...reader, answered: () => Promise.resolve("a session, later") };
    expect(await guard.readFor(late, REF)).toBe("a session, later");
  });

  test("that the contract does not allow is a failure, told once", async () => {
    const { guard, reader, told, given } = reading(() => answer(CORRUPT));
    expect(await guard.readFor(reader, REF)).toBe("no session");
    expect(given).toEqual(["SOJOURN_STORE_CORRUPT"]);
    expect(told).toEqual(["read SOJOURN_STORE_CORRUPT"]);
  });

  test("whose reader throws is no failure of the store", async () => {
    const { guard, reader, told } = reading(() => answer(null));
    const failing = {
      ...reader,
      answered() {
        throw new RangeError("the reader's own");
      },
    };
    await expect((async () => guard.readFor(failing, REF))()).rejects.toThrow("the reader's own");
    expect(told).toEqual([]);
    expect(await guard.readFor(reader, REF)).toBe("a session");
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

  test.each(FAILURES)("%s: the reader says what that means", async (_, read, code) => {
    const { guard, reader, told, given } = reading(read);
    expect(await guard.readFor(reader, REF)).toBe("no session");
    expect(given).toEqual([code]);
    expect(told).toEqual([`read ${code}`]);
  });

  test.each(FAILURES)("%s: the reader may throw the error", async (_, read, code) => {
    const { guard, reader } = reading(read);
    const throwing = {
      ...reader,
      failed(error: unknown): never {
        throw error;
      },
    };
    expect(await failureCode(Promise.resolve(guard.readFor(throwing, REF)))).toBe(code);
  });

  test("nor is one asked for, while the calls are stopped", async () => {
    const { guard, reader, given } = reading(() => Promise.reject(new Error("ECONNREFUSED")));
    for (const _ of [1, 2]) expect(await guard.readFor(reader, REF)).toBe("no session");
    expect(given).toEqual(["SOJOURN_STORE_UNAVAILABLE", "SOJOURN_STORE_UNAVAILABLE"]);
  });

  test("what comes when the time is over is told to no reader", async () => {
    const late = pause(40, null);
    const { guard, reader, given } = reading(() => late);
    expect(await guard.readFor(reader, REF)).toBe("no session");
    await late;
    expect(given).toEqual(["SOJOURN_STORE_TIMEOUT"]);
  });
});
