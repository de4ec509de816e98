/** What the core makes of a store that breaks its contract. */
import { describe, expect, test } from "vitest";
import { memoryStore } from "../src/store/memory/store.ts";
import { fakeClock } from "./support/clock.ts";
import { interceptStore } from "./support/intercept.ts";
import { failureCode, must, world } from "./support/world.ts";

/** A visitor who is logged in, on a store whose later answers to one operation are made up. */
async function lying(operation: string, answer: (real: unknown) => unknown) {
  const clock = fakeClock();
  let lies = false;
  const store = interceptStore(memoryStore({ clock }), async (name, run) => {
    const real = await run();
    return lies && name === operation ? answer(real) : real;
  });
  const made = world({ clock, store, storeDeadline: "20ms" });
  const visitor = made.browser();
  await visitor.visit((session) => session.set("a", 1) && session.login("ada"));
  lies = true;
  return { ...made, visitor };
}

describe("a store that always says conflict", () => {
  test.each([
    ["login", (session) => session.login("bob")],
    ["rotate", (session) => session.rotate()],
    ["elevate", (session) => session.elevate()],
  ] satisfies [string, (session: Awaited<ReturnType<typeof open>>) => Promise<unknown>][])(
    "%s gives up after the deadline with SOJOURN_UPDATE_CONFLICT, where it went on for ever",
    async (_verb, act) => {
      const { visitor, store } = await lying("replace", () => ({ status: "conflict", record }));
      const { handle } = (await visitor.clone().open()).session;
      const record = must(await store.read({ kind: "session", handle: must(handle) as never }));
      expect(await failureCode(visitor.visit(act))).toBe("SOJOURN_UPDATE_CONFLICT");
    },
  );
});

async function open(visitor: Awaited<ReturnType<typeof lying>>["visitor"]) {
  return (await visitor.open()).session;
}

describe("answers that the contract does not allow", () => {
  const spoil = (field: string, value: unknown) => (real: unknown) => ({
    ...(real as object),
    [field]: value,
  });
  test.each([
    ["undefined", () => undefined],
    ["a text", () => "record"],
    ["a list", () => []],
    ["a payload that is no text", spoil("payload", null)],
    ["an instant as text", spoil("expiresAt", "9999999999999")],
    ["an instant that is no number", spoil("absoluteExpiresAt", Number.NaN)],
    ["a version as text", spoil("version", "1")],
    ["an owner that is an object", spoil("owner", {})],
    ["a handle that is missing", spoil("handle", undefined)],
    ["an ending that is nothing", spoil("ending", undefined)],
    ["an ending for another reason", spoil("ending", { why: "toString", at: 1 })],
    ["an ending without instant", spoil("ending", { why: "logout" })],
  ])("read: %s is SOJOURN_STORE_CORRUPT, and an event", async (_what, answer) => {
    const { visitor, told } = await lying("read", answer);
    expect(await failureCode(visitor.open())).toBe("SOJOURN_STORE_CORRUPT");
    expect(told("store-failed")).toMatchObject([
      { operation: "read", code: "SOJOURN_STORE_CORRUPT" },
    ]);
  });

  test.each([
    ["update", { status: "created", evicted: [] }],
    ["update", { status: "updated", record: null }],
    ["update", { status: "gone", tombstone: 1 }],
    ["touch", 1],
    ["replace", { status: "replaced", evicted: {} }],
    ["replace", { status: "replaced", evicted: [null] }],
    ["replace", { status: "refused", active: -1 }],
    ["replace", null],
  ])("%s: %j is SOJOURN_STORE_CORRUPT", async (operation, answer) => {
    const { visitor, clock } = await lying(operation, () => answer);
    if (operation === "touch") clock.advance(120_000);
    const visit = visitor.visit(async (session) => {
      if (operation === "update") session.set("a", 2);
      if (operation === "replace") await session.rotate();
    });
    expect(await failureCode(visit)).toBe("SOJOURN_STORE_CORRUPT");
  });

  test.each(["null", "[]", '"x"', "{}", '{"authenticatedAt":"1","level":1}', '{"level":1}'])(
    "a payload with the facts %s is SOJOURN_STORE_CORRUPT",
    async (facts) => {
      const { visitor } = await lying("read", spoil("payload", `${facts}\n{}`));
      expect(await failureCode(visitor.open())).toBe("SOJOURN_STORE_CORRUPT");
    },
  );
});
