/** A store that fails in the middle of an import: an error with a code, and the rest when it is repeated. */
import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { memoryStore } from "../../src/store/memory/store.ts";
import { fakeClock } from "../support/clock.ts";
import { interceptStore } from "../support/intercept.ts";
import { failure, range, world } from "../support/world.ts";
import {
  accountedFor,
  contents,
  imported,
  inOrder,
  sessionRecord,
  snapshotWith,
} from "./support.ts";

const clock = fakeClock();

describe("[A-05] a store that fails during an import", () => {
  /** A manager whose store takes so many records and then behaves so, until it is `back`. */
  function breaking(after: number, how: "fails" | "hangs") {
    const inner = memoryStore({ clock });
    let left = after;
    const store = interceptStore(inner, (operation, run) => {
      if (operation !== "adopt" || left-- > 0) return run();
      return how === "fails" ? Promise.reject(new Error("ECONNREFUSED")) : new Promise(() => {});
    });
    const made = world({ clock, store, storeDeadline: "20ms", breaker: false });
    return { ...made, inner, back: () => (left = Infinity) };
  }

  test.for([
    ["fails", "SOJOURN_STORE_UNAVAILABLE"],
    ["hangs", "SOJOURN_STORE_TIMEOUT"],
  ] as const)("[A-05] one that %s: %s, and repeated, the rest is restored", async ([how, code]) => {
    const { sessions, inner, back, told } = breaking(300, how);
    const records = range(700).map(() => sessionRecord(clock));
    const snapshot = snapshotWith(records);
    const error = await failure(imported(sessions, snapshot, { batchSize: 100 }));
    expect(error.code).toBe(code);
    expect(told("restored")).toEqual([]);
    expect(await contents(inner)).toHaveLength(300);
    back();
    const result = await imported(sessions, snapshot);
    expect(result).toMatchObject({ restored: 400, skipped: { duplicate: 300 } });
    expect(accountedFor(result)).toBe(700);
    expect(await contents(inner)).toEqual(inOrder(records));
  });

  test("[A-05] one that takes long for a batch, but less than ten deadlines, is waited for", async () => {
    const inner = memoryStore({ clock });
    const store = interceptStore(inner, async (operation, run) => {
      if (operation === "adopt") await pause(40);
      return run();
    });
    const { sessions } = world({ clock, store, storeDeadline: "20ms", breaker: false });
    const snapshot = snapshotWith(range(50).map(() => sessionRecord(clock)));
    expect(await imported(sessions, snapshot)).toMatchObject({ restored: 50 });
  });
});
