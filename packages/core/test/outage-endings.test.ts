/** [E-23] `onStoreError: 'local'`: endings during an outage fail loudly, hold here at once, and are repeated. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { SojournError } from "../src/errors.ts";
import type { Ending, Tombstone } from "../src/store/contract.ts";
import { AWAY } from "./support/away.ts";
import type { Browser } from "./support/browser.ts";
import {
  fakeTimers,
  finish,
  gatedNodes,
  handleOf,
  loggedIn,
  type Node,
  type Nodes,
  nodes,
  pass,
  REFUSED,
  RETRY,
  standing,
  visit,
} from "./support/nodes.ts";
import { failure, must } from "./support/world.ts";

beforeEach(fakeTimers);
afterEach(() => {
  vi.useRealTimers();
});

type Act = (visitor: Browser, node: Node) => Promise<unknown>;

const ACTS: [name: string, why: string, act: Act][] = [
  ["logout", "logout", (visitor) => visitor.clone().visit((session) => session.logout())],
  ["regenerate", "logout", (visitor) => visitor.clone().visit((session) => session.regenerate())],
  ["revoke", "revoked", async (visitor, node) => node.sessions.revoke(await handleOf(visitor))],
  ["revokeAll", "revoked", (_, { sessions }) => sessions.revokeAll("ada", "lost phone")],
  ["revokeEveryone", "revoked", (_, { sessions }) => sessions.revokeEveryone("lost phone")],
];

async function tombstoneOf({ shared }: Nodes, handle: string): Promise<Tombstone> {
  const found = await shared.read({ kind: "session", handle: handle as Tombstone["handle"] });
  return must(found) as Tombstone;
}

describe.each(AWAY)("[E-23] while the store %s", (away) => {
  test.each(ACTS)("%s() fails, holds here at once, and is repeated", async (name, why, act) => {
    const made = nodes();
    const { here, there, clock } = made;
    const visitor = await loggedIn(here);
    const handle = await handleOf(visitor);
    here.line.cut(away);
    await pass(made, 1_000);
    const at = clock.now();
    const error = await failure(finish(act(visitor, here)));
    expect(error).toMatchObject({
      code: "SOJOURN_STORE_UNAVAILABLE",
      statusCode: 503,
      details: { repeated: true },
    });
    expect(error.message).toMatch(/Do not tell the user that it is done/);
    expect(await standing(visitor)).toBe(`ended: ${why}`);
    await pass(made, 1_000);
    expect(await standing(visitor)).toBe(`ended: ${why}`);
    const told = name === "logout" || name === "regenerate" ? "logout" : "revoked";
    if (away !== "is late") expect(await standing(visitor.at(there.pipeline))).toBe("ada");
    expect(here.told(told)).toEqual([]);
    here.line.restore();
    expect(await standing(visitor)).toBe(`ended: ${why}`);
    await pass(made, RETRY);
    expect(await standing(visitor.at(there.pipeline))).toBe(`ended: ${why}`);
    const { ending } = await tombstoneOf(made, handle);
    expect(ending.why).toBe(why);
    // What the store did late it did with the same ending.
    expect(ending.at).toBe(at);
    if (away === "is late") return;
    expect(here.told(told)).toMatchObject([{ ending: { at, why } }]);
    expect(there.told(told)).toMatchObject([{ ending: { at, why }, remote: true }]);
  });

  test.each(ACTS)("%s() holds in the next outage too", async (_, why, act) => {
    const made = nodes();
    const { here } = made;
    const visitor = await loggedIn(here);
    here.line.cut(away);
    await failure(finish(act(visitor, here)));
    here.line.restore();
    await pass(made, RETRY);
    here.line.cut(away);
    expect(await standing(visitor)).toMatch(REFUSED);
  });

  test("the repeated ones are told to a store that is back in the order in which they came", async () => {
    const made = nodes();
    const { here } = made;
    const [ada, bob] = [await loggedIn(here, "ada"), await loggedIn(here, "bob")];
    const handles = [await handleOf(ada), await handleOf(bob)];
    here.line.cut(away);
    await failure(visit(bob, (session) => session.logout()));
    await pass(made, 10);
    await failure(finish(here.sessions.revokeEveryone("breach")));
    here.line.restore();
    await pass(made, RETRY);
    expect((await tombstoneOf(made, must(handles[0]))).ending).toMatchObject({ reason: "breach" });
    expect((await tombstoneOf(made, must(handles[1]))).ending).toMatchObject({ why: "logout" });
    expect(vi.getTimerCount()).toBe(0);
  });

  test("what had ended elsewhere already, without a word, holds in the next outage too", async () => {
    const made = nodes();
    const { here, there, bus } = made;
    const visitor = await loggedIn(here);
    bus.mode = "lose";
    here.line.cut(away);
    await there.sessions.revokeAll("ada");
    await pass(made, 1);
    await failure(visit(visitor, (session) => session.logout()));
    here.line.restore();
    await pass(made, RETRY);
    here.line.cut(away);
    expect(await standing(visitor)).toMatch(REFUSED);
  });

  test("a touch of what was ended here says so", async () => {
    const made = nodes();
    const { here } = made;
    const visitor = await loggedIn(here);
    here.line.cut(away);
    const request = await finish(visitor.open());
    await failure(finish(here.sessions.revokeAll("ada")));
    request.session.touch();
    expect((await failure(finish(request.session.save()))).code).toBe("SOJOURN_SESSION_ENDED");
  });

  test("a request that is under way cannot write what was ended here", async () => {
    const made = nodes();
    const { here } = made;
    const visitor = await loggedIn(here);
    const request = await visitor.open();
    here.line.cut(away);
    await failure(finish(here.sessions.revokeAll("ada")));
    here.line.restore();
    request.session.a = 2;
    await finish(request.close());
    expect(request.session.ending?.why).toBe("revoked");
    expect(here.told("changes-dropped")).toMatchObject([{ keys: ["a"] }]);
  });

  test("what a revoked session held does not come along into a login", async () => {
    const made = nodes();
    const { here } = made;
    const visitor = await loggedIn(here);
    here.line.cut(away);
    const request = await finish(visitor.open());
    await failure(finish(here.sessions.revokeAll("ada")));
    await pass(made, 1);
    await finish(request.session.login("ada"));
    expect(request.session.a).toBeUndefined();
    expect(request.session.degraded).toBe("provisional");
  });

  test("a watched session is told at once in this process", async () => {
    const made = nodes();
    const { here } = made;
    const visitor = await loggedIn(here);
    const seen: Ending[] = [];
    here.sessions.watch(await handleOf(visitor), (ending) => seen.push(ending));
    await pass(made, 1);
    here.line.cut(away);
    await failure(finish(here.sessions.revokeAll("ada")));
    await vi.advanceTimersByTimeAsync(30);
    expect(seen).toMatchObject([{ why: "revoked" }]);
  });

  test("close() fails, and says what is lost", async () => {
    const made = nodes();
    const { here } = made;
    const visitor = await loggedIn(here);
    here.line.cut(away);
    await failure(visit(visitor, (session) => session.logout()));
    await failure(finish(here.sessions.revokeAll("ada")));
    await visit(here.browser(), (session) => session.login("bob"));
    const error = await failure(finish(here.sessions.close()));
    expect(error).toMatchObject({
      code: "SOJOURN_STORE_UNAVAILABLE",
      details: { endings: 2, sessions: 1 },
    });
    expect(error.message).toMatch(
      /2 endings were not carried out.*1 provisional sessions are lost/,
    );
    expect(vi.getTimerCount()).toBe(0);
    await expect(here.sessions.close()).rejects.toBe(error);
  });

  test("close() tells a store that is back in time, whatever the breaker says", async () => {
    const made = nodes({ breaker: { failures: 1, pause: "1s" } });
    const { here, there } = made;
    const [ada, bob] = [await loggedIn(here), here.browser()];
    here.line.cut(away);
    await pass(made, 5_000);
    await failure(visit(ada, (session) => session.logout()));
    await visit(bob, (session) => session.login("bob"));
    await pass(made, 5_000);
    here.line.restore();
    await finish(here.sessions.close());
    expect(await standing(ada.at(there.pipeline))).toBe("ended: logout");
    expect(await standing(bob.at(there.pipeline))).toBe("bob");
    expect(vi.getTimerCount()).toBe(0);
  });

  test("close() of a process that owes nothing is no error", async () => {
    const made = nodes();
    await loggedIn(made.here);
    made.here.line.cut(away);
    await finish(made.here.sessions.close());
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("[E-23] an ending that waits", () => {
  test("is refused by this process between the store's return and its repetition", async () => {
    const made = gatedNodes();
    const { here, there, gate } = made;
    const visitor = await loggedIn(here);
    here.line.cut("rejects");
    await failure(finish(here.sessions.revokeAll("ada")));
    here.line.restore();
    gate.hold("endOwner", "before");
    await pass(made, RETRY);
    expect(await standing(visitor.at(there.pipeline))).toBe("ada");
    expect(await standing(visitor)).toBe("ended: revoked");
    gate.open();
    await pass(made, RETRY);
    expect(await standing(visitor.at(there.pipeline))).toBe("ended: revoked");
  });

  test("a read that was under way at its repetition does not slip through", async () => {
    const made = gatedNodes({ storeDeadline: "2s" });
    const { here, there, gate } = made;
    const visitor = await loggedIn(here);
    here.line.cut("rejects");
    await failure(finish(here.sessions.revokeAll("ada")));
    here.line.restore();
    gate.hold("read", "after");
    const slow = visitor.clone().open();
    await gate.reached("read");
    gate.pass("read");
    await pass(made, RETRY);
    expect(await standing(visitor.at(there.pipeline))).toBe("ended: revoked");
    gate.open();
    const { session } = await finish(slow);
    expect(session).toMatchObject({ principal: null, ending: { why: "revoked" } });
  });

  test("stays in force when the store refuses it, and is tried until it does not", async () => {
    let isFull = true;
    const made = nodes({}, (store) => ({
      ...store,
      endOwner: (...given) =>
        isFull
          ? Promise.reject(new SojournError("SOJOURN_STORE_WRITE_FAILED", "disk full"))
          : store.endOwner(...given),
    }));
    const { here, there } = made;
    const visitor = await loggedIn(here);
    here.line.cut("rejects");
    await failure(finish(here.sessions.revokeAll("ada")));
    here.line.restore();
    await pass(made, 5_000);
    expect(await standing(visitor)).toBe("ended: revoked");
    expect(await standing(visitor.at(there.pipeline))).toBe("ada");
    isFull = false;
    await pass(made, RETRY);
    expect(await standing(visitor.at(there.pipeline))).toBe("ended: revoked");
    expect(vi.getTimerCount()).toBe(0);
  });

  test("does not reach a session that began after it", async () => {
    const made = nodes();
    const { here, there } = made;
    await loggedIn(here);
    here.line.cut("rejects");
    await failure(finish(here.sessions.revokeEveryone()));
    await pass(made, 1);
    const later = await loggedIn(there, "bob");
    here.line.restore();
    expect(await standing(later.at(here.pipeline))).toBe("bob");
  });

  test("asks a store that is away no more than four times a second", async () => {
    const made = nodes();
    const { here } = made;
    const visitor = await loggedIn(here);
    here.line.cut("rejects");
    await failure(visit(visitor, (session) => session.logout()));
    here.line.tried.length = 0;
    await pass(made, 10_000);
    expect(here.line.tried.length).toBeGreaterThan(30);
    expect(here.line.tried.length).toBeLessThanOrEqual(40);
  });
});
