/** A planted cookie beside the genuine one. */
import { expect, test } from "vitest";
import { must, world } from "./support/world.ts";

test("T-COOK2 one valid cookie beside a forged one of our name: the session, and an event that says so", async () => {
  const { browser, told } = world();
  const visitor = browser();
  await visitor.visit((session) => session.login("ada"));
  const { session } = await visitor.open(`__Host-sid=forged; ${must(visitor.cookie)}`);
  expect(session.principal).toBe("ada");
  expect(told("cookie-rejected")).toMatchObject([{ reason: "duplicate" }]);
});
