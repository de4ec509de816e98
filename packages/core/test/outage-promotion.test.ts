/** [E-23] `onStoreError: 'local'`: how provisional sessions come to the store: limits, and what happens on the way. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { SojournError } from "../src/errors.ts";
import type { OnLimit } from "../src/store/contract.ts";
import { settled } from "./support/intercept.ts";
import {
  fakeTimers,
  gatedNodes,
  loggedIn,
  nodes,
  pass,
  RETRY,
  standing,
  visit,
} from "./support/nodes.ts";

beforeEach(fakeTimers);
afterEach(() => {
  vi.useRealTimers();
});

describe("[E-23] the limit holds when logins are promoted", () => {
  const LIMITS: OnLimit[] = ["evict-oldest", "evict-idle", "reject"];

  test.each(LIMITS)("%s: at most 2, whoever they are", async (onLimit) => {
    const made = nodes({ max: 2, onLimit });
    const { here, there } = made;
    const before = [];
    for (const _ of [1, 2]) {
      before.push(await loggedIn(there));
      await pass(made, 10);
    }
    here.line.cut("rejects");
    const during = [];
    for (const _ of [1, 2, 3]) {
      const visitor = here.browser();
      await visit(visitor, (session) => session.login("ada"));
      during.push(visitor);
      await pass(made, 10);
    }
    here.line.restore();
    await pass(made, RETRY);
    const alive = (await there.sessions.list("ada")).items;
    expect(alive).toHaveLength(2);
    const survivors = await Promise.all(
      [...before, ...during].map(async (visitor) => await standing(visitor.at(there.pipeline))),
    );
    const expected = onLimit === "reject" ? [0, 1] : [3, 4];
    expect(survivors.flatMap((who, index) => (who === "ada" ? [index] : []))).toEqual(expected);
    expect(here.told("evicted").filter(({ remote }) => !remote)).toHaveLength(3);
    for (const visitor of during.slice(0, 1))
      expect(await standing(visitor)).toMatch(/ended: evicted/);
  });

  test("the limit of the login itself is kept", async () => {
    const made = nodes();
    const { here, there } = made;
    const old = await loggedIn(there);
    here.line.cut("rejects");
    const visitor = here.browser();
    await visit(visitor, (session) => session.login("ada", { max: 1 }));
    here.line.restore();
    await pass(made, RETRY);
    expect(await standing(old)).toBe("ended: evicted");
    expect(await standing(visitor)).toBe("ada");
  });
});

/** While a promotion is tried, other requests do not wait for it: they go on with the provisional session. */
const ONE_AT_A_TIME = { storeDeadline: "5s", breaker: { failures: 1, pause: "100ms" } };

describe("[E-23] between the answer of the store and its coming here", () => {
  test("a logout while the session is being promoted ends it there too", async () => {
    const made = gatedNodes();
    const { here, there, gate } = made;
    const visitor = here.browser();
    here.line.cut("rejects");
    await visit(visitor, (session) => session.login("ada"));
    here.line.restore();
    gate.hold("adopt", "before");
    await vi.advanceTimersByTimeAsync(240);
    await vi.advanceTimersByTimeAsync(30);
    here.line.cut("rejects");
    await visit(visitor.clone(), (session) => session.logout());
    here.line.restore();
    await pass(made, RETRY);
    expect((await there.sessions.count()).active).toBe(0);
    gate.open();
    await settled();
    expect((await there.sessions.count()).active).toBe(0);
    await pass(made, RETRY);
    expect(await standing(visitor)).toMatch(/nobody|ended: logout/);
    expect((await there.sessions.count()).active).toBe(0);
  });

  test("a login that the store does after its logout ends there too", async () => {
    const made = gatedNodes();
    const { here, there, gate } = made;
    const visitor = here.browser();
    gate.hold("create", "before");
    await visit(visitor, (session) => session.login("ada"));
    here.line.cut("rejects");
    await visit(visitor, (session) => session.logout());
    here.line.restore();
    await pass(made, RETRY);
    gate.open();
    await settled();
    expect((await there.sessions.count()).active).toBe(0);
  });

  test("a change while the session is being promoted comes after it", async () => {
    const made = gatedNodes(ONE_AT_A_TIME);
    const { here, there, gate } = made;
    const visitor = here.browser();
    here.line.cut("rejects");
    await visit(visitor, (session) => session.set("a", 1) && session.login("ada"));
    here.line.restore();
    gate.hold("adopt", "after");
    await vi.advanceTimersByTimeAsync(270);
    here.line.cut("rejects");
    await visit(visitor, (session) => session.set("a", 2).set("b", 2) && undefined);
    here.line.restore();
    gate.open();
    await pass(made, RETRY);
    expect(await visitor.at(there.pipeline).visit((session) => session.toJSON())).toEqual({
      a: 2,
      b: 2,
    });
  });

  test("an answer that was lost: what others wrote there since is kept beside what was written here", async () => {
    const made = gatedNodes();
    const { here, there, gate } = made;
    const visitor = here.browser();
    here.line.cut("rejects");
    await visit(visitor, (session) => session.set("a", 1) && session.login("ada"));
    here.line.restore();
    gate.hold("adopt", "after");
    await vi.advanceTimersByTimeAsync(300);
    here.line.cut("rejects");
    await visit(visitor.at(there.pipeline), (session) => void (session.b = "there"));
    await visit(visitor, (session) => void (session.a = "here"));
    here.line.restore();
    gate.open();
    await pass(made, RETRY);
    expect(await visitor.at(there.pipeline).visit((session) => session.toJSON())).toEqual({
      a: "here",
      b: "there",
    });
    expect(here.told("promoted")).toHaveLength(1);
  });

  test("a store that goes away again in the middle of it: nothing is lost, it is tried again", async () => {
    const made = gatedNodes(ONE_AT_A_TIME);
    const { here, there, gate } = made;
    const visitor = here.browser();
    here.line.cut("rejects");
    await visit(visitor, (session) => session.set("a", 1) && session.login("ada"));
    here.line.restore();
    gate.hold("adopt", "after");
    await vi.advanceTimersByTimeAsync(270);
    here.line.cut("rejects");
    await visit(visitor, (session) => void (session.a = 2));
    gate.open();
    await settled();
    expect(await standing(visitor)).toBe("ada");
    await visit(visitor, (session) => void (session.b = 3));
    here.line.restore();
    await pass(made, RETRY);
    expect(await visitor.at(there.pipeline).visit((session) => session.toJSON())).toEqual({
      a: 2,
      b: 3,
    });
  });

  test("a store that refuses to take it over ends it, with an event", async () => {
    const made = nodes({}, (store) => ({
      ...store,
      adopt: () => Promise.reject(new SojournError("SOJOURN_RECORD_EXISTS", "taken")),
    }));
    const visitor = made.here.browser();
    made.here.line.cut("rejects");
    await visit(visitor, (session) => session.login("ada"));
    made.here.line.restore();
    await pass(made, RETRY);
    expect(made.here.told("revoked")).toMatchObject([{ principal: "ada", count: 1 }]);
    expect(await standing(visitor)).toBe("ended: revoked");
  });
});
