/** An adapter is told when there is something to commit: where it was not told, a commit does nothing. */
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { memoryStore } from "../src/store/memory/store.ts";
import type { Browser, TestSession } from "./support/browser.ts";
import { fakeClock, MINUTE } from "./support/clock.ts";
import { countingStore } from "./support/intercept.ts";
import { SECRET, world, type World } from "./support/world.ts";

/** Where a request begins. */
type Start = (made: World) => Promise<Browser>;

const visitor: Start = async (made) => made.browser();
const anonymous: Start = async (made) => {
  const browser = made.browser();
  await browser.visit((session) => Object.assign(session, { a: 1, cart: { n: 1 } }));
  return browser;
};
const loggedIn: Start = async (made) => {
  const browser = await anonymous(made);
  await browser.visit((session) => session.login("ada"));
  return browser;
};
const idleFor =
  (ms: number): Start =>
  async (made) => {
    const browser = await loggedIn(made);
    made.clock.advance(ms);
    return browser;
  };
const loggedOut: Start = async (made) => {
  const browser = await loggedIn(made);
  await browser.clone().visit((session) => session.logout());
  made.clock.advance(MINUTE);
  return browser;
};

/** Begins a request; how often its adapter was told of work. */
async function begun(made: World, browser: Browser) {
  const hasWork = vi.fn<() => void>();
  const facts = { cookieHeader: browser.cookie, secure: true, client: () => ({}), hasWork };
  const context = await made.pipeline.begin(facts);
  return { hasWork, context, session: context.session as TestSession };
}

type Deed = (session: TestSession) => unknown;

describe("the adapter is told once", () => {
  test.each<[string, Start, Deed]>([
    [
      "a key is assigned, and another",
      visitor,
      (session) => Object.assign(session, { a: 2, b: 3 }),
    ],
    ["a key is deleted", anonymous, (session) => delete session.a],
    ["an object is handed out that may change unseen", anonymous, (session) => session.cart],
    ["touch()", anonymous, (session) => session.touch()],
    ["login()", visitor, (session) => session.login("ada")],
    ["save()", anonymous, (session) => session.save()],
    ["a visitor's csrfToken()", visitor, (session) => session.csrfToken()],
    ["a touch is due before anything is done", idleFor(2 * MINUTE), () => {}],
    ["the cookie of a session that is no more is to be cleared", loggedOut, () => {}],
  ])("%s", async (_what, start, deed) => {
    const made = world();
    const { hasWork, session } = await begun(made, await start(made));
    await deed(session);
    expect(hasWork).toHaveBeenCalledOnce();
  });

  test.each([
    ["privileges", { privileges: () => ["read"] }],
    ["principal", { principal: () => null }],
    ["deviceCookie", { deviceCookie: true }],
  ] as const)("with the option %s always", async (_option, options) => {
    const made = world(options);
    const { hasWork } = await begun(made, await anonymous(made));
    expect(hasWork).toHaveBeenCalledOnce();
  });

  test("a cookie of an older key is to be sent anew", async () => {
    const store = memoryStore({ clock: fakeClock() });
    const clock = fakeClock();
    const old = world({ clock, store });
    const browser = await loggedIn(old);
    const made = world({
      clock,
      store,
      secret: ["another secret, which is long enough too", SECRET],
    });
    const { hasWork } = await begun(made, browser);
    expect(hasWork).toHaveBeenCalledOnce();
  });
});

describe("the adapter is not told", () => {
  test.each<[string, Start, Deed]>([
    ["a visitor's session is looked at", visitor, (session) => [session.a, session.principal]],
    ["a primitive value is read", loggedIn, (session) => [session.a, session.level, session.isNew]],
    ["a key is looked for", loggedIn, (session) => ["a" in session, session.has("cart")]],
    ["a csrfToken() of a session that there is", loggedIn, (session) => session.csrfToken()],
    ["a key is deleted that is not there", loggedIn, (session) => delete session.b],
  ])("%s", async (_what, start, deed) => {
    const made = world();
    const { hasWork, session } = await begun(made, await start(made));
    await deed(session);
    expect(hasWork).not.toHaveBeenCalled();
  });
});

const DEEDS: Record<string, Deed> = {
  read: (session) => session.a,
  hand: (session) => session.cart,
  nested: (session) => Object.assign(session.cart ?? {}, { n: 2 }),
  assign: (session) => (session.b = 2),
  same: (session) => (session.a = 1),
  remove: (session) => delete session.a,
  list: (session) => Object.keys(session),
  copy: (session) => session.toJSON(),
  clear: (session) => session.clear(),
  touch: (session) => session.touch(),
  token: (session) => session.csrfToken(),
  look: (session) => [session.principal, session.expiresAt, session.ending, session.checkClient()],
  login: (session) => session.login("bob"),
  rotate: (session) => session.rotate(),
  logout: (session) => session.logout(),
  save: (session) => session.save(),
  update: (session) => session.update((data) => (data["b"] = 1)),
  reload: (session) => session.reload(),
};
const STARTS = {
  visitor,
  anonymous,
  loggedIn,
  loggedOut,
  due: idleFor(2 * MINUTE),
  idle: idleFor(31 * MINUTE),
};

async function done(deed: Deed | undefined, session: TestSession): Promise<void> {
  try {
    await deed?.(session);
  } catch {
    // some are refused to some sessions
  }
}

test("where it was not told, a commit asks the store for nothing and tells of nothing", async () => {
  let quiet = 0;
  const names = fc.array(fc.constantFrom(...Object.keys(DEEDS)), { maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...Object.keys(STARTS)), names, async (start, deeds) => {
      const clock = fakeClock();
      const { store, calls } = countingStore(memoryStore({ clock }));
      const made = world({ clock, store });
      const { hasWork, session, context } = await begun(
        made,
        await STARTS[start as keyof typeof STARTS](made),
      );
      for (const name of deeds) await done(DEEDS[name], session);
      if (hasWork.mock.calls.length > 0) return;
      quiet += 1;
      const [before, told] = [calls.length, made.events.length];
      const plan = await made.pipeline.commit(context, { headersSent: true });
      expect(calls.slice(before)).toEqual([]);
      expect(made.events.slice(told)).toEqual([]);
      expect(plan).toMatchObject({ cookie: null, device: null, clearSiteData: null });
    }),
    { numRuns: 300 },
  );
  expect(quiet).toBeGreaterThan(30);
});
