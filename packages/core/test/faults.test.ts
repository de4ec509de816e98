/** G7: a store that fails, hangs or throws is a typed error within the deadline, and nothing half-done. */
import { describe, expect, test, vi } from "vitest";
import { createSessionManager } from "../src/create.ts";
import { isSojournError, SojournError } from "../src/errors.ts";
import type { Store } from "../src/store/contract.ts";
import { memoryStore } from "../src/store/memory/store.ts";
import type { Browser, TestSession, Visit } from "./support/browser.ts";
import { type FakeClock, fakeClock } from "./support/clock.ts";
import { Gate, interceptStore, settled } from "./support/intercept.ts";
import { collect, failure, must, parallel, SECRET, world, type World } from "./support/world.ts";

const DEADLINE = 50;

const FAULTS: Record<string, { code: string; fail: () => unknown }> = {
  rejects: {
    code: "SOJOURN_STORE_UNAVAILABLE",
    fail: () => Promise.reject(new Error("ECONNREFUSED")),
  },
  "throws at once": {
    code: "SOJOURN_STORE_UNAVAILABLE",
    fail: () => {
      throw new TypeError("client is closed");
    },
  },
  hangs: { code: "SOJOURN_STORE_TIMEOUT", fail: () => new Promise(() => {}) },
  "rejects with a code of ours": {
    code: "SOJOURN_STORE_FULL",
    fail: () => Promise.reject(new SojournError("SOJOURN_STORE_FULL", "full")),
  },
};

interface Faulty extends World {
  readonly visitor: Browser;
  /** From now on so. Null: as it should be. */
  break(fault: string | null): void;
}

async function faulty(): Promise<Faulty> {
  const clock = fakeClock();
  let fault: string | null = null;
  const store = interceptStore(memoryStore({ clock }), (_, run) =>
    fault === null ? run() : must(FAULTS[fault]).fail(),
  );
  const made = world({ clock, store, storeDeadline: `${DEADLINE}ms`, breaker: false });
  const visitor = made.browser();
  await visitor.visit((session) => session.set("a", 1) && session.login("ada"));
  return { ...made, visitor, break: (next) => void (fault = next) };
}

const WORK: [name: string, operation: string, act: (session: TestSession) => Promise<unknown>][] = [
  ["save", "update", (session) => session.set("b", 2).save()],
  ["update", "update", (session) => session.update((data) => void (data["b"] = 2))],
  ["login", "replace", (session) => session.login("bob")],
  ["rotate", "replace", (session) => session.rotate()],
  ["elevate", "replace", (session) => session.elevate()],
  ["reauthenticate", "replace", (session) => session.reauthenticate()],
  ["logout", "end", (session) => session.logout()],
  ["regenerate", "end", (session) => session.regenerate()],
  ["revokeOthers", "endOwner", (session) => session.revokeOthers()],
  ["reload", "read", (session) => session.reload()],
];

describe.each(Object.keys(FAULTS))("G7 B-20 a store that %s", (fault) => {
  const { code } = must(FAULTS[fault]);

  test("makes begin() fail: no request is served as anonymous", async () => {
    const made = await faulty();
    made.break(fault);
    const error = await failure(made.visitor.open());
    expect(error).toMatchObject({ code, statusCode: 503, headers: { "Retry-After": "2" } });
    expect(made.told("store-failed")).toMatchObject([{ operation: "read", code }]);
    expect(made.visitor.cookie).toBeDefined();
  });

  test.each(WORK)("makes %s() fail, and the session is what it was", async (_, operation, act) => {
    const made = await faulty();
    const { visitor } = made;
    const visit = await visitor.open();
    const before = visit.session.handle;
    made.break(fault);
    const error = await failure(act(visit.session));
    expect(error).toMatchObject({ code, statusCode: 503 });
    expect(made.told("store-failed")).toMatchObject([{ operation, code }]);
    expect(visit.session).toMatchObject({ principal: "ada", handle: before, level: 1 });
    made.break(null);
    await visitor.clone().visit((session) => {
      expect(session).toMatchObject({ principal: "ada", handle: before });
      expect(session.toJSON()).toEqual({ a: 1 });
    });
  });

  test("makes commit() fail: no cookie, no success, and a later commit can still write", async () => {
    const made = await faulty();
    const { visitor } = made;
    const visit = await visitor.open();
    visit.session.b = 2;
    made.break(fault);
    expect(await failure(visit.close())).toMatchObject({ code, statusCode: 503 });
    made.break(null);
    await visit.close();
    expect(await visitor.visit((session) => session.b)).toBe(2);
  });

  test("makes the login of a visitor fail: nobody is logged in, no cookie is sent", async () => {
    const made = await faulty();
    const visit = await made.browser().open();
    made.break(fault);
    expect(await failure(visit.session.login("bob"))).toMatchObject({ code });
    expect(visit.session).toMatchObject({ principal: null, handle: null, isNew: true });
    made.break(null);
    expect((await visit.close()).cookie).toBeNull();
    await settled();
    expect((await made.sessions.list("bob")).items).toEqual([]);
  });

  test("does not stop a visitor without a session who changes nothing", async () => {
    const made = await faulty();
    made.break(fault);
    await made.browser().visit((session) => expect(session.principal).toBeNull());
  });

  test("makes every answer of the manager fail, and health() say so without rejecting", async () => {
    const made = await faulty();
    const handle = must(await made.visitor.visit((session) => session.handle));
    made.break(fault);
    const { sessions } = made;
    const answers = [
      sessions.get(handle),
      sessions.list("ada"),
      sessions.explain(handle),
      sessions.revoke(handle),
      sessions.revokeAll("ada"),
      sessions.revokeOthers("ada", handle),
      sessions.revokeEveryone(),
      sessions.count(),
      sessions.principals(),
      sessions.stats(),
      sessions.create({ principal: "bob" }),
      sessions.revokeWhere({ principal: "ada" }),
    ];
    for (const answer of await Promise.allSettled(answers)) {
      expect(answer).toMatchObject({ status: "rejected", reason: { code, statusCode: 503 } });
    }
    expect(await sessions.health()).toMatchObject({ status: "down", store: "memory", code });
  });

  test("takes the session object's callbacks along", async () => {
    const made = await faulty();
    const { session } = await made.visitor.open();
    made.break(fault);
    const error: unknown = await new Promise((resolve) => {
      session.b = 2;
      void session.save(resolve);
    });
    expect(isSojournError(error) && error.code).toBe(code);
  });
});

describe("deadline", () => {
  test("100 parallel commits of one session on a hung store each fail within one, wait included", async () => {
    const made = await faulty();
    const visits = await parallel(100, () => made.visitor.open());
    made.break("hangs");
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    const commit = async (visit: Visit, index: number): Promise<number> => {
      const began = performance.now();
      visit.session.set(`key${index}`, index);
      expect((await failure(visit.close())).code).toBe("SOJOURN_STORE_TIMEOUT");
      return performance.now() - began;
    };
    try {
      // The others come while the first one waits for the store: their time has begun already.
      const first = commit(must(visits[0]), 0);
      await vi.advanceTimersByTimeAsync(DEADLINE / 2);
      const others = Promise.all(visits.slice(1).map(commit));
      await vi.advanceTimersByTimeAsync(DEADLINE * 10);
      expect(Math.max(await first, ...(await others))).toBeLessThanOrEqual(DEADLINE + 1);
    } finally {
      vi.useRealTimers();
    }
  });

  test("the line moves on when the store is back", async () => {
    const made = await faulty();
    const visits = await parallel(10, () => made.visitor.open());
    made.break("hangs");
    await Promise.all(
      visits.map((visit, index) => {
        visit.session.set(`key${index}`, index);
        return failure(visit.close());
      }),
    );
    made.break(null);
    await Promise.all(visits.map((visit) => visit.close()));
    const data = await made.visitor.visit((session) => session.toJSON());
    expect(Object.keys(data)).toHaveLength(11);
  });

  test.each(["create", "replace"])(
    "a login that the store completes after the deadline (%s) is taken back",
    async (operation) => {
      const clock = fakeClock();
      const gate = new Gate(memoryStore({ clock }));
      const { browser, sessions } = world({ clock, store: gate.store, storeDeadline: "20ms" });
      const visitor = browser();
      if (operation === "replace") await visitor.visit((session) => void (session.a = 1));
      gate.hold(operation, "before");
      const { session } = await visitor.open();
      expect((await failure(session.login("ada"))).code).toBe("SOJOURN_STORE_TIMEOUT");
      gate.open();
      await settled();
      expect((await sessions.list("ada")).items).toEqual([]);
    },
  );

  test("a store call leaves no timer behind, whether it succeeds, rejects or throws", async () => {
    const timers = (): number =>
      process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
    const before = timers();
    for (const fault of [null, "rejects", "throws at once"]) {
      const made = await faulty();
      made.break(fault);
      await made.visitor.open().catch(() => {});
    }
    expect(timers()).toBeLessThanOrEqual(before);
  });
});

/** A store in which somebody else always wrote a moment before. */
function contested(clock: FakeClock): Store {
  const inner = memoryStore({ clock });
  return interceptStore(inner, async (operation, run) => {
    if (operation === "update") {
      await settled(1);
      for (const record of await collect(inner.scan("session"))) {
        await inner.update({ kind: record.kind, key: record.key }, record, record.version);
      }
    }
    return run();
  });
}

describe("a conflict without end", () => {
  test("is given up after the deadline, with nothing written", async () => {
    const clock = fakeClock();
    const store = contested(clock);
    const { browser, told } = world({ clock, store, storeDeadline: `${DEADLINE}ms` });
    const visitor = browser();
    await visitor.visit((session) => session.login("ada"));
    const visit = await visitor.open();
    visit.session.b = 2;
    const began = performance.now();
    expect(await failure(visit.close())).toMatchObject({
      code: "SOJOURN_UPDATE_CONFLICT",
      statusCode: 503,
    });
    expect(performance.now() - began).toBeLessThan(DEADLINE * 20);
    expect(told("committed")).toEqual([]);
  });

  test("does not hold updateWhere() forever either", async () => {
    const clock = fakeClock();
    const store = contested(clock);
    const { sessions } = world({ clock, store, storeDeadline: `${DEADLINE}ms` });
    await sessions.create({ principal: "ada" });
    const work = sessions.updateWhere({}, (data) => void (data["b"] = 2));
    expect((await failure(work)).code).toBe("SOJOURN_UPDATE_CONFLICT");
  });
});

describe("errors", () => {
  test("carry the cause, and say what happened, where and what to do", async () => {
    const made = await faulty();
    made.break("rejects");
    const error = await failure(made.visitor.open());
    expect(error.cause).toMatchObject({ message: "ECONNREFUSED" });
    expect(error.message).toMatch(/memory store failed in 'read'.*\[SOJOURN_STORE_UNAVAILABLE\]$/);
  });

  test("of a closed manager are typed", async () => {
    const { sessions, pipeline } = createSessionManager({ secret: SECRET, logger: false });
    const { setCookie } = await sessions.create({ principal: "ada" });
    await sessions.close();
    const cookieHeader = must(setCookie.split(";")[0]);
    const begun = Promise.resolve(
      pipeline.begin({ cookieHeader, secure: false, client: () => ({}) }),
    );
    expect(await failure(begun)).toMatchObject({ code: "SOJOURN_STORE_CLOSED", statusCode: 503 });
  });

  test("isSojournError knows ours, and nobody else's", () => {
    const foreign = Object.assign(new Error("x"), { code: "SOJOURN_STORE_FULL" });
    expect(isSojournError(foreign)).toBe(true);
    for (const other of [
      null,
      "SOJOURN_STORE_FULL",
      new Error("x"),
      { code: "SOJOURN_STORE_FULL" },
    ])
      expect(isSojournError(other)).toBe(false);
  });
});
