/** Cleaning beside the requests: a little in each turn of the event loop, however many wait for it. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { RecordTable, type Store } from "../../src/store/index.ts";
import { memoryStore } from "../../src/store/memory/store.ts";
import { HOUR, MINUTE, record, testClock } from "./fixtures.ts";
import { mostInOneTurn } from "./units.ts";

const RECORDS = 5_000;
/** All cleaning between two turns of the event loop. */
const MOST = 500;

let clock: ReturnType<typeof testClock>;
let store: Store;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  clock = testClock();
  store = memoryStore({ clock });
});

afterEach(async () => {
  await store.close();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

async function fill(fields: (index: number) => Parameters<typeof record>[1] = () => ({})) {
  for (let index = 0; index < RECORDS; index += 1) {
    await store.create(record(clock, fields(index)));
  }
}

const active = async (): Promise<number> => (await store.count("session")).active;

test("[C-09] a count in the millisecond in which all records expire does at most 500 units a turn", async () => {
  await fill();
  clock.advance(30 * MINUTE);
  let counted = -1;
  const most = await mostInOneTurn(async () => void (counted = await active()));
  expect(counted).toBe(0);
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThanOrEqual(MOST);
});

test("[C-09] so does one in the middle of the second in which they expire, and is exact when it ends", async () => {
  const from = clock.now() + HOUR;
  await fill((index) => ({ expiresAt: from + (index % 1_000) }));
  clock.advance(HOUR + 500);
  const { now } = clock;
  vi.spyOn(clock, "now").mockImplementation(() => {
    clock.advance(10);
    return now();
  });
  let counted = -1;
  const most = await mostInOneTurn(async () => void (counted = await active()));
  expect(counted).toBe(5 * (from + 999 - now()));
  expect(counted).toBeGreaterThan(0);
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThanOrEqual(MOST);
});

test("[C-09] so does one that looks at the clock just before they expire", async () => {
  await fill();
  vi.spyOn(clock, "now").mockReturnValueOnce(clock.now());
  clock.advance(HOUR);
  expect(await mostInOneTurn(active)).toBeLessThanOrEqual(MOST);
});

test("[C-09] 100 counts and the sweep at once: one slice and one immediate a turn, and each count is exact", async () => {
  await fill();
  clock.advance(HOUR);
  const purge = vi.spyOn(RecordTable.prototype, "purge");
  const immediate = vi.spyOn(globalThis, "setImmediate");
  vi.advanceTimersByTime(MINUTE);
  const counts = await Promise.all(Array.from({ length: 100 }, active));
  expect(counts).toEqual(Array.from({ length: 100 }, () => 0));
  expect(purge.mock.calls.length).toBeGreaterThanOrEqual(10);
  expect(purge.mock.calls.length).toBeLessThanOrEqual(RECORDS / 250);
  expect(immediate.mock.calls.length - purge.mock.calls.length).toBeLessThanOrEqual(1);
});

test("[C-09] 100 counts at once do at most 500 units a turn together", async () => {
  await fill();
  clock.advance(HOUR);
  const most = await mostInOneTurn(async () => Promise.all(Array.from({ length: 100 }, active)));
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThanOrEqual(MOST);
});

test("[C-09] a count of one kind does not wait until what is over of another is forgotten", async () => {
  await fill();
  clock.advance(HOUR);
  await active();
  clock.advance(24 * HOUR);
  for (let index = 0; index < 300; index += 1) {
    await store.create(record(clock, { kind: "grant" }));
  }
  clock.advance(HOUR);
  const purge = vi.spyOn(RecordTable.prototype, "purge");
  expect((await store.count("grant")).active).toBe(0);
  expect(purge).toHaveBeenCalledTimes(1);
});

test("[C-09] a sweep goes on, a slice a turn, until nothing is due, and ends with the store", async () => {
  await fill();
  clock.advance(HOUR);
  const purge = vi.spyOn(RecordTable.prototype, "purge");
  vi.advanceTimersByTime(MINUTE);
  for (let turn = 1; turn <= 10; turn += 1) await nextTurn();
  expect(purge).toHaveBeenCalledTimes(10);
  for (let turn = 1; turn <= 15; turn += 1) await nextTurn();
  expect(purge).toHaveBeenCalledTimes(RECORDS / 250);
  clock.advance(24 * HOUR);
  vi.advanceTimersByTime(MINUTE);
  await store.close();
  await nextTurn();
  expect(purge).toHaveBeenCalledTimes(RECORDS / 250);
});

test("[C-09] a sweep keeps no process alive; a count that waits for it does", async () => {
  await fill();
  clock.advance(HOUR);
  const immediate = vi.spyOn(globalThis, "setImmediate");
  vi.advanceTimersByTime(MINUTE);
  const planned = immediate.mock.results[0]?.value as NodeJS.Immediate;
  expect(planned.hasRef()).toBe(false);
  const counting = active();
  expect(planned.hasRef()).toBe(true);
  expect(await counting).toBe(0);
});

test("[C-09] counts that wait when the store is closed reject with SOJOURN_STORE_CLOSED", async () => {
  await fill();
  clock.advance(HOUR);
  const counting = Promise.allSettled([active(), active()]);
  await store.close();
  const closed = expect.objectContaining({ code: "SOJOURN_STORE_CLOSED" }) as unknown;
  const rejected = { status: "rejected", reason: closed };
  expect(await counting).toEqual([rejected, rejected]);
});
