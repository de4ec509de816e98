import { expect, test } from "vitest";
import { createSessionManager } from "../src/index.ts";

const secret = "x".repeat(32);

test("a storeDeadline of 10 minutes is accepted; one more second is refused, as no timer reaches far", () => {
  expect(() => createSessionManager({ secret, logger: false, storeDeadline: "10m" })).not.toThrow();
  expect(() => createSessionManager({ secret, logger: false, storeDeadline: "601s" })).toThrow(
    /storeDeadline: must be at most '10m'/,
  );
});
