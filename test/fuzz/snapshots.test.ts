/** Snapshots with something wrong in them: read up to there, refused in words, and nothing behind it is restored. */
// oxlint-disable vitest/no-standalone-expect -- fuzz() makes the tests
import { createSessionManager, KeyRing, memoryStore } from "@sojourn/core";
import type { ImportResult } from "@sojourn/core";
import * as fc from "fast-check";
import { describe, expect } from "vitest";
import { segmentsOf } from "../../packages/core/src/snapshot/read.ts";
import {
  accountedFor,
  chunked,
  contents,
  sessionRecord,
  snapshotOfLines,
  type Written,
} from "../../packages/core/test/snapshot/support.ts";
import { fakeClock } from "../../packages/core/test/support/clock.ts";
import { codeOf, SECRET } from "./support/answer.ts";
import { anyText, anyValue, damaged, damagedBytes, spoiled } from "./support/damage.ts";
import { fuzz } from "./support/runs.ts";

const REFUSED = "SOJOURN_SNAPSHOT_INVALID";
const clock = fakeClock();
const ring = new KeyRing([SECRET]);
const records = Array.from({ length: 6 }, (_, index) =>
  sessionRecord(clock, {
    ...(index % 2 === 0 ? {} : { user: "ada" }),
    data: { index, word: "br\u00e9ad" },
  }),
);
const lines = records.map((record) => JSON.stringify(record));
const write = (some: readonly string[], more: Written = {}): Buffer =>
  snapshotOfLines(some, { secret: SECRET, perSegment: 2, ...more });
const other = write(lines.toReversed(), { header: { id: "B".repeat(22) } });

/** What is read before the end or a refusal: the lines of each segment. */
async function readingOf(snapshot: Buffer, size?: number, acceptPlain: boolean = false) {
  const segments: string[] = [];
  const code = await codeOf(async () => {
    const reading = { ring, acceptPlain, read: () => {} };
    for await (const segment of segmentsOf(chunked(snapshot, size), reading))
      if (segment.lines.length > 0) segments.push(segment.lines.join("\n"));
  });
  return { segments, code };
}

const text = (value: unknown): string =>
  (
    JSON.stringify(value, (_, item: unknown) => (typeof item === "bigint" ? 1 : item)) ?? "null"
  ).replaceAll("\n", " ");

/** The lines of a snapshot, moved, doubled, left out, or taken from another one. */
function shuffled(snapshot: Buffer): fc.Arbitrary<Buffer> {
  const all = [
    ...snapshot.toString().trimEnd().split("\n"),
    ...other.toString().trimEnd().split("\n"),
  ];
  const order = fc.array(fc.nat(all.length - 1), { maxLength: 8 });
  const intact = fc.nat(all.length / 2).map((count) => all.slice(0, count));
  return fc
    .tuple(intact, order, fc.array(anyText, { maxLength: 2 }))
    .map(([before, taken, texts]) =>
      Buffer.from([...before, ...taken.map((at) => all[at]), ...texts].join("\n")),
    );
}

describe("[A-12] any bytes in place of a snapshot", () => {
  for (const [how, more] of [
    ["encrypted", {}],
    ["compressed", { compress: true }],
  ] as const) {
    const snapshot = write(lines, more);
    const intact = Promise.all([snapshot, other].map((good) => readingOf(good)));
    fuzz(
      `[A-12] ${how}: segments from before the damage, in order and whole, then a refusal`,
      () =>
        fc.oneof(
          { weight: 4, arbitrary: damagedBytes(snapshot) },
          { weight: 2, arbitrary: shuffled(snapshot) },
          { weight: 1, arbitrary: damaged(snapshot.toString()).map((bad) => Buffer.from(bad)) },
          { weight: 1, arbitrary: anyText.map((bad) => Buffer.from(bad)) },
        ),
      async (bytes) => {
        const { segments, code } = await readingOf(bytes);
        const beginnings = (await intact).map((whole) => whole.segments.slice(0, segments.length));
        expect(beginnings).toContainEqual(segments);
        const isWhole = [snapshot, other].some((good) =>
          [good, good.subarray(0, -1)].some((form) => form.equals(bytes)),
        );
        expect(code).toBe(isWhole ? null : REFUSED);
      },
    );
  }

  const snapshot = write(lines);
  fuzz(
    "[A-12] in pieces of any size it is read or refused alike",
    () => fc.tuple(damagedBytes(snapshot), fc.integer({ min: 1, max: 300 })),
    async ([bytes, size]) => {
      expect(await readingOf(bytes, size)).toEqual(await readingOf(bytes));
    },
    { oneIn: 10 },
  );

  fuzz(
    "[A-12] plain and altered: refused or read, never a crash, and a manager that takes no plain ones reads nothing",
    () =>
      fc.oneof(
        damagedBytes(write(lines, { secret: null })),
        spoiled(
          JSON.parse(write(lines).toString().split("\n")[0] ?? "{}") as object as Record<
            string,
            unknown
          >,
        ).map((header) => Buffer.from([text(header), ...lines].join("\n"))),
      ),
    async (bytes) => {
      expect([null, REFUSED]).toContain((await readingOf(bytes, undefined, true)).code);
      expect(await readingOf(bytes)).toEqual({ segments: [], code: REFUSED });
    },
  );
});

/** Imports into an empty store: the result or the code, and what is there then. */
async function importing(snapshot: Buffer) {
  const store = memoryStore({ clock });
  const { sessions } = createSessionManager({ secret: SECRET, logger: false, clock, store });
  let result: ImportResult | null = null;
  const code = await codeOf(async () => {
    result = await sessions.import(chunked(snapshot));
  });
  const stored = await contents(store);
  await sessions.close();
  return { code, stored, result: result as ImportResult | null };
}

describe("[A-06] any records in a good snapshot", () => {
  const good = sessionRecord(clock);
  const line = fc.oneof(
    { weight: 6, arbitrary: spoiled({ ...good }).map(text) },
    { weight: 2, arbitrary: anyValue.map(text) },
    { weight: 2, arbitrary: damaged(JSON.stringify(good)).map((bad) => bad.replaceAll("\n", " ")) },
    { weight: 1, arbitrary: anyText.map((bad) => bad.replaceAll("\n", " ")) },
    { weight: 1, arbitrary: fc.constantFrom(...lines) },
  );
  fuzz(
    "[A-05] [A-06] each is restored as it is written, or accounted for with a reason; neighbours are restored",
    () => fc.array(line, { maxLength: 6 }),
    async (some) => {
      const neighbour = sessionRecord(clock);
      const all = [...some, JSON.stringify(neighbour)];
      const { code, stored, result } = await importing(write(all));
      expect(code).toBeNull();
      expect(result?.records).toBe(all.length);
      expect(result && accountedFor(result)).toBe(all.length);
      expect(result?.failed.length).toBe(result?.skipped.invalid);
      expect(stored).toContainEqual(neighbour);
      expect(stored.length).toBe(result?.restored);
      for (const record of stored)
        expect(all.map((each) => readable(each))).toContainEqual({ ...record });
      expect("polluted" in {}).toBe(false);
    },
    { oneIn: 10 },
  );

  fuzz(
    "[A-12] whole imports of damaged ones: what was exported, or nothing",
    () => damagedBytes(write(lines)),
    async (bytes) => {
      const { code, stored } = await importing(bytes);
      expect([null, REFUSED]).toContain(code);
      expect(stored.length % 2).toBe(0);
      for (const record of stored) expect(records).toContainEqual(record);
    },
    { oneIn: 10 },
  );
});

function readable(json: string): unknown {
  try {
    return JSON.parse(json) as unknown;
  } catch {
    return null;
  }
}
