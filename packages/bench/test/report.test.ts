/** What the bench makes of its arguments and its measurements. */
import { expect, test } from "vitest";
import { readOptions } from "../src/options.ts";
import type { Options } from "../src/options.ts";
import { contenderOf } from "../src/contenders/index.ts";
import { chartOf } from "../src/report/chart.ts";
import { figure, tableOf } from "../src/report/table.ts";
import { standingsOf } from "../src/report/throughput.ts";
import { spreadOf } from "../src/statistics.ts";

function optionsOf(...args: string[]): Options {
  const options = readOptions(args);
  if (typeof options === "string") throw new Error(options);
  return options;
}

test("--only keeps the contenders that match, and the bare framework that they are compared with", () => {
  const { contenders, isComplete } = optionsOf("--only", "ours-fastify-m*,floor-fastify");
  const names = contenders.map(({ name }) => name);
  expect(names).toEqual(["bare-fastify", "floor-fastify", "ours-fastify-memory"]);
  expect(isComplete).toBe(false);
});

test("only the whole run is written to the page", () => {
  expect(optionsOf().isComplete).toBe(true);
  for (const part of ["--quick", "--counts", "--rounds=6", "--routes=read"])
    expect([part, optionsOf(part).isComplete]).toEqual([part, false]);
});

test("what is not known is refused", () => {
  expect(() => readOptions(["--only", "nobody"])).toThrow("no contender matches nobody");
  expect(() => readOptions(["--routes", "read,walk"])).toThrow("no route walk");
  expect(() => readOptions(["--rounds", "none"])).toThrow("none is no number above 0");
});

test("median and quartiles lie between values where they lie there", () => {
  expect(spreadOf([4, 1, 3, 2])).toEqual({ lower: 1.75, median: 2.5, upper: 3.25 });
  expect(spreadOf([7])).toEqual({ lower: 7, median: 7, upper: 7 });
});

const sample = (rate: number, cpu: number) => ({ rate, cpu });
const SAMPLES = new Map([
  [contenderOf("bare-fastify"), { read: [sample(100, 10), sample(50, 20)] }],
  [contenderOf("ours-fastify-redis"), { read: [sample(80, 30), sample(45, 60)] }],
]);

test("a contender is compared with the bare framework of the same round", () => {
  const [, own] = standingsOf(SAMPLES, "fastify", "read");
  expect(own?.ofBare.median).toBeCloseTo(0.85);
  expect(own?.cpuOverBare).toBe(30);
});

test("the chart has one bar for each but the bare framework", () => {
  const bars = chartOf(SAMPLES).match(/<rect class="\w+"/g);
  expect(bars).toEqual(['<rect class="ours"']);
});

test("a table is aligned, and shows what is not known", () => {
  const table = tableOf(
    ["", "µs"],
    [
      ["ours", figure(1_234.56, 1)],
      ["theirs", figure(undefined)],
      ["none", figure(-0.2)],
    ],
  );
  expect(table.split("\n")).toEqual([
    "|        |      µs |",
    "| ------ | ------: |",
    "| ours   | 1,234.6 |",
    "| theirs |       – |",
    "| none   |       0 |",
  ]);
});
