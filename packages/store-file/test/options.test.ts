/** The options: one error for all problems. */
import { expect, test } from "vitest";
import { fileStore } from "../src/index.ts";
import type { FileStoreOptions } from "../src/index.ts";
import { parseOptions } from "../src/options.ts";
import { newPath } from "./support/place.ts";

test("lists every problem with its option", () => {
  const wrong = {
    path: "",
    durability: "maybe",
    compactAfter: -1,
    maxRecords: 0.5,
    onCorrupt: "ignore",
    clock: {},
    onOpen: 1,
    onWarning: "x",
    sweepEvery: 30,
    unknown: true,
  };
  const options = Object.keys(wrong);
  expect(() => fileStore(wrong as never)).toThrowError(
    expect.objectContaining({
      code: "SOJOURN_OPTIONS_INVALID",
      message: expect.stringMatching(
        new RegExp(options.map((name) => `(?=.*${name})`).join("")),
      ) as string,
    }),
  );
});

test.each([undefined, null, "path", { path: "a\0b" }, { path: 5 }, {}])("refuses %j", (options) => {
  expect(() => fileStore(options as never)).toThrowError(
    expect.objectContaining({ code: "SOJOURN_OPTIONS_INVALID" }),
  );
});

test("takes an option that is undefined as absent, and opens nothing by itself", async () => {
  const options: object = { path: newPath(), durability: undefined };
  const store = fileStore(options as FileStoreOptions);
  expect(store.name).toBe("file");
  await store.close();
});

test.each([
  [undefined, 60_000],
  [1_000, 1_000],
  ["1s", 1_000],
  ["90s", 90_000],
  ["1.5h", 5_400_000],
  ["24d", 24 * 24 * 3_600_000],
])("sweepEvery %j is every %i ms", (sweepEvery, ms) => {
  const options: object = { path: newPath(), sweepEvery };
  expect(parseOptions(options as FileStoreOptions).sweepEvery).toBe(ms);
});

test.each([
  [60, "60 looks like seconds; write '60s'"],
  ["often", "is not a duration"],
  ["999ms", "must be at least '1s'"],
  [0, "must be at least '1s'"],
  ["25d", "must be at most '24d'"],
  [2 ** 31, "must be at most '24d'"],
])("refuses sweepEvery %j: %s", (sweepEvery, problem) => {
  expect(() => fileStore({ path: newPath(), sweepEvery })).toThrowError(
    expect.objectContaining({
      code: "SOJOURN_OPTIONS_INVALID",
      message: expect.stringContaining(`sweepEvery: ${problem}`) as string,
    }),
  );
});
