/** Cleaning: in slices, complete, and seen by nobody. */
import { expect, test } from "vitest";
import { RecordTable, type StoredRecord } from "../../src/store/index.ts";
import { HOUR, MINUTE, record, ref, testClock } from "./fixtures.ts";

const RECORDS = 300_000;
const SLICE = 500;

/** Purges to the end; how many slices it took and how long the longest blocked, in ms. */
function purgeAll(table: RecordTable): { slices: number; longestMs: number } {
  let [slices, longestMs, more] = [0, 0, true];
  while (more) {
    const began = performance.now();
    more = table.purge(SLICE);
    longestMs = Math.max(longestMs, performance.now() - began);
    slices += 1;
  }
  return { slices, longestMs };
}

function filled() {
  const clock = testClock();
  const table = new RecordTable({ clock, maxRecords: 1_000_000 });
  for (let index = 0; index < RECORDS; index += 1) {
    table.create(record(clock, index % 2 === 0 ? { user: `user ${index % 1_000}` } : {}));
  }
  return { clock, table };
}

test(
  "300,000 records that expire at once become tombstones in 600 slices of 500",
  { timeout: 120_000 },
  () => {
    const { clock, table } = filled();
    clock.advance(30 * MINUTE + 1_000);
    expect(table.overdue("session")).toBe(RECORDS);
    const expiring = purgeAll(table);
    expect(expiring.slices).toBe(RECORDS / SLICE);
    expect(table.overdue("session")).toBe(0);
    expect(table.count("session")).toMatchObject({ active: 0, lifetime: { ended: RECORDS } });
    clock.advance(24 * HOUR);
    const forgetting = purgeAll(table);
    expect(forgetting.slices).toBe(RECORDS / SLICE);
    expect([...table.state()]).toEqual([]);
    console.log(
      "longest slice (ms): expiring",
      expiring.longestMs,
      "forgetting",
      forgetting.longestMs,
    );
  },
);

test(
  "endAll of 300,000 records is one effect, exact at once, and moved over in 600 slices",
  { timeout: 120_000 },
  () => {
    const { clock, table } = filled();
    clock.advance(1_000);
    const began = performance.now();
    table.endAll("session", { why: "revoked", at: clock.now() });
    const tookMs = performance.now() - began;
    const counts = { active: 0, principals: 0 };
    const lifetime = { ended: RECORDS, durationMs: RECORDS * 1_000, peak: RECORDS };
    expect(table.count("session")).toMatchObject({ ...counts, lifetime });
    const { slices, longestMs } = purgeAll(table);
    expect(slices).toBe(RECORDS / SLICE);
    expect(table.count("session")).toMatchObject({ ...counts, lifetime });
    expect([...table.state()]).toHaveLength(1 + RECORDS);
    console.log("endAll (ms)", tookMs, "longest slice (ms)", longestMs);
  },
);

test("purge(1) does one unit: one record, then the next", () => {
  const clock = testClock();
  const table = new RecordTable({ clock, maxRecords: 10 });
  for (const user of ["ada", "bob", "cyd"]) table.create(record(clock, { user }));
  clock.advance(HOUR);
  const left = [table.purge(1), table.overdue("session")];
  left.push(table.purge(1), table.overdue("session"), table.purge(1), table.overdue("session"));
  expect(left).toEqual([true, 2, true, 1, false, 0]);
});

test("cleaning changes no answer: read, count and state are the same before and after", () => {
  const clock = testClock();
  const table = new RecordTable({ clock, maxRecords: 1_000 });
  const made = [1, 2, 3, 90].map((minutes) =>
    record(clock, { user: "ada", expiresAt: clock.now() + minutes * MINUTE }),
  );
  for (const each of made) table.create(each);
  table.endAll("session", { why: "revoked", at: clock.now() + MINUTE });
  const later = record(clock, { user: "ada" });
  table.create(later);
  clock.advance(2 * HOUR);
  const look = () => [...made, later].map((each) => table.read(ref(each)));
  const before = look();
  const counts = table.count("session");
  while (table.purge(1));
  expect(look()).toEqual(before);
  expect(table.count("session")).toEqual(counts);
  expect(before.map((found) => found !== null && "ending" in found && found.ending.why)).toEqual([
    "idle",
    "revoked",
    "revoked",
    "revoked",
    "idle",
  ]);
});

test("1,000,000 touches and 100,000 consumed grants leave nothing behind in the indexes", () => {
  const clock = testClock();
  const table = new RecordTable({ clock, maxRecords: 10 });
  const kept: StoredRecord = record(clock, { user: "ada" });
  table.create(kept);
  for (let index = 0; index < 100_000; index += 1) {
    const grant = record(clock, { kind: "grant", user: `u${index}` });
    table.create(grant);
    table.consume(ref(grant));
    clock.advance(10);
    for (let touch = 1; touch <= 10; touch += 1) {
      table.touch(ref(kept), clock.now() + touch, clock.now() + 30 * MINUTE + touch);
    }
  }
  expect([...table.state()]).toHaveLength(1);
  expect(table.count("grant")).toMatchObject({ active: 0, principals: 0 });
  clock.advance(30 * MINUTE + 10);
  expect(table.count("session").active).toBe(0);
});
