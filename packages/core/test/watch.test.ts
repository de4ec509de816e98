/** [F-10] Watched sessions: told of every ending, once, at once by message, and anyway without one. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Ending } from "../src/store/contract.ts";
import { memoryStore } from "../src/store/memory/store.ts";
import { Line, sharedStore } from "./support/away.ts";
import { fakeClock, HOUR, MINUTE, SECOND } from "./support/clock.ts";
import { ENDINGS } from "./support/gated.ts";
import { countingStore, settled } from "./support/intercept.ts";
import { Bus, withSignals } from "./support/signals.ts";
import { watch, type Watched, watched } from "./support/watching.ts";
import { must, range, world, type World } from "./support/world.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const WHY: Record<string, string> = {
  logout: "logout",
  destroy: "logout",
  regenerate: "logout",
  "a login": "rotated",
  revokeAll: "revoked",
  revokeEveryone: "revoked",
  "revoke by handle": "revoked",
  eviction: "evicted",
};
const MORE: typeof ENDINGS = [
  ["revokeWhere", ({ sessions }) => sessions.revokeWhere({ principal: "ada" })],
  [
    "revokeOthers",
    ({ browser }) =>
      browser().visit(async (session) => {
        await session.login("ada");
        await session.revokeOthers();
      }),
  ],
];
/** `elevate` ends a token, not the session; the timeouts are told of by no message. */
const BY_MESSAGE = [...ENDINGS, ...MORE].filter(
  ([name]) => name !== "elevate" && name !== "the idle timeout",
);

describe.each(["this process", "another process"])("[F-10] a session watched in %s", (where) => {
  const at = (made: Watched): World => (where === "this process" ? made : made.other);

  test.each(BY_MESSAGE)("is told to have ended by %s, at once and once", async (name, end) => {
    const made = await watched();
    const { endings } = await watch(made, at(made));
    await end(made);
    await settled(3);
    expect(endings).toMatchObject([{ why: WHY[name] ?? "revoked", at: made.clock.now() }]);
    for (const { topic, text } of made.bus.sent) made.bus.deliver(topic, text);
    made.bus.reopen();
    await made.pass(HOUR);
    expect(endings).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("goes on through rotation, elevation, changes and the endings of others", async () => {
    const made = await watched();
    const { visitor, sessions, browser } = made;
    const { endings } = await watch(made, at(made));
    await visitor.visit((session) => session.rotate());
    await visitor.visit((session) => session.elevate());
    await visitor.visit((session) => session.reauthenticate());
    await visitor.visit((session) => void (session.b = 2));
    await browser().visit((session) => session.login("bob"));
    await sessions.revokeAll("bob");
    await browser().visit((session) => session.login("ada"));
    await visitor.visit((session) => session.revokeOthers());
    await made.pass(29 * MINUTE);
    expect(endings).toEqual([]);
  });

  test("is told to have timed out, at the instant of the timeout and not before", async () => {
    const made = await watched();
    const { endings } = await watch(made, at(made), { every: "24h" });
    const expiresAt = made.clock.now() + 30 * MINUTE;
    await made.pass(30 * MINUTE - 1);
    expect(endings).toEqual([]);
    await made.pass(1);
    expect(endings).toMatchObject([{ why: "idle", at: expiresAt }]);
  });

  test("that is used meanwhile lives on, to the absolute timeout", async () => {
    const made = await watched({ idle: "30m", absolute: "1h" });
    const { endings } = await watch(made, at(made), { every: "24h" });
    for (const _ of range(4)) {
      await made.pass(14 * MINUTE);
      await made.visitor.visit(() => {});
      expect(endings).toEqual([]);
    }
    await made.pass(4 * MINUTE);
    expect(endings).toMatchObject([{ why: "absolute" }]);
  });
});

describe("[F-10] a lost message costs time", () => {
  const endings = BY_MESSAGE.filter(([name]) => name !== "a login");

  test.each(endings)("%s is found out at the next look", async (name, end) => {
    const made = await watched();
    const seen = (await watch(made, made.other)).endings;
    made.bus.mode = "lose";
    await end(made);
    await made.pass(30 * SECOND - 1);
    expect(seen).toEqual([]);
    await made.pass(1);
    expect(seen).toMatchObject([{ why: WHY[name] ?? "revoked" }]);
  });

  test("`every` says when that is", async () => {
    const made = await watched();
    const seen = (await watch(made, made.other, { every: "2s" })).endings;
    made.bus.mode = "lose";
    await made.sessions.revokeAll("ada");
    await made.pass(2 * SECOND - 1);
    expect(seen).toEqual([]);
    await made.pass(1);
    expect(seen).toHaveLength(1);
  });

  test("or as soon as messages can be heard again", async () => {
    const made = await watched();
    const seen = (await watch(made, made.other)).endings;
    made.bus.mode = "lose";
    await made.sessions.revokeAll("ada");
    await settled(3);
    expect(seen).toEqual([]);
    made.bus.reopen();
    await settled(3);
    expect(seen).toMatchObject([{ why: "revoked" }]);
  });

  test("a store without signals is asked every 30 s", async () => {
    const clock = fakeClock();
    const store = memoryStore({ clock });
    const [here, there] = [world({ clock, store }), world({ clock, store })];
    const { session } = await here.sessions.create({ principal: "ada" });
    const seen: Ending[] = [];
    there.sessions.watch(session.handle, (ending) => seen.push(ending));
    await settled(3);
    await here.sessions.revokeAll("ada");
    await vi.advanceTimersByTimeAsync(30 * SECOND);
    expect(seen).toMatchObject([{ why: "revoked" }]);
  });
});

describe("a message is only a hint", () => {
  test("that comes after the user logged in again does not end the new session", async () => {
    const made = await watched();
    made.bus.mode = "hold";
    await made.sessions.revokeAll("ada");
    await made.visitor.visit((session) => session.login("ada"));
    const { endings } = await watch(made, made.other);
    made.bus.release();
    await made.pass(MINUTE);
    expect(endings).toEqual([]);
  });

  test("of an ending that did not happen ends nothing", async () => {
    const made = await watched();
    const { endings } = await watch(made, made.other);
    const ending = { why: "revoked", at: made.clock.now() };
    const event = { type: "revoked", at: made.clock.now(), handle: null, principal: "ada", ending };
    made.bus.deliver("session", JSON.stringify({ v: 2, node: "stranger", events: [event] }));
    await made.pass(MINUTE);
    expect(endings).toEqual([]);
  });

  test("counts where the store cannot be asked", async () => {
    const clock = fakeClock();
    const bus = new Bus();
    const shared = sharedStore(clock);
    const line = new Line(shared);
    const here = world({ clock, store: withSignals(shared, bus) });
    const there = world({ clock, store: withSignals(line.store, bus) });
    const { session } = await here.sessions.create({ principal: "ada" });
    const { session: other } = await here.sessions.create({ principal: "bob" });
    const seen: string[] = [];
    there.sessions.watch(session.handle, ({ why }) => seen.push(`ada ${why}`));
    there.sessions.watch(other.handle, ({ why }) => seen.push(`bob ${why}`));
    await settled(3);
    line.cut("rejects");
    await vi.advanceTimersByTimeAsync(10 * MINUTE);
    expect(seen).toEqual([]);
    await here.sessions.revokeAll("ada");
    await settled(3);
    expect(seen).toEqual(["ada revoked"]);
    line.restore();
    bus.mode = "lose";
    await here.sessions.revokeAll("bob");
    await vi.advanceTimersByTimeAsync(30 * SECOND);
    expect(seen).toEqual(["ada revoked", "bob revoked"]);
  });

  test("that spares a session does not end it, where the store cannot be asked", async () => {
    const clock = fakeClock();
    const bus = new Bus();
    const shared = sharedStore(clock);
    const line = new Line(shared);
    const here = world({ clock, store: withSignals(shared, bus) });
    const there = world({ clock, store: withSignals(line.store, bus) });
    const { session } = await here.sessions.create({ principal: "ada" });
    const seen: Ending[] = [];
    there.sessions.watch(session.handle, (ending) => seen.push(ending));
    await settled(3);
    line.cut("rejects");
    await here.sessions.revokeOthers("ada", session.handle);
    await here.sessions.revokeAll("bob");
    await settled(3);
    expect(seen).toEqual([]);
  });

  test("costs no store call for other sessions, and one for this one", async () => {
    const clock = fakeClock();
    const bus = new Bus();
    const { store, calls } = countingStore(memoryStore({ clock }));
    const made = world({ clock, store: withSignals(store, bus) });
    const handles = await Promise.all(
      range(20).map(async (index) => {
        const { session } = await made.sessions.create({ principal: `user ${index}` });
        return session.handle;
      }),
    );
    const seen: string[] = [];
    made.sessions.watch(must(handles[7]), () => {})();
    for (const handle of handles) made.sessions.watch(handle, () => seen.push(handle));
    await settled(3);
    expect(bus.listening).toBe(1);
    calls.length = 0;
    await made.sessions.revokeAll("user 7");
    await made.sessions.revoke(must(handles[8]));
    await made.sessions.create({ principal: "user 9" });
    await settled(3);
    expect(seen).toEqual([handles[7], handles[8]]);
    expect(calls.filter((name) => name === "read")).toHaveLength(2);
  });
});
