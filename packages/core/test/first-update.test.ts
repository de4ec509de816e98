/** `update()` on a session that the store has not seen yet. */
import { expect, test } from "vitest";
import { memoryStore } from "../src/store/memory/store.ts";
import { fakeClock } from "./support/clock.ts";
import { failureCode, world } from "./support/world.ts";

test("an update() that the store refuses leaves the changes made before it, for the commit", async () => {
  const clock = fakeClock();
  const memory = memoryStore({ clock });
  let isDown = true;
  const store = new Proxy(memory, {
    get: (target, key) =>
      key === "create" && isDown
        ? () => Promise.reject(new Error("down"))
        : Reflect.get(target, key, target),
  });
  const visitor = world({ clock, store }).browser();
  await visitor.visit(async (session) => {
    session.set("cart", ["teapot"]);
    expect(await failureCode(session.update((data) => void (data["n"] = 1)))).toBe(
      "SOJOURN_STORE_UNAVAILABLE",
    );
    isDown = false;
  });
  expect(await visitor.visit((session) => session.toJSON())).toEqual({ cart: ["teapot"] });
});

test("login() refuses an onLimit that does not exist", async () => {
  const visitor = world().browser();
  const code = await visitor.visit((session) =>
    failureCode(session.login("ada", { max: 1, onLimit: "oldest" as "reject" })),
  );
  expect(code).toBe("SOJOURN_OPTIONS_INVALID");
});
