/** The options: one error for all problems. */
import { expect, test } from "vitest";
import { fileStore } from "../src/index.ts";
import type { FileStoreOptions } from "../src/index.ts";
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
