/** What a request puts on the heap, over the bare framework: the same from run to run, within 0.5 KiB. And what it leaves. */
import { beforeAll, describe, expect, test } from "vitest";
import { ROUTES } from "../src/contender.ts";
import type { Framework, Route } from "../src/contender.ts";
import { bareOf, contenderOf } from "../src/contenders/index.ts";
import { allocationsOf } from "../src/counts/allocation.ts";
import type { Allocations } from "../src/counts/allocation.ts";
import { buildBench, withRedis } from "./support/bench.ts";

/** In KiB a request: a tenth above what it was when this was written. Where it has become less, so should these. */
const MOST: Record<string, Partial<Record<Route, number>>> = {
  "ours-fastify-redis": { visitor: 1, anon: 2.4, read: 8.5, write: 19.2 },
  "ours-express-redis": { visitor: 1, anon: 2.4, read: 8.5, write: 20.6 },
  "ours-fastify-redis-near": { read: 4.7 },
};
/**
 * Bytes a request that come to the old space: thousands while a `Set` held what is under way. Express alone leaves 7,700, for it
 * changes the prototypes of requests and responses, by which V8 before 13 keeps them.
 */
const MOST_PROMOTED: Record<Framework, number> = { fastify: 800, express: 7_500 };
const SETTINGS = { requests: 5_000, warmUp: 10_000 };

beforeAll(buildBench, 120_000);

describe.each(Object.entries(MOST))("%s", (name, most) => {
  const { framework } = contenderOf(name);
  const routes = ROUTES.filter((route) => most[route] !== undefined);
  let own: Allocations;
  let bare: Allocations;
  beforeAll(async () => {
    await withRedis(async (servers) => {
      own = await allocationsOf(contenderOf(name), { routes, ...SETTINGS }, servers);
      bare = await allocationsOf(bareOf(framework), { routes, ...SETTINGS }, servers);
    });
  }, 120_000);

  test.each(routes)("/%s allocates no more than it may", (route) => {
    const [ours, theirs] = [own[route]?.allocated, bare[route]?.allocated];
    const over = ((ours ?? Number.NaN) - (theirs ?? Number.NaN)) / 1_024;
    // Where nothing is made, it is nothing but the noise.
    expect(over).toBeGreaterThan(route === "visitor" ? -0.5 : 0);
    expect(over).toBeLessThan(most[route] ?? 0);
  });

  test.each(routes)("/%s leaves little behind", (route) => {
    expect(own[route]?.promoted).toBeLessThan(MOST_PROMOTED[framework]);
  });
});
