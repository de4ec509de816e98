/** Many waits and one timer. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { NO_PLACE } from "../src/collections/bag.ts";
import { Deadlines, type Waiting } from "../src/store/deadlines.ts";

const MS = 100;

/** One that waits from now on, and notes when it was too late. */
function waiting(late: string[], name: string, ms: number = MS): Waiting {
  const dueAt = performance.now() + ms;
  return { place: NO_PLACE, dueAt, tooLate: () => void late.push(`${name} ${performance.now()}`) };
}

describe("deadlines", () => {
  let late: string[];
  let deadlines: Deadlines;
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    late = [];
    deadlines = new Deadlines();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test("each wait ends at its own time, with one timer for all", () => {
    deadlines.add(waiting(late, "first"));
    vi.advanceTimersByTime(30);
    deadlines.add(waiting(late, "second"));
    deadlines.add(waiting(late, "third"));
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(1_000);
    expect(late.toSorted()).toEqual(["first 100", "second 130", "third 130"]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("who waits no longer is not told, and the next one is told in time", () => {
    const one = waiting(late, "one");
    deadlines.add(one);
    vi.advanceTimersByTime(99);
    deadlines.add(waiting(late, "other"));
    deadlines.remove(one);
    vi.advanceTimersByTime(1_000);
    expect(late).toEqual(["other 199"]);
  });

  test("who has less time than those before ends earlier, and they end at their own time", () => {
    deadlines.add(waiting(late, "long"));
    deadlines.add(waiting(late, "short", 20));
    deadlines.add(waiting(late, "between", 60));
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(1_000);
    expect(late).toEqual(["short 20", "between 60", "long 100"]);
  });

  test("who waits no longer when another was too late is not told", () => {
    const spared = waiting(late, "spared");
    const first = { ...waiting(late, "first"), tooLate: () => deadlines.remove(spared) };
    deadlines.add(first);
    deadlines.add(spared);
    vi.advanceTimersByTime(1_000);
    expect(late).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("when nobody waits there is no timer", () => {
    const one = waiting(late, "one");
    deadlines.add(one);
    deadlines.remove(one);
    expect(vi.getTimerCount()).toBe(0);
    deadlines.remove(one);
    deadlines.add(one);
    expect(vi.getTimerCount()).toBe(1);
  });

  test("who begins to wait again when it was too late gets the whole time", () => {
    const again = {
      place: NO_PLACE,
      dueAt: MS,
      tooLate: () => {
        late.push(`again ${performance.now()}`);
        again.dueAt += MS;
        if (late.length < 3) deadlines.add(again);
      },
    };
    deadlines.add(again);
    vi.advanceTimersByTime(1_000);
    expect(late).toEqual(["again 100", "again 200", "again 300"]);
  });
});
