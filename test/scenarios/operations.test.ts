/** For operators: counts, statistics, events, listeners that fail, a clean end. */
import { isSojournError } from "@sojourn/core";
import type { AnySessionEvent } from "@sojourn/core";
import { expect, test } from "vitest";
import { everywhere, MINUTE } from "./matrix.ts";
import { set } from "./shop.ts";

everywhere(({ kind, open }) => {
  test("[B-16] [E-18] counts, principals and statistics equal a count by hand over 300 sessions", async () => {
    const world = await open();
    const created = await Promise.all(
      Array.from({ length: 300 }, (_, index) =>
        world.sessions.create({
          principal: `user${index % 40}`,
          absolute: index < 100 ? "1h" : "2h",
        }),
      ),
    );
    world.clock.advance(10 * MINUTE);
    for (const { session } of created.slice(290)) await world.sessions.revoke(session.handle);
    expect(await world.sessions.stats()).toEqual({
      active: 290,
      principals: 40,
      totalCreated: kind.totals ? 300 : null,
      totalEnded: kind.totals ? 10 : null,
      peakActive: kind.totals ? 300 : null,
      averageDurationMs: kind.totals ? 10 * MINUTE : null,
    });
    const counted = new Map<string, number>();
    let cursor: string | null = null;
    do {
      const page = await world.sessions.principals({ limit: 15, cursor });
      for (const { principal, active } of page.items) counted.set(principal, active);
      cursor = page.cursor;
    } while (cursor !== null);
    const expected = new Map<string, number>();
    for (const { session } of created.slice(0, 290))
      expected.set(session.principal ?? "", (expected.get(session.principal ?? "") ?? 0) + 1);
    expect(counted).toEqual(expected);
    world.clock.advance(20 * MINUTE);
    expect(await world.sessions.count()).toMatchObject({ active: 0, principals: 0 });
  });

  test("[E-20] [B-07] OWASP-events the story of a session is told in 8 events, each with a type, a time and a handle", async () => {
    const world = await open();
    const ada = world.client();
    await ada.post("/cart?item=book");
    await ada.post("/login?user=ada");
    const { handle } = (await ada.get("/me")).body;
    await ada.post(set("a", 1));
    world.clock.advance(2 * MINUTE);
    await ada.get("/me");
    await ada.post("/rotate");
    await ada.post("/elevate");
    await ada.post("/logout");
    const told = world.events.filter(({ type }) => type !== "loaded");
    expect(told.map(({ type }) => type)).toEqual([
      "created",
      "created",
      "login",
      "committed",
      "touched",
      "rotated",
      "rotated",
      "elevated",
      "logout",
    ]);
    expect(new Set(told.slice(1).map((event) => "handle" in event && event.handle))).toEqual(
      new Set([handle]),
    );
    expect(told.every(({ at }) => Number.isSafeInteger(at))).toBe(true);
  });

  test("[E-20] a listener that throws disturbs neither the request nor the other listeners", async () => {
    const lines: string[] = [];
    const log = (facts: object, message: string): void => void lines.push(message);
    const world = await open({
      options: { logger: { debug: log, info: log, warn: log, error: log } },
    });
    const heard: AnySessionEvent[] = [];
    world.sessions.on("login", () => {
      throw new Error("a broken listener");
    });
    const stop = world.sessions.on("login", (event) => heard.push(event));
    await world.loggedIn("ada");
    stop();
    await world.loggedIn("ada");
    expect(heard).toHaveLength(1);
    expect(lines).toContain("a listener of session event 'login' threw");
  });

  test("[E-09] [B-22] a session is created, got, explained and ended from outside, alone and with all", async () => {
    const { sessions } = await open();
    const [one, two] = [
      await sessions.create({ principal: 7 }),
      await sessions.create({ principal: 7 }),
    ];
    expect(await sessions.get(one.session.handle)).toEqual(one.session);
    expect(await sessions.revoke(one.session.handle, "tidied up")).toBe(true);
    expect(await sessions.get(one.session.handle)).toBeNull();
    expect(await sessions.explain(one.session.handle)).toMatchObject({
      status: "ended",
      principal: "7",
      ending: { why: "revoked", reason: "tidied up" },
    });
    expect(await sessions.get(two.session.handle)).toEqual(two.session);
    await sessions.revokeEveryone();
    expect(await sessions.get(two.session.handle)).toBeNull();
    expect(await sessions.get("no handle at all")).toBeNull();
    expect(await sessions.explain("no handle at all")).toEqual({ status: "unknown" });
  });

  test("[E-19] close waits for what is under way, can be called twice, and later requests get 503", async () => {
    const world = await open();
    const ada = await world.loggedIn("ada");
    const held = world.probe.hold("update");
    const late = ada.copy().post(set("late", true));
    await held.reached;
    const closing = world.sessions.close();
    held.release();
    await Promise.all([closing, world.sessions.close()]);
    expect((await late).status).toBe(200);
    const { status, headers } = await ada.get("/me");
    expect([status, headers["retry-after"]]).toEqual([503, "2"]);
    const error: unknown = await world.sessions.list("ada").catch((reason: unknown) => reason);
    expect(isSojournError(error) && error.code).toBe("SOJOURN_STORE_CLOSED");
  });

  test("[F-16] a test gets a logged-in browser in one line", async () => {
    const world = await open();
    const { loginCookie } = await import("@sojourn/core/testing");
    const cookie = await loginCookie(world.sessions, "ada", { data: { role: "admin" } });
    const { body } = await world.client().get("/me", { cookie });
    expect(body).toMatchObject({ principal: "ada", data: { role: "admin" } });
  });
});
