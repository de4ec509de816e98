/** The callback form of save, reload, destroy and regenerate. */
import { describe, expect, test } from "vitest";
import type { TestSession } from "./support/browser.ts";
import { world } from "./support/world.ts";

async function fresh(): Promise<TestSession> {
  const { session } = await world().browser().open();
  return session;
}

describe("callbacks, as express, passport and grant use them", () => {
  const METHODS = ["save", "reload", "destroy", "regenerate"] as const;

  test("grant: Object.getPrototypeOf(session).save takes an argument", async () => {
    const prototype = Object.getPrototypeOf(await fresh()) as TestSession;
    expect(prototype.save.length).toBeGreaterThanOrEqual(1);
  });

  test.each(METHODS)("%s calls back once, without an error, and resolves", async (name) => {
    const visitor = world().browser();
    await visitor.visit((session) => session.set("a", 1) && undefined);
    const { session } = await visitor.open();
    const calls: unknown[][] = [];
    await new Promise<void>((resolve) => {
      void session[name]((...given: unknown[]) => {
        calls.push(given);
        resolve();
      });
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(calls).toHaveLength(1);
    expect(calls[0]?.[0] ?? null).toBeNull();
  });

  test("a failure goes to the callback once, and rejects nothing", async () => {
    const { browser, sessions } = world();
    const visitor = browser();
    await visitor.visit((session) => session.login("ada"));
    const { session } = await visitor.open();
    await sessions.revokeAll("ada");
    session.a = 1;
    const calls: unknown[] = [];
    await session.save((error) => calls.push(error));
    await new Promise((resolve) => setImmediate(resolve));
    expect(calls).toMatchObject([{ code: "SOJOURN_SESSION_ENDED" }]);
  });

  test("a callback that throws is an uncaught exception, not a second call", async () => {
    const session = await fresh();
    const listeners = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    let calls = 0;
    const uncaught = new Promise((resolve) => process.once("uncaughtException", resolve));
    try {
      const saved = session.save(() => {
        calls++;
        throw new Error("in the callback");
      });
      await expect(saved).resolves.toBeUndefined();
      expect(await uncaught).toMatchObject({ message: "in the callback" });
    } finally {
      for (const listener of listeners) process.on("uncaughtException", listener);
    }
    expect(calls).toBe(1);
  });

  test("regenerate gives the context another session, empty and anonymous; the old one is not written", async () => {
    const { browser } = world();
    const visitor = browser();
    await visitor.visit((session) => session.set("a", 1) && session.login("ada"));
    const visit = await visitor.open();
    const old = visit.session;
    await old.regenerate();
    expect(visit.session).not.toBe(old);
    expect(visit.session.toJSON()).toEqual({});
    expect(visit.session.principal).toBeNull();
    expect(old.a).toBe(1);
    old.b = 2;
    visit.session.cart = ["new"];
    await visit.close();
    await visitor.visit((session) => expect(session.toJSON()).toEqual({ cart: ["new"] }));
  });
});
