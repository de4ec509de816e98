/** What the browser carries: sizes, parts, attributes, and what happens when answers come late. */
import { KeyRing, serializeCookie } from "@sojourn/core";
import { describe, expect, test } from "vitest";
import { cookiesOf, failureCode, HOUR, MINUTE, SECOND, SECRET, world } from "./support/world.ts";
import type { Browser } from "./support/world.ts";

const write = (browser: Browser, note: string): Promise<void> =>
  browser.visit((session) => {
    session["note"] = note;
  });

const random = (length: number): string =>
  Array.from({ length }, () => Math.random().toString(36).at(-1)).join("");

describe("cookies", () => {
  test("[E-01] a session takes one cookie beside the token's, with the same attributes; both are no-store", async () => {
    const { browser } = world({ options: { cookie: { sameSite: "strict", priority: "high" } } });
    const visit = await browser().open();
    await visit.session.login("ada");
    const plan = await visit.close();
    const [token, record] = cookiesOf(plan);
    expect(plan.carried).toHaveLength(1);
    expect(record?.name).toMatch(/^__Host-sid\.[\w-]{6}\.0$/);
    expect(record?.attributes).toEqual(token?.attributes);
    expect(record?.attributes).toMatchObject({ httpOnly: true, secure: true, path: "/" });
    expect(plan.privacy).toBe("secret");
  });

  test("[E-01] nothing is sent while nothing changes, and a touch sends the record alone", async () => {
    const made = world();
    const ada = await made.loggedIn("ada");
    const visit = async () => {
      const { session, close } = await ada.open();
      expect(session.principal).toBe("ada");
      return close();
    };
    expect(await visit()).toMatchObject({ cookie: null, carried: [], privacy: "varies" });
    made.clock.advance(MINUTE);
    const plan = await visit();
    expect(plan.cookie).toBeNull();
    expect(plan.carried.map(({ name }) => name)).toEqual(ada.parts);
    made.clock.advance(30 * MINUTE - 1);
    expect(await ada.principal()).toBe("ada");
  });

  test("[E-01] a second commit of one request sends nothing twice", async () => {
    const { browser, pipeline } = world();
    const { context, session, close } = await browser().open();
    await session.login("ada");
    expect((await close()).carried).toHaveLength(1);
    expect(await pipeline.commit(context)).toMatchObject({ cookie: null, carried: [] });
  });

  test("[E-01] a persistent record is kept until the session expires, and follows its deadline", async () => {
    const made = world({ options: { cookie: { persistent: true } } });
    const ada = made.browser();
    const { session, close } = await ada.open();
    await session.login("ada");
    const ages = cookiesOf(await close()).map(({ attributes }) => attributes.maxAge);
    expect(ages).toEqual([1_800, 1_800]);
    made.clock.advance(10 * MINUTE);
    const later = await (await ada.open()).close();
    expect(cookiesOf(later).map(({ attributes }) => attributes.maxAge)).toEqual([1_800, 1_800]);
  });

  test("[E-01] a logout clears the token and every part of the record", async () => {
    const { loggedIn } = world({ store: { chunks: 3 } });
    const ada = await loggedIn("ada");
    await write(ada, random(8_000));
    const names = [...ada.jar.keys()];
    expect(names).toHaveLength(4);
    const { session, close } = await ada.open();
    await session.logout();
    const cleared = cookiesOf(await close());
    expect(cleared.map(({ name }) => name).toSorted()).toEqual(names.toSorted());
    for (const { value, attributes } of cleared) {
      expect(value).toBe("");
      expect(attributes).toMatchObject({ maxAge: 0, path: "/", secure: true });
    }
    expect(ada.jar.size).toBe(0);
  });

  test("[E-01] what cannot be sent any more is an event: the browser still has the earlier record", async () => {
    const made = world();
    const ada = await made.loggedIn("ada");
    const { context, session } = await ada.open();
    session["note"] = "too late";
    const plan = await made.pipeline.commit(context, { headersSent: true });
    expect(plan).toMatchObject({ cookie: null, carried: [] });
    expect(made.events.at(-1)).toMatchObject({ type: "cookie-unsent", reason: "headers-sent" });
    expect((await ada.open()).session["note"]).toBeUndefined();
  });
});

describe("size", () => {
  test.for([
    ["no further attributes", {}],
    [
      "all attributes",
      {
        domain: "a.example.com",
        persistent: true,
        partitioned: true,
        priority: "medium",
        sameSite: "none",
      },
    ],
  ] as const)(
    "[E-01] with %s every Set-Cookie has at most 4,096 bytes, and the last character fits",
    async ([, cookie]) => {
      const { browser } = world({ options: { cookie: { ...cookie } }, store: { chunks: 2 } });
      const ada = browser();
      await write(ada, "");
      let longest = 0;
      let refused = Infinity;
      for (let step = 4_096, length = step; step >= 1; step = Math.floor(step / 2)) {
        const { session, context } = await ada.open();
        session["note"] = "x".repeat(length);
        try {
          const plan = await ada.manager.pipeline.commit(context);
          const sizes = plan.carried.map(
            ({ name, value, attributes }) => serializeCookie(name, value, attributes).length,
          );
          expect(Math.max(...sizes)).toBeLessThanOrEqual(4_096);
          expect(sizes.length).toBeLessThanOrEqual(2);
          longest = Math.max(longest, ...sizes);
          length += step;
        } catch {
          refused = Math.min(refused, length);
          length -= step;
        }
      }
      expect(refused).toBeLessThan(8_192);
      expect(longest).toBeGreaterThanOrEqual(4_092); // room is kept for the digits of Max-Age
    },
  );

  test("[E-01] a session that is too large is SOJOURN_DATA_TOO_LARGE at save and at commit, and the earlier one stays", async () => {
    const { loggedIn } = world();
    const ada = await loggedIn("ada");
    await write(ada, "small");
    const { session, context } = await ada.open();
    session["note"] = random(4_000);
    expect(await failureCode(session.save())).toBe("SOJOURN_DATA_TOO_LARGE");
    await expect(ada.manager.pipeline.commit(context)).rejects.toThrow(
      /this session is \d{4} characters long when sealed, and its cookies have room for \d{4}/,
    );
    expect((await ada.open()).session["note"]).toBe("small");
  });

  test("[E-01] a login that is too large leaves the visitor's session as it was", async () => {
    const { browser } = world();
    const ada = browser();
    await write(ada, random(2_400));
    const { session } = await ada.open();
    expect(await failureCode(session.login("a".repeat(512)))).toBe("SOJOURN_DATA_TOO_LARGE");
    expect((await ada.open()).session["note"]).toHaveLength(2_400);
  });

  test("[E-01] chunks: 20,000 characters take 7 cookies; shrinking clears those too many", async () => {
    const { loggedIn } = world({ store: { chunks: 8 } });
    const ada = await loggedIn("ada");
    const note = random(20_000);
    await write(ada, note);
    expect(ada.parts).toHaveLength(7);
    expect((await ada.open()).session["note"]).toBe(note);
    await write(ada, "short");
    expect(ada.parts).toHaveLength(1);
    expect((await ada.open()).session["note"]).toBe("short");
  });

  test("[E-07] compress: 20,000 equal characters take one cookie; without it they are too large", async () => {
    const small = await world({ store: { compress: true } }).loggedIn("ada");
    await write(small, "x".repeat(20_000));
    expect(small.parts).toHaveLength(1);
    expect((await small.open()).session["note"]).toHaveLength(20_000);
    const plain = await world().loggedIn("ada");
    expect(await failureCode(write(plain, "x".repeat(20_000)))).toBe("SOJOURN_DATA_TOO_LARGE");
  });
});

describe("answers that come late", () => {
  test("[X-09] [G5] one to a request from before the login does not touch the new session", async () => {
    const { browser } = world();
    const ada = browser();
    await write(ada, "before");
    const slow = ada.copy();
    const late = await slow.open();
    late.session["note"] = "late";
    const plan = await late.close();
    await ada.visit((session) => session.login("ada"));
    ada.take(plan);
    expect(await ada.principal()).toBe("ada");
    expect((await ada.open()).session["note"]).toBe("before");
  });

  test("[X-09] [G1] a request from before a logout, a login or a revocation writes nothing after it", async () => {
    for (const how of ["logout", "login", "elevate", "revoke"] as const) {
      const made = world();
      const ada = await made.loggedIn("ada");
      const slow = await ada.copy().open();
      if (how === "revoke") await made.sessions.revokeAll("ada");
      else await ada.visit((session) => (how === "login" ? session.login("bob") : session[how]()));
      slow.session["note"] = "late";
      expect(await failureCode(slow.session.save())).toBe("SOJOURN_SESSION_ENDED");
      expect(await made.pipeline.commit(slow.context)).toMatchObject({ carried: [] });
      expect(made.events).toContainEqual(
        expect.objectContaining({ type: "changes-dropped", keys: ["note"] }),
      );
    }
  });

  test("[X-09] rotate(): in the grace time the old token reads, and writes nothing; after it, it is a theft", async () => {
    const made = world();
    const ada = await made.loggedIn("ada");
    await write(ada, "kept");
    const old = ada.copy();
    await ada.visit((session) => session.rotate());
    made.clock.advance(10 * SECOND - 1);
    const parallel = await old.copy().open();
    expect(parallel.session["note"]).toBe("kept");
    parallel.session["note"] = "lost";
    expect(cookiesOf(await parallel.close())).toEqual([]);
    expect(await old.copy().visit((session) => session.rotate())).toBeUndefined();
    made.clock.advance(1);
    expect(await old.principal()).toBeNull();
    expect(made.events.at(-1)).toMatchObject({ type: "token-reused" });
    expect((await ada.open()).session["note"]).toBe("kept");
  });

  test.for(["elevate", "reauthenticate", "logout"] as const)(
    "[X-09] [G5] %s() with a token in its grace time ends what has the later one too",
    async (verb) => {
      const made = world();
      const ada = await made.loggedIn("ada");
      const old = ada.copy();
      await ada.visit((session) => session.rotate());
      await old.visit((session) => session[verb]());
      expect(await ada.principal()).toBeNull();
      expect(await old.principal()).toBe(verb === "logout" ? null : "ada");
    },
  );

  test("[X-09] [G5] a login with a token in its grace time ends the session under its later one", async () => {
    const made = world();
    const ada = await made.loggedIn("ada");
    const old = ada.copy();
    await ada.visit((session) => session.rotate());
    await old.visit((session) => session.login("ada"));
    expect(await ada.principal()).toBeNull();
    expect(await old.principal()).toBe("ada");
  });
});

describe("keys", () => {
  const K1 = `first ${SECRET}`;
  const K2 = `second ${SECRET}`;

  test.for([
    ["the manager's secret", (keys: readonly string[]) => ({ options: { secret: keys } })],
    ["a secret of its own", (keys: readonly string[]) => ({ store: { secret: keys } })],
  ] as const)(
    "[E-01] [X-09] %s: k1, then [k2, k1] seals anew on sight, then [k2] alone opens it",
    async ([, wanted]) => {
      const { clock, ledger, loggedIn } = world(wanted([K1]));
      const at = (keys: readonly string[]) => world({ ...wanted(keys), clock, ledger });
      const ada = await loggedIn("ada");
      const unseen = ada.copy(at([K2]));
      const both = ada.copy(at([K2, K1]));
      const { session, close } = await both.open();
      expect(session.principal).toBe("ada");
      expect((await close()).carried).toHaveLength(1);
      expect(await both.copy(at([K2])).principal()).toBe("ada");
      expect((await (await both.open()).close()).carried).toEqual([]);
      expect(await unseen.principal()).toBeNull();
    },
  );

  test("[E-01] a key that is revoked while the application runs opens nothing from then on", async () => {
    const ring = new KeyRing([K1]);
    const { loggedIn } = world({ store: { secret: ring } });
    const ada = await loggedIn("ada");
    ring.add(K2);
    expect(await ada.principal()).toBe("ada");
    ring.revoke(ring.list().at(-1)?.kid ?? "");
    expect(await ada.principal()).toBeNull();
  });

  test("[E-01] a session that ended is not sealed anew", async () => {
    const { clock, ledger, loggedIn, sessions } = world({ options: { secret: [K1] } });
    const ada = await loggedIn("ada");
    await sessions.revokeAll("ada");
    clock.advance(HOUR / 4);
    const seen = ada.copy(world({ options: { secret: [K2, K1] }, clock, ledger }));
    await (await seen.open()).close();
    expect(seen.jar.size).toBe(0);
  });
});
