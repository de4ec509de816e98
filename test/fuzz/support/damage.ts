/** Valid texts and bytes with something wrong, and values that nobody expects. */
import * as fc from "fast-check";

const MOST_CHANGES = 4;
const PIECES = [
  "",
  ".",
  "=",
  ";",
  "; ",
  ",",
  '"',
  "%",
  "\\",
  "\0",
  "\t",
  "\r\n",
  "\n",
  "A",
  "-",
  "_",
  "+",
  "/",
  "{",
  "}",
  "null",
  "__proto__",
  "\u00e9",
  "\ud800",
  "\u{1f600}",
] as const;

interface Edit {
  readonly how: "insert" | "replace" | "remove" | "double" | "cut" | "upper";
  readonly at: number;
  readonly length: number;
  readonly piece: string;
}

const edit = (length: number): fc.Arbitrary<Edit> =>
  fc.record({
    how: fc.constantFrom("insert", "replace", "remove", "double", "cut", "upper"),
    at: fc.nat(length),
    length: fc.oneof(fc.constant(1), fc.nat(12)),
    piece: fc.oneof(fc.constantFrom(...PIECES), fc.string({ unit: "binary", maxLength: 6 })),
  });

function apply(text: string, { how, at, length, piece }: Edit): string {
  const [before, middle, after] = [
    text.slice(0, at),
    text.slice(at, at + length),
    text.slice(at + length),
  ];
  switch (how) {
    case "insert":
      return before + piece + middle + after;
    case "replace":
      return before + piece + after;
    case "remove":
      return before + after;
    case "double":
      return before + middle + middle + after;
    case "cut":
      return before;
    case "upper":
      return before + middle.toUpperCase() + after;
  }
}

/** The text with 1 to 4 changes; now and then they leave it as it was. */
export function damaged(text: string): fc.Arbitrary<string> {
  const edits = fc.array(edit(text.length), { minLength: 1, maxLength: MOST_CHANGES });
  return edits.map((all) => all.reduce(apply, text));
}

/** The bytes with 1 to 4 bits flipped, runs cut out, put in, set to zero, or their end cut off. */
export function damagedBytes(bytes: Buffer): fc.Arbitrary<Buffer> {
  const change = fc.record({
    at: fc.nat(bytes.length),
    length: fc.oneof(fc.constant(1), fc.nat(200)),
    how: fc.constantFrom("flip", "remove", "zero", "cut", "insert", "move"),
    insert: fc.uint8Array({ maxLength: 24 }),
  });
  return fc.array(change, { minLength: 1, maxLength: MOST_CHANGES }).map((changes) =>
    changes.reduce((present, { at, length, how, insert }) => {
      const [before, after] = [present.subarray(0, at), present.subarray(at + length)];
      const middle = Buffer.from(present.subarray(at, at + length));
      if (how === "flip" && middle.length > 0) middle[0] = (middle[0] ?? 0) ^ (1 << (length & 7));
      if (how === "zero") middle.fill(0);
      if (how === "cut") return before;
      if (how === "remove") return Buffer.concat([before, after]);
      if (how === "insert") return Buffer.concat([before, insert, middle, after]);
      return Buffer.concat(how === "move" ? [after, before, middle] : [before, middle, after]);
    }, bytes),
  );
}

/** Any text, short or long, of any characters. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: "binary", maxLength: 60 }),
  fc.string({ maxLength: 200 }),
  fc.constantFrom(...PIECES),
  fc.nat(2_000).map((length) => "A".repeat(length)),
);

/** A value of the wrong type, or a right one with the wrong content. */
export const anyValue: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom<unknown>(...oddities()) },
  { weight: 2, arbitrary: anyText },
  { weight: 2, arbitrary: fc.oneof(fc.integer(), fc.double(), fc.bigInt()) },
  { weight: 2, arbitrary: fc.anything({ withNullPrototype: true, maxDepth: 2 }) },
  { weight: 1, arbitrary: fc.json({ maxDepth: 2 }).map((text) => JSON.parse(text) as unknown) },
);

function oddities(): unknown[] {
  const proto: unknown = JSON.parse('{"__proto__":{"polluted":true},"constructor":1,"toString":1}');
  const values = [undefined, null, true, false, 0, -1, 1, NaN, Infinity, -0, 2 ** 53, 1e308, 0.5];
  return [...values, "", "__proto__", "x".repeat(70_000), proto, [], [proto], {}, () => 1];
}

/** An object with one or two of its properties replaced, taken away or added. */
export function spoiled(good: Readonly<Record<string, unknown>>): fc.Arbitrary<unknown> {
  const name = fc.constantFrom(...Object.keys(good), "__proto__", "ending", "extra");
  const change = fc.record({ name, value: anyValue, remove: fc.boolean() });
  return fc.array(change, { maxLength: 2 }).map((changes) => {
    const bad = { ...good };
    for (const { name: at, value, remove } of changes) {
      if (remove) delete bad[at];
      else Object.defineProperty(bad, at, { value, enumerable: true, configurable: true });
    }
    return bad;
  });
}
