/** Numbers at the head of a text, read one by one. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { foundAt, updated } from "../src/answers.ts";
import { Words } from "../src/words.ts";

/** As Lua writes them, and as a text that is no number. */
const word = fc.oneof(
  fc.maxSafeInteger().map(String),
  fc.nat().map(String),
  fc.double().map(String),
  fc.double().map((number) => number.toExponential()),
  fc.bigInt().map(String),
  fc.stringMatching(/^[0-9a-z+.:/-]+$/),
);

test("are what Number makes of the words", () => {
  fc.assert(
    fc.property(fc.array(word, { minLength: 1 }), (words) => {
      const read = new Words(words.join(" "));
      expect(words.map(() => read.number())).toEqual(words.map(Number));
      expect(read.number()).toBeNaN();
    }),
    { numRuns: 2_000 },
  );
});

test("leave what is behind them", () => {
  const read = new Words("1 2 behind them\0", 15);
  expect([read.number(), read.number(), read.rest()]).toEqual([1, 2, "behind them"]);
  expect(new Words("1").rest()).toBe("1");
  const over = new Words("1 2");
  expect([over.number(), over.number(), over.rest()]).toEqual([1, 2, ""]);
});

test("end where they are said to end", () => {
  fc.assert(
    fc.property(fc.array(word, { minLength: 1 }), fc.string(), (words, behind) => {
      const text = words.join(" ");
      const read = new Words(text + behind, text.length);
      expect(words.map(() => read.number())).toEqual(words.map(Number));
      expect(read.number()).toBeNaN();
    }),
  );
});

describe("an answer", () => {
  const ref = { kind: "session", key: "abA.key" as never };
  const whole = "3 1 2 4 8 abAhandle\0abA.ada\0the payload";

  test("of the ordinary form is a record", () => {
    expect(foundAt(ref, whole)).toEqual({
      ...ref,
      handle: "abAhandle",
      owner: "abA.ada",
      version: 3,
      createdAt: 1,
      seenAt: 2,
      expiresAt: 4,
      absoluteExpiresAt: 8,
      payload: "the payload",
    });
    expect(updated(ref, "3 1 2 4 8 abAhandle\0\0", "what was written")).toMatchObject({
      record: { owner: null, payload: "what was written" },
    });
  });

  test.each(["", "\0", "3 1 2 4 8 abAhandle", "3 1 2 4 8 abAhandle\0", "3 1 2 4 8\0\0", "\0\0"])(
    "%j is none",
    (answer) => {
      expect(() => foundAt(ref, answer)).toThrow("an answer in no known form");
    },
  );

  test("of a handle is in the other form", () => {
    expect(() => foundAt({ kind: "session", handle: "abAhandle" as never }, whole)).toThrow(
      "an answer in no known form",
    );
  });
});

describe("what is none", () => {
  test.each(["", " ", "  1", "1  2"])("%j", (text) => {
    const read = new Words(text);
    const expected = text.split(" ").map((each) => (each === "" ? NaN : Number(each)));
    expect(expected.map(() => read.number())).toEqual(expected);
  });
});
