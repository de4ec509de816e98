/** [E-23] Random histories of two processes on one store whose lines come and go: what is over stays over. */
// oxlint-disable vitest/no-standalone-expect -- the history checks itself at every step
import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { isSojournError } from "../src/errors.ts";
import { AWAY, type Away } from "./support/away.ts";
import type { Browser } from "./support/browser.ts";
import { settled } from "./support/intercept.ts";
import { fakeTimers, finish, type Node, type Nodes, nodes, pass } from "./support/nodes.ts";

beforeEach(fakeTimers);
afterEach(() => {
  vi.useRealTimers();
});

const USERS = ["ada", "bob"];
const MAX = 2;

type Step =
  | { readonly do: "login"; readonly at: number; readonly who: number; readonly over: number }
  | { readonly do: "visit" | "logout" | "revoke"; readonly at: number; readonly which: number }
  | { readonly do: "revokeAll"; readonly at: number; readonly who: number }
  | { readonly do: "revokeEveryone"; readonly at: number }
  | { readonly do: "cut"; readonly at: number; readonly away: Away }
  | { readonly do: "restore"; readonly at: number }
  | { readonly do: "messages"; readonly mode: "lose" | "deliver" }
  | { readonly do: "pass"; readonly ms: number };

const at = fc.nat(1);
const which = fc.nat(7);
const who = fc.nat(USERS.length - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("login" as const), at, who, over: fc.nat(15) }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constantFrom("visit" as const, "visit" as const, "logout" as const, "revoke" as const),
      at,
      which,
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("revokeAll" as const), at, who }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("revokeEveryone" as const), at }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("cut" as const), at, away: fc.constantFrom(...AWAY) }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("restore" as const), at }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("messages" as const),
      mode: fc.constantFrom("lose" as const, "deliver" as const),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("pass" as const), ms: fc.constantFrom(1, 100, 600) }),
  },
);

/** One login, and what is known of its end. */
interface Login {
  readonly user: string;
  readonly browser: Browser;
  readonly handle: string;
  /** The process that alone knows it, until the store takes it over: no other can revoke it by handle. */
  readonly knownTo: Node | null;
  /** The processes that ended it, with success or with the promise to repeat it. */
  readonly endedAt: Set<Node>;
  /** Somebody was told that it has ended. */
  acknowledged: boolean;
}

class History {
  readonly made: Nodes = nodes({ max: MAX, breaker: { failures: 2, pause: "200ms" } });
  readonly logins: Login[] = [];

  async run(one: Step): Promise<void> {
    this.made.clock.advance(1);
    const node = "at" in one && one.at === 1 ? this.made.there : this.made.here;
    switch (one.do) {
      case "login":
        return this.#login(node, one);
      case "visit":
        return this.#visit(node, this.logins.at(one.which % Math.max(1, this.logins.length)));
      case "logout":
      case "revoke":
        return this.#endOne(node, one);
      case "revokeAll": {
        const user = USERS[one.who] ?? "";
        const meant = this.logins.filter((login) => login.user === user);
        return this.#end(node, meant, () => node.sessions.revokeAll(user));
      }
      case "revokeEveryone":
        return this.#end(node, [...this.logins], () => node.sessions.revokeEveryone());
      case "cut":
        return node.line.cut(one.away);
      case "restore":
        node.line.restore();
        return settled(5);
      case "messages":
        if (one.mode === "lose") this.made.bus.mode = "lose";
        else this.made.bus.reopen();
        return;
      case "pass":
        return pass(this.made, one.ms);
    }
  }

  async #login(node: Node, { who: index, over }: Step & { do: "login" }): Promise<void> {
    const user = USERS[index] ?? "";
    const old = this.logins[over];
    const browser = (old ? old.browser.clone() : node.browser()).at(node.pipeline);
    const done = await attempt(() =>
      browser.visit(async (session) => {
        const before = session.handle;
        await session.login(user);
        return { before, handle: session.handle, degraded: session.degraded };
      }),
    );
    if (typeof done === "string" || done.handle === null) return;
    const replaced = this.logins.find((login) => login.handle === done.before);
    if (replaced) replaced.endedAt.add(node);
    const { handle, degraded } = done;
    const knownTo = degraded === null ? null : node;
    this.logins.push({ user, browser, handle, knownTo, endedAt: new Set(), acknowledged: false });
  }

  /** Nothing that this process has ended is let in by it, and nothing acknowledged by the store's word. */
  async #visit(node: Node, login: Login | undefined): Promise<void> {
    if (!login) return;
    const seen = await attempt(async () => {
      const { session } = await login.browser.clone().at(node.pipeline).open();
      return { handle: session.handle, degraded: session.degraded };
    });
    if (typeof seen === "string" || seen.handle === null) return;
    expect(login.endedAt.has(node), `let in again where it was ended: ${login.user}`).toBe(false);
    if (seen.degraded === null)
      expect(login.acknowledged, `let in by the store's word: ${login.user}`).toBe(false);
  }

  async #endOne(node: Node, one: Step & { do: "logout" | "revoke" | "visit" }): Promise<void> {
    const login = this.logins.at(one.which % Math.max(1, this.logins.length));
    if (!login) return;
    if (one.do === "revoke" && (login.knownTo ?? node) !== node) return;
    if (one.do === "revoke")
      return this.#end(node, [login], () => node.sessions.revoke(login.handle));
    let wasIn = false;
    await this.#end(
      node,
      [login],
      () =>
        login.browser
          .clone()
          .at(node.pipeline)
          .visit(async (session) => {
            wasIn = session.handle !== null;
            await session.logout();
          }),
      () => wasIn,
    );
  }

  async #end(
    node: Node,
    meant: readonly Login[],
    work: () => Promise<unknown>,
    isMeant: () => boolean = () => true,
  ): Promise<void> {
    const answer = await attempt(work);
    const isInForce = answer === "repeated" || (answer !== false && typeof answer !== "string");
    if (!isMeant() || !isInForce) return;
    for (const login of meant) {
      login.endedAt.add(node);
      if (answer !== "repeated") login.acknowledged = true;
    }
  }

  /** All is well again, and everything has come to its end. */
  async settle(): Promise<void> {
    const { here, there, bus, shared } = this.made;
    here.line.restore();
    there.line.restore();
    bus.reopen();
    await pass(this.made, 5_000);
    for (const login of this.logins)
      for (const node of [here, there]) {
        await this.#visit(node, login);
        const { session } = await login.browser.clone().at(node.pipeline).open();
        expect(session.degraded).toBeNull();
        if (login.endedAt.size > 0) expect(session.principal, "ended somewhere").toBeNull();
      }
    for (const user of USERS) {
      const alive = (await here.sessions.list(user)).items;
      expect(alive.length).toBeLessThanOrEqual(MAX);
      expect((await there.sessions.list(user)).items).toEqual(alive);
    }
    const { active } = await shared.count("session");
    expect(active).toBeLessThanOrEqual(MAX * USERS.length);
    expect(vi.getTimerCount()).toBe(0);
  }
}

/** The answer, `repeated`, or the code of the error. */
async function attempt<T>(work: () => Promise<T>): Promise<T | string> {
  try {
    return await finish(work());
  } catch (error) {
    if (!isSojournError(error)) throw error;
    return error.details["repeated"] === true ? "repeated" : error.code;
  }
}

test("[E-23] nothing that was revoked is let in again, and the limits hold when all is settled", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const history = new History();
      for (const one of steps) await history.run(one);
      await history.settle();
    }),
    { numRuns: Number(process.env["SOJOURN_HISTORIES"] ?? 150) },
  );
}, 600_000);
