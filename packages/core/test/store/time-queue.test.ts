/** The queue of instants against the plainest there can be: a map that is sorted whenever it is asked. */
import * as fc from "fast-check";
import { afterEach, expect, test, vi } from "vitest";
import type { RecordKey } from "../../src/store/index.ts";
import { LONGEST_RUN, TimeQueue } from "../../src/store/memory/time-queue.ts";
import { TimeRun } from "../../src/store/memory/time-run.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

/** A key of its own for each number below 1,000,003, in no order. */
const keyOf = (number: number): RecordKey =>
  `abA.${String((number * 7_919) % 1_000_003).padStart(7, "0")}` as RecordKey;

const step = fc.record({
  verb: fc.constantFrom("add", "add", "move", "remove"),
  /** How many keys: often more than fit into a run. */
  count: fc.integer({ min: 1, max: 3 * LONGEST_RUN }),
  /** The earliest instant, and how many they are spread over. */
  from: fc.nat(20),
  instants: fc.integer({ min: 1, max: 10 }),
  /** Which of the keys: each of so many. */
  stride: fc.integer({ min: 1, max: 4 }),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** A queue, and what ought to be in it. */
class Pair {
  readonly queue = new TimeQueue();
  readonly model = new Map<RecordKey, number>();
  #made = 0;

  play({ verb, count, from, instants, stride }: Step): void {
    const keys =
      verb === "add"
        ? Array.from({ length: count }, () => keyOf(this.#made++))
        : [...this.model.keys()].filter((_, index) => index % stride === 0).slice(0, count);
    for (const [index, key] of keys.entries()) {
      const at = from + (index % instants);
      const before = this.model.get(key);
      if (before === undefined) this.queue.add(key, at);
      else if (verb === "move") this.queue.move(key, before, at);
      else this.queue.remove(key, before);
      if (verb === "remove") this.model.delete(key);
      else this.model.set(key, at);
    }
  }

  /** The model's keys of this instant or earlier, in order. */
  due(now: number): RecordKey[] {
    const due = [...this.model].filter(([, at]) => at <= now);
    due.sort(([a, x], [b, y]) => x - y || (a < b ? -1 : 1));
    return due.map(([key]) => key);
  }
}

test("[C-09] whatever is added, moved and removed: the overdue come in order, are counted, and stay", () => {
  const history = fc.array(step, { minLength: 1, maxLength: 12 });
  const looks = fc.record({ now: fc.nat(30), max: fc.nat(2 * LONGEST_RUN) });
  fc.assert(
    fc.property(history, looks, (steps, { now, max }) => {
      const pair = new Pair();
      for (const each of steps) pair.play(each);
      const due = pair.due(now);
      expect(pair.queue.size).toBe(pair.model.size);
      expect(pair.queue.take(now, Infinity)).toEqual(due);
      expect(pair.queue.take(now, max)).toEqual(due.slice(0, max));
      expect(pair.queue.earliest(max)).toEqual(pair.due(Infinity).slice(0, max));
      expect(pair.queue.overdue(now)).toBe(due.length);
      const counted = pair.queue.overdue(now, max);
      expect(counted).toBeLessThanOrEqual(due.length);
      expect(counted).toBeGreaterThanOrEqual(Math.min(max, due.length));
    }),
    { numRuns: 60 },
  );
});

test("[C-09] no run is ever longer than 512 keys, in whatever order they come", () => {
  const insert = vi.spyOn(TimeRun.prototype, "insert");
  const append = vi.spyOn(TimeRun.prototype, "append");
  const longest = (): number => {
    const runs = [...insert.mock.contexts, ...append.mock.contexts] as TimeRun[];
    return Math.max(...new Set(runs.map(({ length }) => length)));
  };
  const orders = { scattered: keyOf, sorted: (number: number) => `abA.${1e6 + number}` };
  for (const order of Object.values(orders)) {
    const queue = new TimeQueue();
    const keys = Array.from({ length: 1_500 }, (_, index) => order(index) as RecordKey);
    let most = 0;
    for (const key of keys) {
      queue.add(key, 7);
      most = Math.max(most, longest());
    }
    for (const [index, key] of keys.entries()) if (index % 50 !== 0) queue.remove(key, 7);
    expect([queue.size, Math.max(most, longest())]).toEqual([30, 512]);
  }
  expect(append, "short runs were joined").toHaveBeenCalled();
});

test("[C-09] runs are 128 keys or more on average, also after most were taken out: short ones are joined", () => {
  const queue = new TimeQueue();
  const keys = Array.from({ length: 20_000 }, (_, index) => keyOf(index));
  for (const [index, key] of keys.entries()) queue.add(key, index % 100);
  const looks = vi.spyOn(TimeRun.prototype, "countUntil");
  expect(queue.overdue(Infinity)).toBe(20_000);
  expect(looks.mock.calls.length).toBeLessThanOrEqual(20_000 / 128);
  for (const [index, key] of keys.entries()) if (index % 10 !== 0) queue.remove(key, index % 100);
  looks.mockClear();
  expect(queue.overdue(Infinity)).toBe(2_000);
  expect(looks.mock.calls.length).toBeLessThanOrEqual(2_000 / 128);
});

test("[C-09] removing what is not there, or not at this instant, changes nothing", () => {
  const queue = new TimeQueue();
  for (const number of [1, 3]) queue.add(keyOf(number), 7);
  queue.remove(keyOf(2), 7);
  queue.remove(keyOf(1), 8);
  expect([queue.size, queue.take(7, 9).toSorted()]).toEqual([2, [keyOf(1), keyOf(3)].toSorted()]);
});

test("[C-09] counting as far as is asked looks at no more runs than that takes", () => {
  const queue = new TimeQueue();
  for (let index = 0; index < 20_000; index += 1) queue.add(keyOf(index), 7);
  const looks = vi.spyOn(TimeRun.prototype, "countUntil");
  expect(queue.overdue(7, 1)).toBeGreaterThanOrEqual(1);
  expect(queue.overdue(6)).toBe(0);
  expect(looks).toHaveBeenCalledTimes(1);
});
