/** Batches: find, revoke or change the sessions that a filter means. */
import { describe, expect, test } from "vitest";
import type { SessionInfo } from "../src/manager/types.ts";
import { memoryStore } from "../src/store/memory/store.ts";
import { fakeClock, MINUTE, SECOND } from "./support/clock.ts";
import { Gate } from "./support/intercept.ts";
import { collect, failureCode, must, range, world, type World } from "./support/world.ts";

/** So many sessions of `ada`, a second apart; oldest first. */
async function filled(count: number): Promise<World & { infos: SessionInfo[] }> {
  const made = world();
  const infos: SessionInfo[] = [];
  for (const number of range(count)) {
    const { session } = await made.sessions.create({ principal: "ada", data: { number } });
    infos.push(session);
    made.clock.advance(SECOND);
  }
  return { ...made, infos };
}

describe("C-27 batches", () => {
  const isEven = ({ data }: SessionInfo): boolean => Number(data["number"]) % 2 === 0;

  test("find by principal, by predicate, by both, by nothing", async () => {
    const { sessions } = await filled(4);
    await sessions.create({ principal: "bob", data: { number: 0 } });
    const numbers = async (filter: Parameters<typeof sessions.find>[0]): Promise<number[]> =>
      (await collect(sessions.find(filter)))
        .map(({ data }) => Number(data["number"]))
        .toSorted((a, b) => a - b);
    expect(await numbers({})).toEqual([0, 0, 1, 2, 3]);
    expect(await numbers({ principal: "ada" })).toEqual([0, 1, 2, 3]);
    expect(await numbers({ where: isEven })).toEqual([0, 0, 2]);
    expect(await numbers({ principal: "ada", where: isEven })).toEqual([0, 2]);
    expect(await numbers({ principal: "nobody" })).toEqual([]);
  });

  test("revokeWhere: a dry run ends none, the run ends those", async () => {
    const { sessions, infos } = await filled(5);
    expect(await sessions.revokeWhere({ where: isEven }, { dryRun: true })).toEqual({
      matched: 3,
      changed: 0,
    });
    expect((await sessions.count()).active).toBe(5);
    expect(await sessions.revokeWhere({ where: isEven }, { reason: "cleanup" })).toEqual({
      matched: 3,
      changed: 3,
    });
    expect((await sessions.count()).active).toBe(2);
    expect(await sessions.explain(must(infos[0]).handle)).toMatchObject({
      ending: { why: "revoked", reason: "cleanup" },
    });
  });

  test("updateWhere: a dry run changes none; the run changes those, and slides no deadline", async () => {
    const { sessions, infos, clock } = await filled(4);
    const flag = (data: Record<string, unknown>): void => void (data["flag"] = true);
    clock.advance(MINUTE);
    expect(await sessions.updateWhere({ where: isEven }, flag, { dryRun: true })).toEqual({
      matched: 2,
      changed: 0,
    });
    expect(await sessions.updateWhere({ where: isEven }, flag)).toEqual({ matched: 2, changed: 2 });
    const after = await Promise.all(infos.map(({ handle }) => sessions.get(handle)));
    expect(after).toEqual(
      infos.map((info) => (isEven(info) ? { ...info, data: { ...info.data, flag: true } } : info)),
    );
  });

  test("updateWhere loses no update of a request, and none is lost to it", async () => {
    const { browser, sessions } = world();
    const visitor = browser();
    await visitor.visit((session) => session.set("count", 0) && session.login("ada"));
    const increment = (data: Record<string, unknown>): void =>
      void (data["count"] = Number(data["count"]) + 1);
    await Promise.all([
      ...range(30).map(() => sessions.updateWhere({ principal: "ada" }, increment)),
      ...range(30).map(() => visitor.visit((session) => session.update(increment))),
    ]);
    expect(await visitor.visit((session) => session.count)).toBe(60);
  });

  test("updateWhere refuses an asynchronous change and data that JSON cannot hold", async () => {
    const { sessions, infos } = await filled(1);
    const slow = (async () => {}) as unknown as () => void;
    expect(await failureCode(sessions.updateWhere({}, slow))).toBe("SOJOURN_ADAPTER_MISUSE");
    expect(await failureCode(sessions.updateWhere({}, (data) => void (data["x"] = 1n)))).toBe(
      "SOJOURN_DATA_UNSERIALISABLE",
    );
    expect(await sessions.get(must(infos[0]).handle)).toEqual(infos[0]);
  });

  test("updateWhere revives nothing that ended meanwhile", async () => {
    const clock = fakeClock();
    const gate = new Gate(memoryStore({ clock }));
    const { sessions } = world({ clock, store: gate.store });
    await sessions.create({ principal: "ada" });
    gate.hold("update", "before");
    const work = sessions.updateWhere({}, (data) => void (data["x"] = 1));
    await gate.reached("update");
    await sessions.revokeAll("ada");
    gate.open();
    expect(await work).toEqual({ matched: 1, changed: 0 });
    expect((await sessions.count()).active).toBe(0);
  });
});
