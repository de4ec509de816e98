/** A store that has the answer to a read at hand gives it at once: nobody waits, and nothing else changes. */
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { Breaker } from "../src/store/breaker.ts";
import type { Found, Store } from "../src/store/contract.ts";
import { StoreGuard } from "../src/store/guard.ts";
import { memoryStore } from "../src/store/memory/store.ts";
import { fakeClock } from "./support/clock.ts";
import { failureCode, world } from "./support/world.ts";

const REF = { kind: "session", handle: "AAAaaaaaaaaaaaaaaaa" } as never;

/** A guard over a store whose reads answer so; what it told. */
function guarded(read: (asked: number) => Found | Promise<Found>) {
  const told: unknown[] = [];
  const calls: string[] = [];
  let asked = 0;
  const store: Store = { ...memoryStore(), read: () => read((asked += 1)) };
  const breaker = new Breaker(
    { failures: 2, pauseMs: 1_000 },
    { down: (code) => told.push(code), up: () => told.push("up") },
  );
  const guard = new StoreGuard(store, {
    deadlineMs: 20,
    breaker,
    onFailure: (operation, code) => told.push(`${operation} ${code}`),
    onCall: (operation, seconds) => calls.push(`${operation} ${seconds >= 0}`),
  });
  return { guard, told, calls, asked: () => asked };
}

const away = (): Promise<never> => Promise.reject(new Error("ECONNREFUSED"));

describe("the guard", () => {
  test("hands an answer on at once, and measures it", () => {
    const { guard, told, calls } = guarded(() => null);
    expect(guard.read(REF)).toBeNull();
    expect(told).toEqual([]);
    expect(calls).toEqual(["read true"]);
  });

  test("an answer that the contract does not allow is a rejection, and told", async () => {
    const { guard, told } = guarded(() => ({ version: "1" }) as never);
    expect(await failureCode(guard.read(REF))).toBe("SOJOURN_STORE_CORRUPT");
    expect(told).toEqual(["read SOJOURN_STORE_CORRUPT"]);
  });

  test("a store that throws is one that failed", async () => {
    const { guard, told } = guarded(() => {
      throw new TypeError("the client is closed");
    });
    expect(await failureCode(guard.read(REF))).toBe("SOJOURN_STORE_UNAVAILABLE");
    expect(told).toEqual(["read SOJOURN_STORE_UNAVAILABLE"]);
  });

  test("an answer at hand between two failures does not hide that the store is away", async () => {
    const { guard, told } = guarded((asked) => (asked === 2 ? null : away()));
    await failureCode(guard.read(REF));
    expect(guard.read(REF)).toBeNull();
    await failureCode(guard.read(REF));
    expect(told).toContain("SOJOURN_STORE_UNAVAILABLE");
  });

  test("while the calls are stopped, the store is not asked for what may be at hand either", async () => {
    const { guard, asked } = guarded(away);
    for (const _ of [1, 2]) await failureCode(guard.read(REF));
    expect(await failureCode(guard.read(REF))).toBe("SOJOURN_STORE_UNAVAILABLE");
    expect(asked()).toBe(2);
  });

  test("a promise of another realm is waited for, within the deadline", async () => {
    const foreign = (text: string) => (): Promise<null> => runInNewContext(text);
    const { guard } = guarded(foreign("Promise.resolve(null)"));
    expect(await guard.read(REF)).toBeNull();
    const never = guarded(foreign("new Promise(() => {})"));
    expect(await failureCode(never.guard.read(REF))).toBe("SOJOURN_STORE_TIMEOUT");
  });
});

test("a request waits for nothing where the store has its session at hand", async () => {
  const clock = fakeClock();
  const made = world({ clock, store: memoryStore({ clock }) });
  const browser = made.browser();
  await browser.visit((session) => session.login("ada"));
  const begun = made.pipeline.begin({
    cookieHeader: browser.cookie,
    secure: true,
    client: () => ({}),
  });
  expect(begun).not.toBeInstanceOf(Promise);
  expect((await begun).session.principal).toBe("ada");
});

test("the memory store rejects a read when it is closed", async () => {
  const store = memoryStore();
  await store.close();
  const answer = store.read(REF);
  expect(answer).toBeInstanceOf(Promise);
  expect(await failureCode(Promise.resolve(answer))).toBe("SOJOURN_STORE_CLOSED");
});
