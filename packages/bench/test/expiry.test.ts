/** A million sessions that expire at once are cleaned up in slices: counted, not timed. */
import { beforeAll, expect, test } from "vitest";
import { expireAll } from "../src/counts/expiry.ts";
import { buildBench } from "./support/bench.ts";

beforeAll(buildBench, 120_000);

test("[C-09] of 1,000,000 sessions that expired at once, at most 500 are cleaned up between two turns of the event loop", async () => {
  const { largestSlice, left } = await expireAll(1_000_000);
  expect(left).toBe(0);
  expect(largestSlice).toBeGreaterThan(0);
  expect(largestSlice).toBeLessThanOrEqual(500);
}, 120_000);
