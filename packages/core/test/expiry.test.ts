/** Idle and absolute timeouts to the millisecond, and when a use is written. */
import { describe, expect, test } from "vitest";
import { memoryStore } from "../src/store/memory/store.ts";
import { DAY, fakeClock, HOUR, MINUTE, SECOND } from "./support/clock.ts";
import { countingStore } from "./support/intercept.ts";
import { must, range, world, type World } from "./support/world.ts";
import type { SessionOptions } from "../src/options/types.ts";
import type { LoginOptions } from "../src/session/types.ts";
import type { Browser } from "./support/browser.ts";
import { principalOf } from "./support/browser.ts";

interface LoggedIn extends World {
  readonly visitor: Browser;
  readonly calls: string[];
}

async function loggedIn(options: SessionOptions = {}, login: LoginOptions = {}): Promise<LoggedIn> {
  const clock = fakeClock();
  const { store, calls } = countingStore(memoryStore({ clock }));
  const made = world({ ...options, clock, store });
  const visitor = made.browser();
  await visitor.visit((session) => session.login("ada", login));
  calls.length = 0;
  return { ...made, visitor, calls };
}

/** The principal that a copy of the browser's cookie still opens, without sliding the original. */
describe("idle timeout", () => {
  test("ASVS 7.3.1 NIST 5.2-timeouts NIST 5.1-timeout alive 1 ms before, gone at exactly the idle timeout, and told once", async () => {
    const { visitor, clock, told, sessions } = await loggedIn({ idle: "30m" });
    clock.advance(30 * MINUTE - 1);
    expect(await principalOf(visitor)).toBe("ada");
    clock.advance(1);
    const ending = await visitor.visit((session) => {
      expect(session.principal).toBeNull();
      return session.ending;
    });
    expect(ending).toEqual({
      why: "idle",
      at: clock.now(),
      seenAt: clock.now() - 30 * MINUTE,
      principal: "ada",
    });
    expect(visitor.cookie).toBeUndefined();
    expect(told("expired")).toMatchObject([{ principal: "ada", ending: { why: "idle" } }]);
    expect(await visitor.visit((session) => session.ending)).toBeNull();
    expect((await sessions.count()).active).toBe(0);
  });

  test("NIST 5.2-activity B-03 use at each half of it keeps the session for 10 times as long; without use it goes", async () => {
    const { visitor, clock } = await loggedIn({ idle: "30m" });
    for (const _ of range(20)) {
      clock.advance(15 * MINUTE);
      expect(await visitor.visit((session) => session.principal)).toBe("ada");
    }
    clock.advance(30 * MINUTE - 1);
    expect(await principalOf(visitor)).toBe("ada");
    clock.advance(1);
    expect(await principalOf(visitor)).toBeNull();
  });

  test("NIST 5.2-warn record and session tell the same deadline", async () => {
    const { visitor, clock, sessions } = await loggedIn();
    clock.advance(10 * MINUTE);
    const { handle, expiresAt } = await visitor.visit((session) => session);
    const info = must(await sessions.get(must(handle)));
    expect(info.expiresAt).toBe(clock.now() + 30 * MINUTE);
    expect(expiresAt).toBe(info.expiresAt);
    expect(info.seenAt).toBe(clock.now());
  });

  test("B-14 expired between read and touch: stays gone", async () => {
    const { visitor, clock, told } = await loggedIn();
    clock.advance(29 * MINUTE);
    const visit = await visitor.open();
    clock.advance(MINUTE);
    visit.session.touch();
    await visit.close();
    expect(told("touched")).toEqual([]);
    expect(await principalOf(visitor)).toBeNull();
  });

  test("T-EXP1 a record that a store gives back too late is dead all the same", async () => {
    const clock = fakeClock();
    const behind = { now: () => clock.now() - HOUR };
    const { browser } = world({ clock, store: memoryStore({ clock: behind }) });
    const visitor = browser();
    await visitor.visit((session) => session.login("ada"));
    clock.advance(30 * MINUTE);
    expect(await visitor.visit((session) => session.ending?.why)).toBe("idle");
  });
});

describe("absolute timeout", () => {
  test("ASVS 7.3.2 NIST 5.2-timeouts use each second up to it and beyond: refused at exactly 1 h", async () => {
    const { visitor, clock } = await loggedIn({ idle: "5m", absolute: "1h" });
    for (const second of range(3_600)) {
      expect(await visitor.visit((session) => session.principal), `second ${second}`).toBe("ada");
      clock.advance(SECOND);
    }
    expect(await visitor.visit((session) => session.ending?.why)).toBe("absolute");
  });

  test("ASVS 10.4.8 B-03 the deadline never passes the cap, by touch, write, rotate or elevate", async () => {
    const { visitor, clock } = await loggedIn({ idle: "30m", absolute: "1h" });
    const cap = clock.now() + HOUR;
    clock.advance(29 * MINUTE);
    await visitor.visit((session) => void (session.a = 1));
    clock.advance(29 * MINUTE);
    for (const change of ["touch", "rotate", "elevate"] as const) {
      const facts = await visitor.visit(async (session) => {
        await session[change]();
        return session;
      });
      expect([facts.expiresAt, facts.absoluteExpiresAt]).toEqual([cap, cap]);
    }
    clock.advance(2 * MINUTE - 1);
    expect(await principalOf(visitor)).toBe("ada");
    clock.advance(1);
    expect(await principalOf(visitor)).toBeNull();
  });

  test("B-02 idle: null is a fixed life: no use prolongs or is written", async () => {
    const { visitor, clock, calls } = await loggedIn({ idle: null, absolute: "1h" });
    for (const _ of range(3)) {
      clock.advance(15 * MINUTE);
      await visitor.visit((session) => session.principal);
    }
    expect(new Set(calls)).toEqual(new Set(["read"]));
    clock.advance(15 * MINUTE - 1);
    expect(await principalOf(visitor)).toBe("ada");
    clock.advance(1);
    expect(await principalOf(visitor)).toBeNull();
  });
});

describe("B-04 touch throttle", () => {
  test("a tenth of idle, at most 60 s: 0 writes 1 ms before, 1 write from then on", async () => {
    const { visitor, clock, calls } = await loggedIn({ idle: "30m" });
    clock.advance(60 * SECOND - 1);
    await visitor.visit(() => {});
    expect(calls).toEqual(["read"]);
    clock.advance(1);
    await visitor.visit(() => {});
    expect(calls).toEqual(["read", "read", "touch"]);
    await visitor.visit(() => {});
    expect(calls).toEqual(["read", "read", "touch", "read"]);
  });

  test("a short idle has a short throttle", async () => {
    const { visitor, clock, calls } = await loggedIn({ idle: "100s" });
    clock.advance(10 * SECOND - 1);
    await visitor.visit(() => {});
    clock.advance(1);
    await visitor.visit(() => {});
    expect(calls).toEqual(["read", "read", "touch"]);
  });

  test("3,600 requests in an hour are 60 touches", async () => {
    const { visitor, clock, calls } = await loggedIn();
    for (const _ of range(3_600)) {
      clock.advance(SECOND);
      await visitor.visit(() => {});
    }
    expect(calls.filter((call) => call === "touch")).toHaveLength(60);
  });

  test("touch() writes at once", async () => {
    const { visitor, clock, calls } = await loggedIn();
    clock.advance(1);
    await visitor.visit((session) => session.touch());
    expect(calls).toEqual(["read", "touch"]);
  });

  test("touch() on a session that nobody stored stores nothing", async () => {
    const clock = fakeClock();
    const { store, calls } = countingStore(memoryStore({ clock }));
    await world({ clock, store })
      .browser()
      .visit((session) => session.touch());
    expect(calls).toEqual([]);
  });

  test("a written change counts as a touch", async () => {
    const { visitor, clock, calls } = await loggedIn();
    clock.advance(59 * SECOND);
    await visitor.visit((session) => void (session.a = 1));
    clock.advance(59 * SECOND);
    await visitor.visit(() => {});
    expect(calls).toEqual(["read", "update", "read"]);
  });
});

describe("B-12 timeouts of one session", () => {
  test("60 s and 30 d of one user: each ends on its own, and the list knows", async () => {
    const { browser, clock, sessions } = world({ idle: null });
    const [short, long] = [browser(), browser()];
    await short.visit((session) => session.login("ada", { absolute: "60s" }));
    await long.visit((session) => session.login("ada", { absolute: "30d" }));
    clock.advance(60 * SECOND - 1);
    expect([await principalOf(short), await principalOf(long)]).toEqual(["ada", "ada"]);
    clock.advance(1);
    expect([await principalOf(short), await principalOf(long)]).toEqual([null, "ada"]);
    expect((await sessions.list("ada")).items).toHaveLength(1);
    clock.advance(30 * DAY - 60 * SECOND - 1);
    expect(await principalOf(long)).toBe("ada");
    clock.advance(1);
    expect(await principalOf(long)).toBeNull();
    expect((await sessions.list("ada")).items).toEqual([]);
  });

  test("an idle timeout of its own slides by its own length, also after a rotation", async () => {
    const { visitor, clock } = await loggedIn({}, { idle: "2m" });
    for (const _ of range(5)) {
      clock.advance(MINUTE);
      await visitor.visit((session) => session.rotate());
    }
    clock.advance(2 * MINUTE - 1);
    expect(await principalOf(visitor)).toBe("ada");
    clock.advance(1);
    expect(await principalOf(visitor)).toBeNull();
  });

  test("idle: null for one session outlives the application's idle", async () => {
    const { visitor, clock } = await loggedIn({}, { idle: null });
    clock.advance(24 * HOUR - 1);
    expect(await principalOf(visitor)).toBe("ada");
    clock.advance(1);
    expect(await principalOf(visitor)).toBeNull();
  });

  test.each<[LoginOptions]>([
    [{ idle: 30 }],
    [{ idle: 0 }],
    [{ absolute: "soon" }],
    [{ absolute: -1 }],
  ])("%j is refused, and nobody is logged in", async (options) => {
    const { session } = await world().browser().open();
    await expect(session.login("ada", options)).rejects.toMatchObject({
      code: "SOJOURN_OPTIONS_INVALID",
    });
    expect(session.principal).toBeNull();
  });
});

describe("the cookie of a persistent session", () => {
  test("T-EXP2 T-EXP3 ASVS 9.2.1 NIST 5.1.1-expiry NIST 5.1-remember a browser that ignores Max-Age gains nothing", async () => {
    const { visitor, clock } = await loggedIn({ cookie: { persistent: true } });
    const header = must(visitor.cookie);
    clock.advance(30 * MINUTE);
    expect(visitor.cookie).toBeUndefined();
    const { session } = await visitor.open(header);
    expect(session.principal).toBeNull();
  });

  test("follows touches", async () => {
    const { visitor, clock } = await loggedIn({ cookie: { persistent: true } });
    for (const _ of range(180)) {
      clock.advance(20 * SECOND);
      expect(await visitor.visit((session) => session.principal)).toBe("ada");
    }
  });

  test("follows writes, also where each comes sooner than a touch would", async () => {
    const { visitor, clock } = await loggedIn({ cookie: { persistent: true } });
    for (const count of range(180)) {
      clock.advance(20 * SECOND);
      await visitor.visit((session) => {
        expect(session.principal, `request ${count}`).toBe("ada");
        session.count = count;
      });
    }
  });

  test("follows touch()", async () => {
    const { visitor, clock } = await loggedIn({ cookie: { persistent: true } });
    for (const _ of range(180)) {
      clock.advance(20 * SECOND);
      await visitor.visit((session) => {
        expect(session.principal).toBe("ada");
        session.touch();
      });
    }
  });

  test("is not sent again while nothing slides", async () => {
    const { visitor, clock } = await loggedIn({ cookie: { persistent: true } });
    clock.advance(59 * SECOND);
    await visitor.visit((session) => session.principal);
    expect(visitor.plan?.cookie).toBeNull();
  });
});
