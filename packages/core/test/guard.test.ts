/** G7: what the guard of a store does with an answer that came too late. */
import { expect, test, vi } from "vitest";
import { Breaker } from "../src/store/breaker.ts";
import { StoreGuard } from "../src/store/guard.ts";
import { memoryStore } from "../src/store/memory/store.ts";
import { failureCode } from "./support/world.ts";

test.each([
  ["fails", () => Promise.reject(new Error("away"))],
  [
    "throws at once",
    () => {
      throw new TypeError("the client is closed");
    },
  ],
])("[G7] what came too late and cannot be taken back is told: the undo %s", async (_, undo) => {
  const told: string[] = [];
  const breaker = new Breaker(null, { down: () => {}, up: () => {} });
  const onFailure = (operation: string): void => void told.push(operation);
  const guard = new StoreGuard(memoryStore(), { deadlineMs: 20, breaker, onFailure });
  let answer: (found: null) => void = () => {};
  const run = (): Promise<null> => new Promise((resolve) => (answer = resolve));
  expect(await failureCode(guard.call("read", run, { undo }))).toBe("SOJOURN_STORE_TIMEOUT");
  answer(null);
  await vi.waitFor(() => expect(told).toEqual(["read", "undo read"]));
});
