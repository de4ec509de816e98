/** Rotation: a new token, a few seconds of grace for requests under way, and a signal afterwards. */
import { describe, expect, test } from "vitest";
import type { Browser } from "./support/browser.ts";
import { principalOf } from "./support/browser.ts";
import { MINUTE, SECOND } from "./support/clock.ts";
import { failureCode, parallel, world, type World } from "./support/world.ts";

async function rotated(
  options: Parameters<typeof world>[0] = {},
): Promise<World & { visitor: Browser; old: Browser }> {
  const made = world(options);
  const visitor = made.browser();
  await visitor.visit((session) => session.set("a", 1) && session.login("ada"));
  const old = visitor.clone();
  await visitor.visit((session) => session.rotate());
  return { ...made, visitor, old };
}

describe("rotate", () => {
  test("gives a new token to the same session: handle, data, principal and deadlines stay", async () => {
    const { browser, sessions, told } = world();
    const visitor = browser();
    await visitor.visit((session) => session.set("a", 1) && session.login("ada"));
    const token = visitor.value;
    const before = await visitor.visit((session) => [session.handle, session.absoluteExpiresAt]);
    await visitor.visit((session) => session.rotate());
    expect(visitor.value).not.toBe(token);
    await visitor.visit((session) => {
      expect([session.handle, session.absoluteExpiresAt]).toEqual(before);
      expect([session.principal, session.a, session.level]).toEqual(["ada", 1, 1]);
    });
    expect((await sessions.list("ada")).items).toHaveLength(1);
    expect(told("rotated")).toMatchObject([{ cause: "rotate", handle: before[0] }]);
  });

  test("writes this request's changes along", async () => {
    const { visitor } = await rotated();
    await visitor.visit(async (session) => {
      session.b = 2;
      await session.rotate();
    });
    expect(await visitor.visit((session) => session.toJSON())).toEqual({ a: 1, b: 2 });
  });

  test("of a session that nobody stored does nothing", async () => {
    const { browser, sessions } = world();
    const visitor = browser();
    await visitor.visit((session) => session.rotate());
    expect(visitor.cookie).toBeUndefined();
    expect((await sessions.count()).active).toBe(0);
  });

  test("keeps what another request wrote meanwhile", async () => {
    const { visitor } = await rotated();
    const visit = await visitor.open();
    await visitor.visit((session) => void (session.b = 2));
    visit.session.cart = [3];
    await visit.session.rotate();
    await visit.close();
    expect(await visitor.visit((session) => session.toJSON())).toEqual({ a: 1, b: 2, cart: [3] });
  });
});

describe("grace", () => {
  test("the old token works 1 ms before 10 s are over, and not at 10 s", async () => {
    const { visitor, old, clock } = await rotated();
    clock.advance(10 * SECOND - 1);
    expect(await principalOf(old)).toBe("ada");
    clock.advance(1);
    expect(await principalOf(old)).toBeNull();
    expect(await principalOf(visitor)).toBe("ada");
  });

  test("OWASP-timeouts is not prolonged by use, touch or write", async () => {
    const { old, clock } = await rotated();
    for (let second = 1; second <= 9; second++) {
      clock.advance(SECOND);
      await old.visit((session) => {
        session.count = second;
        session.touch();
      });
    }
    clock.advance(SECOND);
    expect(await principalOf(old)).toBeNull();
  });

  test("a request with the old token reads and writes the same session, and gets no cookie", async () => {
    const { visitor, old } = await rotated();
    await old.visit((session) => {
      expect(session.a).toBe(1);
      session.b = 2;
    });
    expect(old.plan?.cookie).toBeNull();
    expect(await visitor.visit((session) => session.toJSON())).toEqual({ a: 1, b: 2 });
  });

  test("a straggler's cookie never replaces the newer one: persistent, old key, touch due", async () => {
    const { old, clock } = await rotated({ cookie: { persistent: true }, touchAfter: 0 });
    clock.advance(SECOND);
    await old.visit((session) => void (session.b = 2));
    expect(old.plan?.cookie).toBeNull();
  });

  test("grace 0 ends the old token at once", async () => {
    const { old } = await rotated({ grace: 0 });
    expect(await principalOf(old)).toBeNull();
  });

  test("a chain of rotations within the grace time: every old token works, none longer than its own", async () => {
    const { visitor, old, clock } = await rotated();
    clock.advance(6 * SECOND);
    const second = visitor.clone();
    await visitor.visit((session) => session.rotate());
    expect([await principalOf(old), await principalOf(second)]).toEqual(["ada", "ada"]);
    clock.advance(4 * SECOND);
    expect([await principalOf(old), await principalOf(second)]).toEqual([null, "ada"]);
    clock.advance(6 * SECOND);
    expect([await principalOf(second), await principalOf(visitor)]).toEqual([null, "ada"]);
  });

  test.each(["login", "elevate", "reauthenticate", "logout"] as const)(
    "%s ends the tokens in their grace time too",
    async (verb) => {
      const { visitor, old } = await rotated();
      await visitor.visit((session) => (verb === "login" ? session.login("ada") : session[verb]()));
      expect(await principalOf(old)).toBeNull();
    },
  );

  test("revoking reaches tokens in their grace time", async () => {
    const { old, sessions } = await rotated();
    await sessions.revokeAll("ada");
    expect(await principalOf(old)).toBeNull();
  });

  test("logout with the old token ends the session", async () => {
    const { visitor, old } = await rotated();
    await old.visit((session) => session.logout());
    expect(await principalOf(visitor)).toBeNull();
  });

  test("a request that began with the old token and logs out after the grace time ends the session", async () => {
    const { browser, clock } = world();
    const visitor = browser();
    await visitor.visit((session) => session.login("ada"));
    const slow = await visitor.clone().open();
    await visitor.visit((session) => session.rotate());
    clock.advance(11 * SECOND);
    await slow.session.logout();
    await slow.close();
    expect(await principalOf(visitor)).toBeNull();
  });
});

describe("parallel rotations", () => {
  test("of 20 requests of one browser give one new token", async () => {
    const { browser, told } = world();
    const visitor = browser();
    await visitor.visit((session) => session.login("ada"));
    const visits = await parallel(20, () => visitor.open());
    await Promise.all(visits.map(({ session }) => session.rotate()));
    const plans = await Promise.all(visits.map((visit) => visit.close()));
    expect(plans.filter(({ cookie }) => cookie !== null)).toHaveLength(1);
    expect(told("rotated")).toHaveLength(1);
    expect(await principalOf(visitor)).toBe("ada");
  });

  test("E-11 keep every change of every request", async () => {
    const { browser } = world();
    const visitor = browser();
    await visitor.visit((session) => session.login("ada"));
    const visits = await parallel(20, () => visitor.open());
    await Promise.all(
      visits.map(async (visit, index) => {
        visit.session.set(`key${index}`, index);
        if (index % 2 === 0) await visit.session.rotate();
        await visit.close();
      }),
    );
    const data = await visitor.visit((session) => session.toJSON());
    expect(Object.keys(data)).toHaveLength(20);
  });
});

describe("stragglers and theft", () => {
  test("a request with a token that a login replaced a moment ago is a straggler", async () => {
    const { browser, told, clock } = world();
    const visitor = browser();
    await visitor.visit((session) => void (session.a = 1));
    const old = visitor.clone();
    await visitor.visit((session) => session.login("ada"));
    clock.advance(10 * SECOND - 1);
    await old.visit(async (session) => {
      expect(session.ending?.why).toBe("rotated");
      expect([session.principal, session.a]).toEqual([null, undefined]);
      session.b = 2;
      expect(await failureCode(session.save())).toBe("SOJOURN_SESSION_ENDED");
      expect(await failureCode(session.update(() => {}))).toBe("SOJOURN_SESSION_ENDED");
      expect(await failureCode(session.reload())).toBe("SOJOURN_SESSION_ENDED");
    });
    expect(old.plan?.cookie).toBeNull();
    expect(told("changes-dropped")).toMatchObject([{ keys: ["b"] }]);
    expect(told("token-reused")).toEqual([]);
    expect(await visitor.visit((session) => session.toJSON())).toEqual({ a: 1 });
  });

  test("a straggler may log in", async () => {
    const { browser } = world();
    const visitor = browser();
    await visitor.visit((session) => session.login("ada"));
    const old = visitor.clone();
    await visitor.visit((session) => session.logout());
    await old.visit((session) => session.login("ada"));
    expect(await principalOf(old)).toBe("ada");
  });

  test("ASVS 10.4.5 OWASP-timeouts COOKIE-replay a rotated token used after the grace time is told, and its cookie cleared", async () => {
    const { visitor, old, told, clock } = await rotated();
    clock.advance(10 * SECOND);
    await old.visit((session) => {
      expect(session.ending?.why).toBe("rotated");
      expect(session.principal).toBeNull();
    });
    const handle = await visitor.visit((session) => session.handle);
    expect(told("token-reused")).toMatchObject([
      { handle, principal: "ada", ending: { why: "rotated" } },
    ]);
    expect(old.cookie).toBeUndefined();
  });

  test("and so it is 1 ms before the old token would have expired; later it is unknown", async () => {
    const { visitor, old, told, clock } = await rotated();
    const late = old.clone();
    clock.advance(15 * MINUTE);
    await visitor.visit(() => {});
    clock.advance(15 * MINUTE - 1);
    await old.visit(() => {});
    expect(told("token-reused")).toHaveLength(1);
    clock.advance(1);
    await late.visit((session) => expect(session.principal).toBeNull());
    expect(told("cookie-rejected")).toMatchObject([{ reason: "unknown" }]);
    expect(await principalOf(visitor)).toBe("ada");
  });
});
