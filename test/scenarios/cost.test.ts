/** What a request costs in store calls: counted, not timed. */
import { expect, test } from "vitest";
import { everywhere, SECOND } from "./matrix.ts";
import { set } from "./shop.ts";

everywhere(({ open }) => {
  test("[E-21] [F-07] T-DOS ASVS 7.6.2 without a cookie, reading and not touching the session make 0 calls and set no cookie", async () => {
    const world = await open();
    const visitor = world.client();
    for (const path of ["/me", "/plain", "/open", "/private"]) {
      let cookies: readonly string[] = [];
      const calls = await world.probe.callsOf(async () => ({ cookies } = await visitor.get(path)));
      expect([path, calls, cookies]).toEqual([path, [], []]);
    }
  });

  test("[B-04] [E-05] with a cookie: 1 read and 0 writes until a touch is due, then exactly 1", async () => {
    const world = await open();
    const ada = await world.loggedIn("ada");
    const cost = () => world.probe.callsOf(() => ada.get("/me"));
    expect(await cost()).toEqual(["read"]);
    world.clock.advance(60 * SECOND - 1);
    expect(await cost()).toEqual(["read"]);
    world.clock.advance(1);
    expect(await cost()).toEqual(["read", "touch"]);
    expect(await cost()).toEqual(["read"]);
  });

  test("[B-04] of 20 parallel requests none writes before a touch is due", async () => {
    const world = await open();
    const ada = await world.loggedIn("ada");
    world.clock.advance(59 * SECOND);
    const calls = await world.probe.callsOf(() =>
      Promise.all(Array.from({ length: 20 }, () => ada.get("/me"))),
    );
    expect(calls).toEqual(Array.from({ length: 20 }, () => "read"));
  });

  test("a change costs 1 write, the same value again 0", async () => {
    const world = await open();
    const ada = await world.loggedIn("ada");
    const cost = (value: unknown) => world.probe.callsOf(() => ada.post(set("a", value)));
    expect(await cost({ b: [1] })).toEqual(["read", "update"]);
    expect(await cost({ b: [1] })).toEqual(["read"]);
    expect(await cost({ b: [2] })).toEqual(["read", "update"]);
  });

  test("a login is 1 atomic call: create for a visitor, replace where there was a session", async () => {
    const world = await open();
    const ada = world.client();
    const cost = (path: string) => world.probe.callsOf(() => ada.post(path));
    expect(await cost("/login?user=ada&max=3")).toEqual(["create"]);
    expect(await cost("/login?user=ada&max=3")).toEqual(["read", "replace"]);
    expect(await cost("/rotate")).toEqual(["read", "replace"]);
    expect(await cost("/logout")).toEqual(["read", "end"]);
    expect(await cost("/cart?item=book")).toEqual(["create"]);
    expect(await cost("/login?user=ada&max=3")).toEqual(["read", "replace"]);
  });

  test("[F-07] a route that opted out makes 0 calls, also with a cookie that is due for a touch", async () => {
    const world = await open();
    const ada = await world.loggedIn("ada");
    world.clock.advance(120 * SECOND);
    const calls = await world.probe.callsOf(() => ada.get("/open"));
    expect(calls).toEqual([]);
  });

  test("[B-08] a browser whose session ended pays 1 read, then nothing", async () => {
    const world = await open();
    const ada = await world.loggedIn("ada");
    await world.sessions.revokeAll("ada");
    expect(await world.probe.callsOf(() => ada.get("/me"))).toEqual(["read"]);
    expect(await world.probe.callsOf(() => ada.get("/me"))).toEqual([]);
  });
});
