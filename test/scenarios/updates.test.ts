/** G2: parallel requests of one session do not undo each other. */
import { expect, test } from "vitest";
import { everywhere } from "./matrix.ts";
import { set } from "./shop.ts";

everywhere(({ open }) => {
  for (const nodes of [1, 2]) {
    const where = nodes === 1 ? "on one node" : "spread over 2 nodes";

    test(`[G2] 100 parallel requests ${where}, each with another key: 100 keys survive`, async () => {
      const world = await open();
      const apps = nodes === 1 ? [world.app] : [world.app, await world.node()];
      const ada = await world.loggedIn("ada");
      world.probe.jitter();
      const keys = Array.from({ length: 100 }, (_, index) => `key${index}`);
      const answers = await Promise.all(
        keys.map((key, index) => {
          const tab = ada.copy();
          tab.url = apps[index % nodes]?.url ?? "";
          return tab.post(set(key, index));
        }),
      );
      expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
      const { data } = (await ada.get("/me")).body;
      expect(data).toEqual(Object.fromEntries(keys.map((key, index) => [key, index])));
    });

    test(`[G2] 100 parallel update() increments ${where} end at 100`, async () => {
      const world = await open();
      const apps = nodes === 1 ? [world.app] : [world.app, await world.node()];
      const ada = await world.loggedIn("ada");
      world.probe.jitter();
      await Promise.all(
        Array.from({ length: 100 }, (_, index) => {
          const tab = ada.copy();
          tab.url = apps[index % nodes]?.url ?? "";
          return tab.post("/increment");
        }),
      );
      expect((await ada.get("/me")).body["data"]).toEqual({ count: 100 });
    });
  }

  test("[G2] a slow write of one key keeps what 3 faster requests wrote to others", async () => {
    const world = await open();
    const nodeB = await world.node();
    const ada = await world.loggedIn("ada");
    const held = world.probe.hold("update");
    const slow = ada.copy().post(set("slow", 1));
    await held.reached;
    const fast = ada.copy();
    fast.url = nodeB.url;
    for (const key of ["a", "b", "c"]) await fast.post(set(key, 1));
    held.release();
    expect((await slow).status).toBe(200);
    expect((await ada.get("/me")).body["data"]).toEqual({ a: 1, b: 1, c: 1, slow: 1 });
  });
});
