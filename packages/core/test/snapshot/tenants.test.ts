/** Tenants on one store: by namespace each sees, exports and restores its own alone. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { memoryStore } from "../../src/store/memory/store.ts";
import type { Browser } from "../support/browser.ts";
import { fakeClock } from "../support/clock.ts";
import { interceptStore } from "../support/intercept.ts";
import { must, parallel, range, world, type World } from "../support/world.ts";
import { contents, exported, imported } from "./support.ts";

const TENANTS = ["acme", "globex"] as const;

/** A manager for each tenant, on one store whose answers come in any order. */
function tenants(options: Parameters<typeof world>[0] = {}): Record<string, World> {
  const clock = fakeClock();
  const store = interceptStore(memoryStore({ clock }), async (_, run) => {
    if (Math.random() < 0.5) await nextTurn();
    return run();
  });
  return Object.fromEntries(
    TENANTS.map((namespace) => [namespace, world({ ...options, clock, store, namespace })]),
  );
}

describe("[A-26] two tenants on one store", () => {
  test("[A-26] 1,000 interleaved calls of users of the same name: nobody reads what is the other's", async () => {
    const worlds = tenants();
    const visitors: [string, Browser][] = [];
    for (const tenant of TENANTS)
      for (const user of ["ada", "bob"]) {
        const visitor = must(worlds[tenant]).browser();
        await visitor.visit((session) => session.login(user));
        await visitor.visit((session) => void (session.user = `${tenant}/${user}`));
        visitors.push([`${tenant}/${user}`, visitor]);
      }
    const wrong: unknown[] = [];
    await parallel(1_000, async (index) => {
      const [name, visitor] = must(visitors[(index * 7) % visitors.length]);
      const seen = await visitor.clone().visit(async (session) => {
        await session.update((data) => void (data["count"] = Number(data["count"] ?? 0) + 1));
        return `${String(session.user)} as ${session.principal}`;
      });
      if (seen !== `${name} as ${name.split("/")[1]}`) wrong.push([name, seen]);
    });
    expect(wrong).toEqual([]);
    for (const [, visitor] of visitors)
      expect(await visitor.visit((session) => session.count)).toBe(250);
  });

  test("[A-26] [A-30] a cookie of one tenant is unknown at the other, and an event says so", async () => {
    const worlds = tenants();
    const visitor = must(worlds["acme"]).browser();
    await visitor.visit((session) => session.login("ada"));
    const there = must(worlds["globex"]);
    expect(await visitor.at(there.pipeline).visit((session) => session.principal)).toBeNull();
    expect(there.told("cookie-rejected")).toMatchObject([{ reason: "unknown" }]);
  });

  test("[A-25] lists, endings and limits are each tenant's own", async () => {
    const worlds = tenants({ max: 1, onLimit: "reject" });
    const [here, there] = [must(worlds["acme"]), must(worlds["globex"])];
    const [ours, theirs] = [here.browser(), there.browser()];
    for (const visitor of [ours, theirs]) await visitor.visit((session) => session.login("ada"));
    const [listed] = (await here.sessions.list("ada")).items;
    expect(await there.sessions.get(must(listed).handle)).toBeNull();
    expect(await there.sessions.revoke(must(listed).handle)).toBe(false);
    expect(await here.sessions.revokeAll("ada")).toBe(1);
    expect(await ours.visit((session) => session.principal)).toBeNull();
    expect(await theirs.visit((session) => session.principal)).toBe("ada");
    await here.sessions.revokeEveryone();
    expect(await there.sessions.count()).toMatchObject({ active: 1 });
  });

  test("[A-26] each exports its own, and neither restores the other's, though their keys are the same", async () => {
    const worlds = tenants();
    const [here, there] = [must(worlds["acme"]), must(worlds["globex"])];
    for (const index of range(20)) {
      const visitor = must(worlds[must(TENANTS[index % 2])]).browser();
      await visitor.visit((session) => session.login(`user ${index}`));
    }
    const { bytes, result } = await exported(here.sessions);
    expect(result.exported).toBe(10);
    const taken = await imported(there.sessions, bytes);
    expect(taken).toMatchObject({ restored: 0, skipped: { invalid: 10 } });
    expect(taken.failed[0]?.reason).toBe("it is of a kind that is not imported");
    expect(await contents(here.store, ["session:globex"])).toHaveLength(10);
  });

  test("[A-26] one manager moves both, by their kinds", async () => {
    const worlds = tenants();
    for (const tenant of TENANTS)
      await must(worlds[tenant])
        .browser()
        .visit((session) => session.login("ada"));
    const { store, sessions, clock } = must(worlds["acme"]);
    const kinds = TENANTS.map((tenant) => `session:${tenant}`);
    const { bytes } = await exported(sessions, { kinds });
    const to = world({ clock });
    expect(await imported(to.sessions, bytes, { kinds })).toMatchObject({ restored: 2 });
    expect(await contents(to.store, kinds)).toEqual(await contents(store, kinds));
  });
});
