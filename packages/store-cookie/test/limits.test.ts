/** What a store without a list cannot do, with `epochs: 'none'` even less; and which options it takes. */
import { PassThrough } from "node:stream";
import { createSessionManager, memoryStore, type Sessions } from "@sojourn/core";
import { describe, expect, test } from "vitest";
import { cookieStore, type CookieStoreOptions } from "../src/index.ts";
import { DAY, failureCode, HOUR, SECOND, SECRET, world } from "./support/world.ts";

async function drained(items: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of items);
}

const LISTING: [string, (sessions: Sessions) => Promise<unknown>][] = [
  ["list", (sessions) => sessions.list("ada")],
  ["count", (sessions) => sessions.count()],
  ["stats", (sessions) => sessions.stats()],
  ["principals", (sessions) => sessions.principals()],
  ["find", (sessions) => drained(sessions.find({}))],
  ["find of a user", (sessions) => drained(sessions.find({ principal: "ada" }))],
  ["revokeWhere", (sessions) => sessions.revokeWhere({})],
  ["updateWhere", (sessions) => sessions.updateWhere({}, () => {})],
  ["export", (sessions) => sessions.export(new PassThrough().resume())],
  ["create", (sessions) => sessions.create({ principal: "ada" })],
  ["watch", async (sessions) => sessions.watch("AAA0aaaaaaaaaaaaaaa", () => {})],
];

const ENDING: [string, (sessions: Sessions) => Promise<unknown>][] = [
  ["revoke", (sessions) => sessions.revoke("AAA0aaaaaaaaaaaaaaa")],
  ["revokeAll", (sessions) => sessions.revokeAll("ada")],
  ["revokeOthers", (sessions) => sessions.revokeOthers("ada", "AAA0aaaaaaaaaaaaaaa")],
  ["revokeEveryone", (sessions) => sessions.revokeEveryone()],
];

describe("without a list", () => {
  test.for(LISTING)(
    "[E-01] sessions.%s() is SOJOURN_STORE_UNSUPPORTED, status 501",
    async ([, call]) => {
      const { sessions } = world();
      await expect(call(sessions)).rejects.toMatchObject({
        code: "SOJOURN_STORE_UNSUPPORTED",
        statusCode: 501,
      });
    },
  );

  test("[E-01] a login with a limit of its own is refused, and nobody is logged in", async () => {
    const { browser } = world();
    const { session } = await browser().open();
    expect(await failureCode(session.login("ada", { max: 3 }))).toBe("SOJOURN_STORE_UNSUPPORTED");
    expect(session.principal).toBeNull();
    const visitor = browser();
    await visitor.visit((visit) => {
      visit["cart"] = [];
    });
    const again = await visitor.open();
    expect(await failureCode(again.session.login("ada", { max: 3 }))).toBe(
      "SOJOURN_STORE_UNSUPPORTED",
    );
    expect((await visitor.open()).session["cart"]).toEqual([]);
  });

  test("[E-01] the options that need a list are refused at the start, all at once", () => {
    const store = cookieStore({ epochs: "none" });
    const options = {
      secret: SECRET,
      store,
      max: 3,
      onStoreError: "local",
      absolute: 401 * DAY,
    } as const;
    expect(() => createSessionManager(options)).toThrow(
      /max: needs a store that knows(.|\n)*onStoreError: 'local'(.|\n)*absolute: must be at most '400d'/,
    );
    expect(() => createSessionManager({ secret: SECRET, store, max: () => 3 })).toThrow(
      /max: needs/,
    );
  });

  test("[E-01] its health is that of its ledger", async () => {
    expect(await world().sessions.health()).toMatchObject({ status: "up", store: "cookie" });
    const alone = world({ store: { epochs: "none" } });
    expect(await alone.sessions.health()).toMatchObject({ status: "up" });
  });

  test("[E-01] close() closes the ledger, and then no session is believed", async () => {
    const made = world();
    const ada = await made.loggedIn("ada");
    await made.sessions.flush();
    await made.sessions.close();
    expect(await failureCode(ada.open())).toBe("SOJOURN_STORE_CLOSED");
  });
});

describe("epochs: 'none'", () => {
  const made = () => world({ store: { epochs: "none" } });

  test("[E-01] a session lives in its cookies alone: read, changed, rotated, elevated, expired, and no store is asked", async () => {
    const { clock, ledger, loggedIn } = made();
    const ada = await loggedIn("ada");
    await ada.visit((session) => {
      session["cart"] = ["book"];
    });
    await ada.visit((session) => session.rotate());
    await ada.visit((session) => session.elevate());
    const { session } = await ada.open();
    expect([session.principal, session.level, session["cart"]]).toEqual(["ada", 2, ["book"]]);
    expect(ledger.calls).toEqual([]);
    clock.advance(HOUR);
    expect(await ada.principal()).toBeNull();
  });

  test("[E-01] a logout clears the cookies of its browser; a copy lives until it expires, as the guide says", async () => {
    const { clock, loggedIn } = made();
    const ada = await loggedIn("ada");
    const copy = ada.copy();
    await ada.visit((session) => session.logout());
    expect(ada.jar.size).toBe(0);
    expect(await copy.principal()).toBe("ada");
    clock.advance(DAY);
    expect(await copy.principal()).toBeNull();
  });

  test.for([...LISTING, ...ENDING])(
    "[E-01] sessions.%s() says that it cannot",
    async ([, call]) => {
      expect(await failureCode(call(made().sessions))).toBe("SOJOURN_STORE_UNSUPPORTED");
    },
  );

  test("[E-01] revokeOthers() and approve() of a session say that they cannot, and what to do", async () => {
    const { session } = await (await made().loggedIn("ada")).open();
    await expect(session.revokeOthers()).rejects.toThrow(/give it a store as epochs/);
    await expect(session.approve("pay")).rejects.toThrow(/give it a store as epochs/);
  });
});

describe("options", () => {
  test("[E-01] without epochs it refuses to start, and names both ways out", () => {
    const start = (): unknown => cookieStore({} as CookieStoreOptions);
    expect(start).toThrow(/epochs: is missing: give it a store .* or 'none'/);
    expect(start).toThrow(expect.objectContaining({ code: "SOJOURN_OPTIONS_INVALID" }));
    expect(() => cookieStore(undefined as never)).toThrow(/epochs: is missing/);
  });

  test("[E-01] refuses another cookie store as epochs: it keeps nothing", () => {
    const epochs = cookieStore({ epochs: "none" });
    expect(() => cookieStore({ epochs })).toThrow(/epochs: must be a store that keeps records/);
  });

  test("[E-01] lists every problem with its option", () => {
    const wrong = {
      epochs: {},
      chunks: 9,
      compress: "yes",
      everyoneEvery: 5,
      clock: {},
      unknown: 1,
    };
    const names = Object.keys(wrong).map((name) => `(?=.*${name})`);
    expect(() => cookieStore(wrong as never)).toThrow(new RegExp(names.join("")));
  });

  test.for([["short"], [["long enough, with 32 characters!!", "short"]], [[]], [5]])(
    "[E-01] refuses the secret %j without showing it",
    ([secret]) => {
      const start = (): unknown => cookieStore({ epochs: "none", secret: secret as never });
      expect(start).toThrow(expect.objectContaining({ code: "SOJOURN_OPTIONS_INVALID" }));
      expect(start).not.toThrow(/short/);
    },
  );

  test("[E-01] its clock is that of its ledger, unless it has one", () => {
    const [one, two] = [{ now: () => 1 }, { now: () => 2 }];
    expect(cookieStore({ epochs: memoryStore({ clock: one }) }).clock).toBe(one);
    expect(cookieStore({ epochs: memoryStore({ clock: one }), clock: two }).clock).toBe(two);
    const { clock } = cookieStore({ epochs: "none" });
    expect(Math.abs(clock.now() - Date.now())).toBeLessThan(SECOND);
  });
});
