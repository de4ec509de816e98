/** G3: the limit of sessions holds at every instant, under any number of parallel logins. */
import { describe, expect, test } from "vitest";
import { memoryStore } from "../src/store/memory/store.ts";
import type { OnLimit } from "../src/store/contract.ts";
import type { Browser } from "./support/browser.ts";
import { principalOf } from "./support/browser.ts";
import { fakeClock, HOUR, MINUTE } from "./support/clock.ts";
import { interceptStore } from "./support/intercept.ts";
import { failure, failureCode, must, parallel, range, world, type World } from "./support/world.ts";

/** A world that looks, after every store operation, how many sessions `ada` has. */
function observed(options: Parameters<typeof world>[0]): World & { peak: () => number } {
  const clock = options?.clock ?? fakeClock();
  const inner = options?.store ?? memoryStore({ clock });
  let peak = 0;
  const store = interceptStore(inner, async (_, run) => {
    const answer = await run();
    for (let alive = 0, seen = inner.scan("session")[Symbol.asyncIterator](); ;) {
      const { value, done } = await seen.next();
      if (done) break;
      if (value.owner?.endsWith(".ada")) peak = Math.max(peak, ++alive);
    }
    return answer;
  });
  return { ...world({ ...options, clock, store }), peak: () => peak };
}

describe("G3 B-05 50 parallel logins, 20 rounds, limit 3", () => {
  test.each<OnLimit>(["evict-oldest", "evict-idle", "reject"])(
    "%s: never more than 3 alive, exactly 3 in the end",
    async (onLimit) => {
      for (const round of range(20)) {
        const { browser, sessions, peak } = observed({ max: 3, onLimit });
        const outcomes = await Promise.allSettled(
          range(50).map(() => browser().visit((session) => session.login("ada"))),
        );
        expect(peak(), `round ${round}`).toBeLessThanOrEqual(3);
        expect((await sessions.list("ada")).items).toHaveLength(3);
        const refused = outcomes.filter(({ status }) => status === "rejected");
        expect(refused).toHaveLength(onLimit === "reject" ? 47 : 0);
      }
    },
  );

  test("the same with two processes on one store, and from anonymous sessions", async () => {
    const clock = fakeClock();
    const one = observed({ max: 3, clock });
    const two = world({ max: 3, clock, store: one.store });
    await parallel(50, async (index) => {
      const visitor = (index % 2 === 0 ? one : two).browser();
      await visitor.visit((session) => void (session.a = 1));
      await visitor.visit((session) => session.login("ada"));
    });
    expect(one.peak()).toBeLessThanOrEqual(3);
    expect(await one.sessions.count()).toMatchObject({ active: 3, principals: 1 });
  });

  test("and through sessions.create and the option principal", async () => {
    const { sessions, peak } = observed({ max: 3 });
    await parallel(50, () => sessions.create({ principal: "ada" }));
    expect(peak()).toBe(3);
    const derived = observed({ max: 3, principal: (data) => data["user"] as string });
    await parallel(50, () => derived.browser().visit((session) => void (session.user = "ada")));
    expect(derived.peak()).toBe(3);
  });
});

/** Logs `ada` in on so many browsers, a second apart. */
async function devices({ browser, clock }: World, count: number): Promise<Browser[]> {
  const all: Browser[] = [];
  for (const _ of range(count)) {
    const visitor = browser();
    await visitor.visit((session) => session.login("ada"));
    all.push(visitor);
    clock.advance(1_000);
  }
  return all;
}

describe("who has to go", () => {
  test("evict-oldest: the session that began first, however lately used", async () => {
    const made = world({ max: 3, onLimit: "evict-oldest", touchAfter: 0 });
    const all = await devices(made, 3);
    await must(all[0]).visit(() => {});
    await made.browser().visit((session) => session.login("ada"));
    expect(await Promise.all(all.map(principalOf))).toEqual([null, "ada", "ada"]);
  });

  test("evict-idle: the session that was not used for the longest time", async () => {
    const made = world({ max: 3, onLimit: "evict-idle", touchAfter: 0 });
    const all = await devices(made, 3);
    await must(all[0]).visit(() => {});
    await made.browser().visit((session) => session.login("ada"));
    expect(await Promise.all(all.map(principalOf))).toEqual(["ada", null, "ada"]);
  });

  test("reject: nobody goes, SOJOURN_LIMIT_REACHED with 409, and a denied event", async () => {
    const made = world({ max: 3, onLimit: "reject" });
    const all = await devices(made, 3);
    const late = made.browser();
    const visit = await late.open();
    const error = await failure(visit.session.login("ada"));
    expect(error).toMatchObject({
      code: "SOJOURN_LIMIT_REACHED",
      statusCode: 409,
      details: { active: 3, max: 3 },
    });
    expect(visit.session.principal).toBeNull();
    expect((await visit.close()).cookie).toBeNull();
    expect(await Promise.all(all.map(principalOf))).toEqual(["ada", "ada", "ada"]);
    expect(made.told("denied")).toMatchObject([{ principal: "ada", active: 3, max: 3 }]);
  });

  test("a refused login leaves the anonymous session as it was", async () => {
    const made = world({ max: 1, onLimit: "reject" });
    await devices(made, 1);
    const late = made.browser();
    await late.visit((session) => void (session.cart = [1]));
    const { cookie } = late;
    await late.visit(async (session) => {
      expect(await failureCode(session.login("ada"))).toBe("SOJOURN_LIMIT_REACHED");
    });
    expect(late.cookie).toBe(cookie);
    expect(await late.visit((session) => session.cart)).toEqual([1]);
  });
});

describe("what counts", () => {
  test.each([0, undefined])("B-06 max %s is unlimited: 20 logins are 20 sessions", async (max) => {
    const { browser, sessions } = world(max === undefined ? {} : { max });
    await parallel(20, () => browser().visit((session) => session.login("ada")));
    expect((await sessions.list("ada")).items).toHaveLength(20);
  });

  test("B-05 a session that expired frees its place without any sweep", async () => {
    const made = world({ max: 2, onLimit: "reject", idle: "30m" });
    const [first] = await devices(made, 2);
    made.clock.advance(30 * MINUTE - 2_000 - 1);
    expect(await failureCode(made.browser().visit((session) => session.login("ada")))).toBe(
      "SOJOURN_LIMIT_REACHED",
    );
    made.clock.advance(1);
    await made.browser().visit((session) => session.login("ada"));
    expect(await principalOf(must(first))).toBeNull();
  });

  test.each(["logout", "revoke"] as const)("%s frees a place", async (how) => {
    const made = world({ max: 2, onLimit: "reject" });
    const [first] = await devices(made, 2);
    if (how === "logout") await must(first).visit((session) => session.logout());
    else await made.sessions.revoke(must((await made.sessions.list("ada")).items[0]).handle);
    await made.browser().visit((session) => session.login("ada"));
    expect((await made.sessions.list("ada")).items).toHaveLength(2);
  });

  test("a login on the same session does not count itself", async () => {
    const made = world({ max: 1, onLimit: "reject" });
    const [device] = await devices(made, 1);
    await must(device).visit((session) => session.login("ada"));
    expect(await principalOf(must(device))).toBe("ada");
    expect((await made.sessions.list("ada")).items).toHaveLength(1);
  });

  test("rotate, elevate and reauthenticate are no logins", async () => {
    const made = world({ max: 1, onLimit: "reject" });
    const [device] = await devices(made, 1);
    await must(device).visit(async (session) => {
      await session.rotate();
      await session.elevate();
      await session.reauthenticate();
    });
    expect(await principalOf(must(device))).toBe("ada");
  });

  test("each principal has its own places, anonymous sessions none", async () => {
    const { browser, sessions } = world({ max: 1, onLimit: "reject" });
    await parallel(5, (index) => browser().visit((session) => session.login(`user${index}`)));
    await parallel(5, () => browser().visit((session) => void (session.a = 1)));
    expect(await sessions.count()).toMatchObject({ active: 10, principals: 5 });
  });
});

describe("where the limit comes from", () => {
  test("login's own goes before the option's, in both directions", async () => {
    const { browser, sessions } = world({ max: 2 });
    await parallel(4, () => browser().visit((session) => session.login("ada", { max: 0 })));
    expect((await sessions.list("ada")).items).toHaveLength(4);
    await browser().visit((session) => session.login("ada", { max: 1 }));
    expect((await sessions.list("ada")).items).toHaveLength(1);
    const refused = browser().visit((session) =>
      session.login("ada", { max: 1, onLimit: "reject" }),
    );
    expect(await failureCode(refused)).toBe("SOJOURN_LIMIT_REACHED");
  });

  test("a function, also an asynchronous one, is asked for each principal", async () => {
    const max = (principal: string): number | Promise<number> =>
      principal === "ada" ? 1 : Promise.resolve(2);
    const { browser, sessions } = world({ max });
    for (const name of ["ada", "bob"]) {
      await parallel(5, () => browser().visit((session) => session.login(name)));
    }
    expect((await sessions.list("ada")).items).toHaveLength(1);
    expect((await sessions.list("bob")).items).toHaveLength(2);
  });

  test.each([-1, 1.5, Number.NaN, "3"])(
    "a function that returns %j lets nobody in",
    async (value) => {
      const { browser, sessions } = world({ max: () => value as number });
      const { session } = await browser().open();
      expect(await failureCode(session.login("ada"))).toBe("SOJOURN_OPTIONS_INVALID");
      expect((await sessions.count()).active).toBe(0);
    },
  );

  test("a lower limit takes as many as needed out at the next login", async () => {
    const made = world({ absolute: 2 * HOUR });
    await devices(made, 5);
    await made.browser().visit((session) => session.login("ada", { max: 2 }));
    expect((await made.sessions.list("ada")).items).toHaveLength(2);
    expect(made.told("evicted")).toHaveLength(4);
  });
});
