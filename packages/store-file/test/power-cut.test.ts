/** D-08, D-09: what a power cut leaves of the last batch is cut off; damage before it is refused. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SEAL } from "../src/line.ts";
import { batches, expectRefused, marksIn, opened, over, written } from "./support/batches.ts";
import type { Written } from "./support/batches.ts";
import { aliveAfterRestart, names, newPath, storeAt } from "./support/place.ts";
import { recordOf } from "./support/records.ts";

const EARLIER = ["one", "two", "three"];
const LAST = ["a", "b", "c", "d", "e"];
/** Line (from 1) of the first record of LAST: after the header, the seal and EARLIER. */
const FIRST_OF_LAST = 6;

type Damage = (written: Written) => Buffer;

const startOf = ({ starts }: Written, name: string): number =>
  starts[FIRST_OF_LAST - 1 + LAST.indexOf(name)] ?? NaN;
const flipIn =
  (name: string, plus: number): Damage =>
  (file) => {
    const at = startOf(file, name) + plus;
    return over(file.bytes, at, [(file.bytes[at] ?? 0) ^ 0x01] as never);
  };
const zeros =
  (from: string, to: string, shift = 0): Damage =>
  (file) => {
    const start = startOf(file, from) + shift;
    return over(file.bytes, start, Buffer.alloc(startOf(file, to) + shift - start));
  };
const lostLfBefore =
  (name: string): Damage =>
  (file) =>
    over(file.bytes, startOf(file, name) - 1, Buffer.alloc(1));

const DAMAGES: readonly (readonly [string, Damage, number])[] = [
  ["the first line has a flipped bit", flipIn("a", 30), 0],
  ["the mark of the first line has a flipped bit", flipIn("a", 8), 0],
  ["the checksum of the first line has a flipped bit", flipIn("a", 0), 0],
  ["the middle line has a flipped bit", flipIn("c", 30), 2],
  ["the first line is zeros", zeros("a", "b"), 0],
  ["the middle line is zeros", zeros("c", "d"), 2],
  ["a page of zeros from the middle of line 2 to the middle of line 4", zeros("b", "d", 50), 1],
  ["a page of zeros over the end of the first line", zeros("a", "b", 50), 0],
  [
    "garbage in the middle looks like a mark, its checksum is wrong",
    (file) =>
      over(file.bytes, startOf(file, "c") + 40, Buffer.from('\n00000000+[{"put":{"kind":"x"}}]\n')),
    2,
  ],
  ["the LF of the first line is lost", lostLfBefore("b"), 0],
  ["the LF of the fourth line is lost", lostLfBefore("e"), 3],
];
const DAMAGES_AT_THE_END: typeof DAMAGES = [
  ["the last line has a flipped bit", flipIn("e", 30), 4],
  ["all of it is zeros", (file) => file.bytes.fill(0, startOf(file, "a")), 0],
  ["the end is zeros", (file) => file.bytes.fill(0, startOf(file, "c") + 50), 2],
  ["the last LF is missing", ({ bytes }) => bytes.subarray(0, -1), 4],
  [
    "it is a page of zeros and then cut",
    (file) => zeros("b", "c")(file).subarray(0, startOf(file, "e") + 20),
    1,
  ],
];

describe("D-09 the last batch, of five lines, is damaged", () => {
  test.each([...DAMAGES, ...DAMAGES_AT_THE_END])(
    "%s: opens with what is before, and goes on",
    async (_what, damage, kept) => {
      const file = await batches(EARLIER.slice(0, 1), EARLIER.slice(1), LAST);
      const wanted = [...EARLIER, ...LAST];
      const alive = [...EARLIER, ...LAST.slice(0, kept)];
      expect(await opened(file.path, damage(file), wanted)).toEqual(alive);
      const store = storeAt(file.path);
      await store.create(recordOf("new"));
      expect(await aliveAfterRestart(store, file.path, [...wanted, "new"])).toEqual([
        ...alive,
        "new",
      ]);
    },
  );

  test.each([...DAMAGES, ["the last line has a flipped bit", flipIn("e", 30), 4] as const])(
    "%s, and a batch follows: refused, untouched",
    async (_what, damage, kept) => {
      for (const later of [["later"], ["later", "last"]]) {
        const file = await batches(EARLIER.slice(0, 1), EARLIER.slice(1), LAST, later);
        const line = FIRST_OF_LAST + kept;
        await expectRefused(file.path, damage(file), { line, offset: file.starts[line - 1] });
      }
    },
  );

  test.each([[["later"]], [["later", "last"]]])(
    "the LF before the following batch %j is lost: refused, nothing acknowledged is cut off",
    async (later) => {
      const file = await batches(EARLIER, LAST, later);
      const lost = over(file.bytes, (file.starts.at(-1 - later.length) ?? 0) - 1, Buffer.alloc(1));
      await expectRefused(file.path, lost, { line: FIRST_OF_LAST + 4 });
    },
  );

  test("a payload that looks like a line with a mark proves nothing", async () => {
    const path = newPath();
    const store = storeAt(path);
    await store.open();
    const payloads = [SEAL.trimEnd(), SEAL, `\n${SEAL}`, '00000000+[{"put":1}]', "deadbeef+[{"];
    const all = payloads.map((payload, serial) => recordOf(`p${serial}`, { owner: null, payload }));
    await Promise.all([store.create(recordOf("one")), ...all.map((each) => store.create(each))]);
    await store.close();
    const { bytes, starts } = written(path);
    expect(marksIn(path)).toBe("+++    ");
    const damaged = over(bytes, (starts[3] ?? NaN) + 3, Buffer.alloc(8));
    expect(await opened(path, damaged, ["one", ...names(5, "p")])).toEqual(["one"]);
  });
});

const batchSizes = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 2, maxLength: 4 });
const bit = fc.nat(7).map((shift) => 1 << shift);
const damages = fc.record({
  where: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  how: fc.oneof(
    bit.map((mask) => (old: Buffer) => Buffer.from([(old[0] ?? 0) ^ mask])),
    fc.integer({ min: 1, max: 900 }).map((length) => () => Buffer.alloc(length)),
    fc.uint8Array({ minLength: 1, maxLength: 60 }).map((bytes) => () => Buffer.from(bytes)),
  ),
});
type Damaging = typeof damages extends fc.Arbitrary<infer Value> ? Value : never;

/** Damages `bytes` between two places, and nothing else. */
function damageBetween(bytes: Buffer, from: number, to: number, all: readonly Damaging[]): Buffer {
  return all.reduce((damaged, { where, how }) => {
    const at = from + Math.floor(where * (to - from));
    return over(damaged, at, how(damaged.subarray(at)).subarray(0, to - at));
  }, bytes);
}

/** A random file, and where its last batch begins. */
async function randomFile(
  sizes: readonly number[],
): Promise<Written & { earlier: string[]; all: string[]; last: number }> {
  const named = sizes.map((size, serial) => names(size, `b${serial}-`));
  const file = await batches(...named);
  const last = file.starts.at(-1 - (sizes.at(-1) ?? 0)) ?? NaN;
  return { ...file, earlier: named.slice(0, -1).flat(), all: named.flat(), last };
}

test(
  "D-09 random damage inside the last batch, 200 files: always opens, loses no line of an earlier one",
  { timeout: 60_000 },
  async () => {
    let cut = 0;
    await fc.assert(
      fc.asyncProperty(
        batchSizes,
        fc.array(damages, { minLength: 1, maxLength: 3 }),
        fc.boolean(),
        async (sizes, all, shorter) => {
          const file = await randomFile(sizes);
          const { bytes, last } = file;
          const damaged = damageBetween(bytes, last, bytes.length, all);
          const length = shorter ? bytes.length - ((bytes.length - last) >> 1) : bytes.length;
          const alive = await opened(file.path, damaged.subarray(0, length), file.all);
          expect(alive).toEqual(file.all.slice(0, alive.length));
          expect(alive.length).toBeGreaterThanOrEqual(file.earlier.length);
          if (alive.length < file.all.length) cut += 1;
        },
      ),
      { numRuns: 200 },
    );
    expect(cut).toBeGreaterThan(150);
  },
);

test(
  "D-09 random damage before the last batch, 200 files: always refused, untouched",
  { timeout: 60_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(
        batchSizes,
        fc.array(damages, { minLength: 1, maxLength: 3 }),
        async (sizes, all) => {
          const { path, bytes, starts, last } = await randomFile(sizes);
          const afterHeader = starts[1] ?? NaN;
          const damaged = damageBetween(bytes, afterHeader, last, all);
          fc.pre(!damaged.equals(bytes));
          const first = damaged.findIndex((byte, at) => byte !== bytes[at]);
          const line = starts.findLastIndex((start) => start <= first) + 1;
          await expectRefused(path, damaged, { path, line, offset: starts[line - 1] });
        },
      ),
      { numRuns: 200 },
    );
  },
);
