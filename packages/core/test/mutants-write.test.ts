/** What mutation testing found untested in lifecycle/write.ts; see docs/mutation.md. */
import { afterEach, describe, expect, test, vi } from "vitest";
import { memoryStore } from "../src/store/memory/store.ts";
import { fakeTimers, finish } from "./support/nodes.ts";
import { fakeClock, MINUTE, SECOND } from "./support/clock.ts";
import { countingStore, interceptStore } from "./support/intercept.ts";
import { collect, failure, failureCode, loggedIn, must, parallel, world } from "./support/world.ts";

/** One answer to `update`: after so many ms; contested: somebody else wrote a moment before. */
interface Answer {
  readonly ms: number;
  readonly contested?: boolean;
}

/** A visitor logged in as `ada`; the store, whose deadline is 20 ms, answers each `update` as is said. */
async function timed(answerOf: (call: number) => Answer) {
  const clock = fakeClock();
  const inner = memoryStore({ clock });
  let calls = 0;
  const store = interceptStore(inner, async (operation, run) => {
    if (operation !== "update") return run();
    const { ms, contested = false } = answerOf(++calls);
    await new Promise((resolve) => {
      setTimeout(resolve, ms);
    });
    for (const record of contested ? await collect(inner.scan("session")) : []) {
      await inner.update(record, record, record.version);
    }
    return run();
  });
  const made = world({ clock, store, storeDeadline: "20ms", breaker: false });
  const visitor = made.browser();
  await visitor.visit((session) => session.login("ada"));
  fakeTimers();
  return { ...made, visitor, updates: () => calls };
}

describe("the time of a write", () => {
  afterEach(() => void vi.useRealTimers());

  test("[G7] a conflict at the deadline itself is tried again, one after it is given up", async () => {
    const { visitor, updates } = await timed(() => ({ ms: 10, contested: true }));
    const { session } = await visitor.open();
    const error = await failure(finish(session.set("b", 2).save()));
    expect(error.code).toBe("SOJOURN_UPDATE_CONFLICT");
    expect(error.message).toContain("faster than it could be written (3 attempts)");
    expect(error.message).toContain("nothing was written, try again");
    expect(updates()).toBe(3);
  });

  test("[G2] after a conflict the store has its whole deadline again", async () => {
    const { visitor } = await timed((call) => ({ ms: 15, contested: call === 1 }));
    await finish(visitor.visit((session) => session.set("b", 2).save()));
    expect(await visitor.visit((session) => session.b)).toBe(2);
  });

  test("[G7] the wait for the commits ahead counts", async () => {
    const { visitor } = await timed(() => ({ ms: 15 }));
    const [first, second] = [await visitor.open(), await visitor.open()];
    const began = performance.now();
    const ahead = first.session.set("a", 1).save();
    const behind = failureCode(second.session.set("b", 2).save());
    expect(await finish(behind)).toBe("SOJOURN_STORE_TIMEOUT");
    expect(performance.now() - began).toBe(20);
    await finish(ahead);
  });
});

describe("what a write leaves behind", () => {
  test("[G2] 20 commits of one session in one process are 20 writes: each hands the newest on", async () => {
    const clock = fakeClock();
    const { store, calls } = countingStore(memoryStore({ clock }));
    const { visitor } = await loggedIn({ clock, store });
    const visits = await parallel(20, () => visitor.open());
    await Promise.all(visits.map(({ session }, index) => session.set(`k${index}`, index).save()));
    expect(calls.filter((name) => name === "update")).toHaveLength(20);
  });

  test("a payload that was written is not written again by a touch", async () => {
    const clock = fakeClock();
    const { store, calls } = countingStore(memoryStore({ clock }));
    const { visitor } = await loggedIn({ clock, store });
    calls.length = 0;
    await visitor.visit(async (session) => {
      await session.set("a", 1).save();
      clock.advance(MINUTE);
    });
    expect(calls).toEqual(["read", "update", "touch"]);
  });

  test("[E-20] the events name the new session of nobody, and no keys of an update()", async () => {
    const { browser, told } = world();
    const visitor = browser();
    await visitor.visit((session) => void (session.a = 1));
    const handle = must(await visitor.visit((session) => session.handle));
    expect(told("created")).toMatchObject([{ handle, principal: null }]);
    await visitor.visit((session) => session.update((data) => void (data["b"] = 2)));
    expect(told("committed")).toMatchObject([{ handle, principal: null, keys: [] }]);
  });

  test("[E-11] who came by a key in its grace time goes on by it, and is refused when that is over", async () => {
    const { visitor, clock } = await loggedIn();
    const old = visitor.clone();
    await visitor.visit((session) => session.rotate());
    const { session } = await old.open();
    await session.set("a", 1).save();
    clock.advance(10 * SECOND);
    expect(await failureCode(session.set("a", 2).save())).toBe("SOJOURN_SESSION_ENDED");
    expect(await visitor.visit(({ a }) => a)).toBe(1);
  });

  test("an asynchronous update() is told what to do instead", async () => {
    const { visitor } = await loggedIn();
    const { session } = await visitor.open();
    const change = (async () => {}) as unknown as () => void;
    const error = await failure(session.update(change));
    expect(error.message).toContain("update() is asynchronous: do the waiting before");
  });

  test("[E-14] reload() of a session that nobody stored empties it", async () => {
    const { session } = await world().browser().open();
    session.a = 1;
    await session.reload();
    expect(session.toJSON()).toEqual({});
  });
});

describe("when a cookie is sent again", () => {
  const persistent = { cookie: { persistent: true } } as const;

  test("[E-08] never where it is not persistent", async () => {
    const { visitor, clock } = await loggedIn();
    clock.advance(MINUTE);
    await visitor.visit((session) => void (session.a = 1));
    expect(visitor.plan?.cookie).toBeNull();
  });

  test("[E-08] not by a write in the same millisecond, nor where there is no idle timeout", async () => {
    const { visitor, clock } = await loggedIn(persistent);
    await visitor.visit((session) => void (session.a = 1));
    expect(visitor.plan?.cookie).toBeNull();
    await visitor.visit((session) => session.login("ada", { idle: null }));
    clock.advance(MINUTE);
    await visitor.visit((session) => void (session.a = 2));
    expect(visitor.plan?.cookie).toBeNull();
  });

  test("[E-11] not to who came by a key in its grace time, though the write slides the deadline", async () => {
    const { visitor, clock } = await loggedIn(persistent);
    const old = visitor.clone();
    await visitor.visit((session) => session.rotate());
    clock.advance(SECOND);
    await old.visit((session) => void (session.a = 1));
    expect(old.plan?.cookie).toBeNull();
  });

  test("[G5] not the token that a rotation replaced, by a later commit of its request", async () => {
    const { visitor, clock } = await loggedIn(persistent);
    const { session, context, close } = await visitor.open();
    await session.rotate();
    expect((await close()).cookie).not.toBeNull();
    clock.advance(SECOND);
    session.a = 1;
    expect((await visitor.parts.pipeline.commit(context)).cookie).toBeNull();
  });
});
