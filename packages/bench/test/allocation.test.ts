/** What a request puts on the heap, over the bare framework: the same from run to run, within 0.5 KiB. */
import { beforeAll, describe, expect, test } from "vitest";
import { FRAMEWORKS } from "../src/contender.ts";
import type { Framework, Route } from "../src/contender.ts";
import { bareOf, contenderOf } from "../src/contenders/index.ts";
import { allocationsOf } from "../src/counts/allocation.ts";
import type { Allocations } from "../src/counts/allocation.ts";
import { buildBench, withRedis } from "./support/bench.ts";

/** In KiB a request: a tenth above what it was when this was written. Where it has become less, so should these. */
const MOST: Record<Framework, Partial<Record<Route, number>>> = {
  fastify: { anon: 4.3, read: 17, write: 37 },
  express: { anon: 4.2, read: 17, write: 38.5 },
};
const ROUTES: readonly Route[] = ["anon", "read", "write"];
const SETTINGS = { routes: ROUTES, requests: 1_500, warmUp: 2_500 };

beforeAll(buildBench, 120_000);

describe.each(FRAMEWORKS)("%s, Redis", (framework) => {
  let own: Allocations;
  let bare: Allocations;
  beforeAll(async () => {
    await withRedis(async (servers) => {
      own = await allocationsOf(contenderOf(`ours-${framework}-redis`), SETTINGS, servers);
      bare = await allocationsOf(bareOf(framework), SETTINGS, servers);
    });
  }, 120_000);

  test.each(ROUTES)("/%s allocates no more than it may", (route) => {
    const over = ((own[route] ?? Number.NaN) - (bare[route] ?? Number.NaN)) / 1_024;
    expect(over).toBeGreaterThan(0);
    expect(over).toBeLessThan(MOST[framework][route] ?? 0);
  });
});
