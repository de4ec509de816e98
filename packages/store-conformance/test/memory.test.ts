/** The memory store keeps every law of the contract. */
import { describe, test } from "vitest";
import { memoryStore } from "@sojourn/core";
import { conformance } from "@sojourn/store-conformance";

describe("memoryStore()", () => {
  for (const { name, run } of conformance({
    name: "memory",
    open: async (clock) => memoryStore({ clock }),
  })) {
    test(name, run);
  }
});
