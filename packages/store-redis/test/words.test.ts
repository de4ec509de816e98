/** Numbers at the head of a text, read one by one. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
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

describe("what is none", () => {
  test.each(["", " ", "  1", "1  2"])("%j", (text) => {
    const read = new Words(text);
    const expected = text.split(" ").map((each) => (each === "" ? NaN : Number(each)));
    expect(expected.map(() => read.number())).toEqual(expected);
  });
});
