/** what probes are told. */
import { expect, test } from "vitest";
import { healthAnswer, readiness } from "../../src/server/index.ts";
import { world } from "../support/world.ts";

test("[A-27] health says whether the store answers and how many there are, and makes no session", async () => {
  const { sessions, events } = world();
  await sessions.create({ principal: "ada" });
  await sessions.create({ principal: "ada" });
  events.length = 0;
  expect(await healthAnswer(sessions)).toEqual({
    status: 200,
    body: {
      ready: true,
      stage: "serving",
      store: { status: "up", store: "memory", tookMs: expect.any(Number) as number },
      sessions: { active: 2, principals: 1 },
    },
  });
  expect(events).toEqual([]);
  expect((await sessions.count()).active).toBe(2);
});

test("[A-27] with a store that is down both are 503, say why, and reject nothing", async () => {
  const { sessions } = world();
  await sessions.close();
  const store = { status: "down", code: "SOJOURN_STORE_CLOSED" };
  expect(await readiness(sessions)).toMatchObject({ status: 503, body: { ready: false, store } });
  expect(await healthAnswer(sessions)).toMatchObject({
    status: 503,
    body: { ready: false, store, sessions: null },
  });
});

test("[A-27] readiness costs one read of the store, and no count", async () => {
  const { sessions, store } = world();
  let reads = 0;
  const { read } = store;
  store.read = (ref) => {
    reads += 1;
    return read.call(store, ref);
  };
  store.count = () => Promise.reject(new Error("counted"));
  expect((await readiness(sessions)).status).toBe(200);
  expect(reads).toBe(1);
  expect(await healthAnswer(sessions)).toMatchObject({ status: 503, body: { sessions: null } });
});
