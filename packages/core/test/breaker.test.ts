/** [B-20] The circuit breaker: when it stops calls, when it tries again, and what counts as no answer. */
import { describe, expect, test, vi } from "vitest";
import { SojournError, type ErrorCode } from "../src/errors.ts";
import { Breaker, type Attempt } from "../src/store/breaker.ts";
import { memoryStore } from "../src/store/memory/store.ts";
import { Line, sharedStore } from "./support/away.ts";
import { fakeClock } from "./support/clock.ts";
import { interceptStore } from "./support/intercept.ts";
import { failure, parallel, range, world } from "./support/world.ts";

interface Bench {
  readonly breaker: Breaker;
  readonly told: (string | number)[];
  /** Moves time on. */
  wait(ms: number): void;
  /** A call; or the pause in ms, if it is not let through. */
  attempt(): Attempt | number;
  /** A call that gets no answer; the pause in ms, if it was not let through. */
  fail(): number | null;
}

function bench(options: ConstructorParameters<typeof Breaker>[0] = FIVE): Bench {
  let now = 1_000;
  const told: (string | number)[] = [];
  const listener = {
    down: (code: ErrorCode) => told.push(code),
    up: (downMs: number) => told.push(downMs),
  };
  const breaker = new Breaker(options, listener, () => now);
  const attempt = (): Attempt | number => {
    const call = { beganAt: now };
    return breaker.attempt(call) ?? call;
  };
  return {
    breaker,
    told,
    attempt,
    wait: (ms) => void (now += ms),
    fail: () => {
      const made = attempt();
      if (typeof made === "number") return made;
      breaker.failed(made, "SOJOURN_STORE_TIMEOUT");
      return null;
    },
  };
}

const FIVE = { failures: 5, pauseMs: 1_000 };

function down(options?: typeof FIVE): Bench {
  const made = bench(options);
  for (const _ of range(options?.failures ?? 5)) made.fail();
  return made;
}

function attemptOf({ attempt }: Bench): Attempt {
  const made = attempt();
  if (typeof made === "number") throw new Error("this attempt was to be let through");
  return made;
}

describe("[B-20] the breaker", () => {
  test("lets 5 failures in a row pass, and stops the 6th call for 100 ms", () => {
    const made = bench();
    for (const _ of range(4)) expect(made.fail()).toBeNull();
    expect(made.told).toEqual([]);
    expect(made.fail()).toBeNull();
    expect(made.told).toEqual(["SOJOURN_STORE_TIMEOUT"]);
    expect(made.fail()).toBe(100);
    made.wait(99);
    expect(made.fail()).toBe(1);
    made.wait(1);
    expect(made.fail()).toBeNull();
  });

  test("an answer in between starts the count anew", () => {
    const made = bench();
    for (const _ of range(4)) made.fail();
    made.breaker.answered();
    for (const _ of range(4)) made.fail();
    expect(made.told).toEqual([]);
    made.fail();
    expect(made.told).toHaveLength(1);
  });

  test("pauses 100, 200, 400, 800 and then 1,000 ms between tries", () => {
    const made = down();
    const pauses = range(7).map(() => {
      const pause = made.fail();
      made.wait(pause ?? 0);
      made.fail();
      return pause;
    });
    expect(pauses).toEqual([100, 200, 400, 800, 1_000, 1_000, 1_000]);
    expect(made.told).toHaveLength(1);
  });

  test("never pauses longer than the option says, and begins at 100 ms again next time", () => {
    const made = down({ failures: 1, pauseMs: 150 });
    made.wait(100);
    expect(made.fail()).toBeNull();
    expect(made.fail()).toBe(150);
    made.wait(150);
    attemptOf(made);
    made.breaker.answered();
    expect(made.fail()).toBeNull();
    expect(made.fail()).toBe(100);
  });

  test("tries with one call at a time, however long that takes", () => {
    const made = down();
    made.wait(100);
    const trial = attemptOf(made);
    for (const _ of range(10)) {
      made.wait(500);
      expect(made.attempt()).toBeTypeOf("number");
    }
    made.breaker.failed(trial, "SOJOURN_STORE_TIMEOUT");
    expect(made.attempt()).toBe(200);
  });

  test("calls from before, which fail late, neither lengthen the pause nor end it", () => {
    const made = bench();
    const early = range(100).map(() => attemptOf(made));
    made.wait(2_000);
    for (const attempt of early) made.breaker.failed(attempt, "SOJOURN_STORE_TIMEOUT");
    expect(made.told).toEqual(["SOJOURN_STORE_TIMEOUT"]);
    expect(made.attempt()).toBe(100);
  });

  test("one answer, whoever's, lets all pass again and says how long it was", () => {
    const made = bench();
    const early = range(6).map(() => attemptOf(made));
    made.wait(2_000);
    for (const attempt of early.slice(1)) made.breaker.failed(attempt, "SOJOURN_STORE_TIMEOUT");
    made.wait(50);
    made.breaker.answered();
    expect(made.told).toEqual(["SOJOURN_STORE_TIMEOUT", 2_050]);
    for (const _ of range(10)) attemptOf(made);
  });

  test("a trial that fails after another answer is one failure, no more", () => {
    const made = down({ failures: 2, pauseMs: 1_000 });
    made.wait(100);
    const trial = attemptOf(made);
    made.breaker.answered();
    made.breaker.failed(trial, "SOJOURN_STORE_TIMEOUT");
    attemptOf(made);
    expect(made.told).toHaveLength(2);
  });

  test("false: never stops a call, never says anything", () => {
    const made = bench(null);
    for (const _ of range(100)) expect(made.fail()).toBeNull();
    made.breaker.answered();
    expect(made.told).toEqual([]);
  });
});

describe("[B-20] a manager whose store is away", () => {
  test("asks it 5 times and then by single tries: 1,000 requests of one second cost at most 9 calls", async () => {
    const clock = fakeClock();
    const line = new Line(sharedStore(clock));
    const { browser, told } = world({ clock, store: line.store });
    const visitor = browser();
    await visitor.visit((session) => session.login("ada"));
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    try {
      line.cut("rejects");
      for (const _ of range(1_000)) {
        const error = await failure(visitor.clone().open());
        expect(error).toMatchObject({ code: "SOJOURN_STORE_UNAVAILABLE", statusCode: 503 });
        await vi.advanceTimersByTimeAsync(1);
      }
      expect(line.tried.length).toBeGreaterThanOrEqual(8);
      expect(line.tried.length).toBeLessThanOrEqual(9);
      expect(told("store-failed")).toHaveLength(line.tried.length);
      line.restore();
      await vi.advanceTimersByTimeAsync(1_000);
      expect(await visitor.visit((session) => session.principal)).toBe("ada");
    } finally {
      vi.useRealTimers();
    }
    expect(told("store-down")).toMatchObject([{ code: "SOJOURN_STORE_UNAVAILABLE" }]);
    expect(told("store-up")).toHaveLength(1);
    expect(told("store-up")[0]?.downMs).toBeGreaterThanOrEqual(1_900);
  });

  test("a store that hangs costs 5 requests their deadline, the others nothing", async () => {
    const clock = fakeClock();
    const line = new Line(sharedStore(clock));
    const { browser } = world({ clock, store: line.store });
    const visitor = browser();
    await visitor.visit((session) => session.login("ada"));
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    try {
      line.cut("hangs");
      const codes = Promise.all(range(5).map(() => failure(visitor.clone().open())));
      await vi.advanceTimersByTimeAsync(2_000);
      expect((await codes).map(({ code }) => code)).toEqual(
        Array.from({ length: 5 }, () => "SOJOURN_STORE_TIMEOUT"),
      );
      const errors = await parallel(100, () => failure(visitor.clone().open()));
      expect(new Set(errors.map(({ code }) => code))).toEqual(
        new Set(["SOJOURN_STORE_UNAVAILABLE"]),
      );
      expect(errors[0]?.message).toMatch(/was not asked to 'read'.*tried again in 100 ms/);
      expect(errors[0]?.details).toEqual({ operation: "read", retryInMs: 100 });
      expect(line.tried).toHaveLength(5);
      await vi.advanceTimersByTimeAsync(100);
      const trial = failure(visitor.clone().open());
      await vi.advanceTimersByTimeAsync(1_900);
      await parallel(100, () => failure(visitor.clone().open()));
      expect(line.tried).toHaveLength(6);
      await vi.advanceTimersByTimeAsync(100);
      expect((await trial).code).toBe("SOJOURN_STORE_TIMEOUT");
    } finally {
      vi.useRealTimers();
    }
  });

  test.each(["SOJOURN_STORE_FULL", "SOJOURN_STORE_CORRUPT", "SOJOURN_STORE_WRITE_FAILED"] as const)(
    "%s is an answer: 20 of them stop nothing",
    async (code) => {
      let calls = 0;
      const store = interceptStore(memoryStore(), () => {
        calls++;
        return Promise.reject(new SojournError(code, "an answer"));
      });
      const { sessions, told } = world({ store });
      for (const _ of range(20)) {
        expect((await failure(sessions.create({ principal: "ada" }))).code).toBe(code);
      }
      expect(calls).toBe(20);
      expect(told("store-down")).toEqual([]);
    },
  );

  test("breaker: false asks it each time", async () => {
    const clock = fakeClock();
    const line = new Line(sharedStore(clock));
    const { sessions, told } = world({ clock, store: line.store, breaker: false });
    line.cut("rejects");
    for (const _ of range(20)) await failure(sessions.count());
    expect(line.tried).toHaveLength(20);
    expect(told("store-down")).toEqual([]);
  });

  test("breaker.failures and breaker.pause are in force", async () => {
    const clock = fakeClock();
    const line = new Line(sharedStore(clock));
    const breaker = { failures: 2, pause: "100ms" };
    const { sessions } = world({ clock, store: line.store, breaker });
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    try {
      line.cut("rejects");
      for (const _ of range(10)) await failure(sessions.count());
      expect(line.tried).toHaveLength(2);
      for (const round of range(5)) {
        await vi.advanceTimersByTimeAsync(100);
        await failure(sessions.count());
        await failure(sessions.count());
        expect(line.tried).toHaveLength(3 + round);
      }
    } finally {
      vi.useRealTimers();
    }
  });
});
