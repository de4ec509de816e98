/** What a request costs beside time, on both frameworks with Redis: commands, round trips, characters of Set-Cookie. */
import { beforeAll, describe, expect, test } from "vitest";
import { contenderOf } from "../src/contenders/index.ts";
import { costsOf } from "../src/counts/traffic.ts";
import type { Costs } from "../src/counts/traffic.ts";
import { FRAMEWORKS } from "../src/contender.ts";
import { buildBench, withRedis } from "./support/bench.ts";

beforeAll(buildBench, 120_000);

describe.each(FRAMEWORKS)("%s", (framework) => {
  let costs: Costs;
  beforeAll(async () => {
    const contender = contenderOf(`ours-${framework}-redis`);
    costs = await withRedis((servers) => costsOf(contender, servers));
  }, 60_000);

  test("[B-04] with a cookie, a request that reads or ignores its session is 1 command, and sets no cookie", () => {
    const cost = { commands: 1, roundTrips: 1, setCookie: 0 };
    expect(costs).toMatchObject({ none: cost, read: cost });
  });

  test("[B-04] a change is 1 command more, and sets no cookie", () => {
    expect(costs.write).toEqual({ commands: 2, roundTrips: 2, setCookie: 0 });
  });

  test("[B-05] a login with limit and index is 1 script after the read and a message that nobody waits for, and sets a cookie of at most 150 characters", () => {
    expect(costs.login?.commands).toBeLessThanOrEqual(3);
    expect(costs.login?.roundTrips).toBeLessThanOrEqual(3);
    expect(costs.login?.setCookie).toBeGreaterThan(0);
    expect(costs.login?.setCookie).toBeLessThanOrEqual(150);
  });

  test("[E-21] without a cookie, nothing is asked and no cookie is set", () => {
    expect(costs.anon).toEqual({ commands: 0, roundTrips: 0, setCookie: 0 });
  });
});

test("[X-03] of a session that was read before, the near cache asks nothing for each request", async () => {
  const near = await withRedis((servers) =>
    costsOf(contenderOf("ours-fastify-redis-near"), servers),
  );
  // What it writes twice a second, to be sure that it hears of changes, may be among them.
  expect(near.read?.commands).toBeLessThan(0.5);
  expect(near.write?.commands).toBeLessThan(1.5);
}, 60_000);
