/** What comes and goes with every request: the same as a Set and a Map, without what those leave behind. */
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Bag, type Bagged, NO_PLACE } from "../src/collections/bag.ts";
import { Pending } from "../src/collections/pending.ts";
import { RenewedMap } from "../src/collections/renewed-map.ts";
import { settled } from "./support/intercept.ts";

const steps = fc.array(fc.tuple(fc.boolean(), fc.nat({ max: 30 })), { maxLength: 500 });

describe("a bag", () => {
  test("has what a Set has, after any history", () => {
    fc.assert(
      fc.property(steps, (history) => {
        const items = Array.from({ length: 31 }, (): Bagged => ({ place: NO_PLACE }));
        const bag = new Bag();
        const model = new Set<Bagged>();
        for (const [adds, n] of history) {
          const item = items[n] ?? { place: NO_PLACE };
          if (adds && !model.has(item)) bag.add(item);
          if (!adds) bag.remove(item);
          if (adds) model.add(item);
          else model.delete(item);
          expect(bag.size).toBe(model.size);
        }
        expect(new Set(bag.list())).toEqual(model);
        expect(bag.list()).toHaveLength(model.size);
      }),
    );
  });

  test("can be emptied while it is gone through", () => {
    const bag = new Bag();
    for (let n = 0; n < 5; n++) bag.add({ place: NO_PLACE });
    for (const item of bag.list()) bag.remove(item);
    expect(bag.list()).toEqual([]);
  });
});

test("a renewed map has what a Map has, in the same order, after any history", () => {
  fc.assert(
    fc.property(steps, (history) => {
      const renewed = new RenewedMap<number, number>();
      const model = new Map<number, number>();
      for (const [step, [adds, key]] of history.entries()) {
        if (adds) renewed.set(key, step);
        else renewed.delete(key);
        if (adds) model.set(key, step);
        else model.delete(key);
        expect([renewed.size, renewed.get(key)]).toEqual([model.size, model.get(key)]);
      }
      expect(renewed.values()).toEqual([...model.values()]);
    }),
  );
});

test("pending promises are waited for, however they end", async () => {
  const pending = new Pending();
  await pending.settled();
  const over: string[] = [];
  const ends = async (name: string, turns: number, error?: Error): Promise<void> => {
    await settled(turns);
    over.push(name);
    if (error) throw error;
  };
  const given = ends("one", 1);
  expect(pending.add(given)).toBe(given);
  pending.add(ends("other", 3, new Error("it failed"))).catch(() => {});
  await pending.settled();
  expect(over).toEqual(["one", "other"]);
});

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as (how?: { type: "minor" }) => void;

/** What V8 has in its old space, in bytes. */
function oldSpace(): number {
  return getHeapSpaceStatistics().find(({ space_name }) => space_name === "old_space")
    ?.space_used_size as number;
}

interface Item extends Bagged {
  readonly key: number;
  readonly load: readonly number[];
}

interface Collection {
  add(item: Item): void;
  remove(item: Item): void;
}

/** Bytes that came to the old space while 20,000 items of 1,000 bytes came and went, 50 at a time. */
function promotedBy(collection: Collection): number {
  const inside: Item[] = [];
  const come = (key: number): void => {
    const item = { place: NO_PLACE, key, load: Array.from({ length: 125 }, () => key) };
    collection.add(item);
    inside[key % 50] = item;
  };
  for (let key = 0; key < 50; key++) come(key);
  collectGarbage();
  const before = oldSpace();
  for (let key = 50; key < 20_000; key++) {
    const gone = inside[key % 50];
    if (gone) collection.remove(gone);
    come(key);
    if (key % 500 === 0) collectGarbage({ type: "minor" });
  }
  return oldSpace() - before;
}

describe("what was removed is garbage, also when the collection itself is old", () => {
  const mapped = (map: RenewedMap<number, Item>): Collection => ({
    add: (item) => map.set(item.key, item),
    remove: ({ key }) => map.delete(key),
  });
  test.each([
    ["in a bag", new Bag<Item>()],
    ["in a renewed map", mapped(new RenewedMap<number, Item>())],
  ])("%s", (_, collection) => {
    expect(promotedBy(collection)).toBeLessThan(1_000_000);
  });
});
