/** G6: no token and no cookie value leaves but in Set-Cookie. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { inspect } from "node:util";
import { EVENT_CHANNEL } from "@sojourn/core";
import type { Logger } from "@sojourn/core";
import { expect, onTestFinished, test } from "vitest";
import type { Client, Received } from "./client.ts";
import { Answer } from "./frameworks.ts";
import type { Route } from "./frameworks.ts";
import { everywhere, MINUTE, SECOND, SECRET } from "./matrix.ts";
import { set } from "./shop.ts";

/** A logger that keeps everything, as JSON and as a console would show it. */
function keeping(lines: string[]): Logger {
  const keep = (facts: object, message: string): void => {
    lines.push(message, JSON.stringify(facts), inspect(facts, { depth: 20, showHidden: true }));
  };
  return { debug: keep, info: keep, warn: keep, error: keep };
}

/** Everything that must not be found, in every form in which it could be. */
function forms(cookies: readonly string[]): string[] {
  const values = cookies.map((cookie) => cookie.slice(cookie.indexOf("=") + 1));
  return values.flatMap((value) => {
    const [tag = "", secret = "", signature = ""] = value.split(".");
    const bytes = Buffer.from(secret, "base64url");
    return [secret, signature, bytes.toString("hex"), bytes.toString("base64"), `${tag}.${secret}`];
  });
}

const routes: readonly Route[] = [
  {
    method: "GET",
    path: "/inspect",
    handle: ({ session }) => {
      const depths = { depth: 20, showHidden: true };
      return new Answer(
        200,
        inspect(session, depths) + inspect(session, { ...depths, showProxy: true }),
      );
    },
  },
  {
    method: "POST",
    path: "/big",
    handle: ({ session }) => {
      session.set("big", { number: 1n });
      return "never";
    },
  },
];

everywhere(({ kind, open }) => {
  test("[G6] [E-20] [E-22] T-LOG ASVS 16.2.5 OWASP-logs the store, logs, events, errors and inspections hold no token in any form", async () => {
    const lines: string[] = [];
    const published: unknown[] = [];
    const listen = (event: unknown): void => void published.push(event);
    subscribe(EVENT_CHANNEL, listen);
    onTestFinished(() => void unsubscribe(EVENT_CHANNEL, listen));
    const world = await open({ options: { logger: keeping(lines), max: 2 }, routes });
    const answers: Received[] = [];
    const cookies = new Set<string>();
    const visit = async (
      client: Client,
      method: "GET" | "POST",
      ...paths: string[]
    ): Promise<void> => {
      for (const path of paths) {
        answers.push(await client.ask(path, { method }));
        if (client.cookie !== "") cookies.add(client.cookie);
      }
    };

    const ada = world.client();
    await visit(
      ada,
      "POST",
      "/cart?item=book",
      "/login?user=ada",
      "/rotate",
      "/elevate",
      set("a", 1),
    );
    const { handle } = (await ada.get("/me")).body;
    const stolen = ada.copy();
    await visit(ada, "POST", "/rotate", "/big", "/reauthenticate");
    world.clock.advance(11 * SECOND);
    await visit(stolen, "GET", "/me", "/inspect");
    const forger = ada.copy();
    for (const [name, value] of ada.jar) forger.jar.set(name, `${value.slice(0, -4)}AAAA`);
    await visit(forger, "GET", "/me");
    world.clock.advance(2 * MINUTE);
    await visit(ada, "GET", "/me", "/inspect", "/check");
    const alive = await world.bytes();
    world.probe.around = async (operation, call) => {
      if (operation === "update") throw new Error("the disk is full");
      return call();
    };
    await visit(ada, "POST", set("lost", 1), "/increment");
    world.probe.around = (_operation, call) => call();
    for (let index = 0; index < 3; index++) await visit(world.client(), "POST", "/login?user=ada");
    await visit(ada, "GET", "/me");
    const { sessions } = world;
    const seen = inspect(
      [await sessions.list("ada"), await sessions.explain(String(handle)), await sessions.health()],
      { depth: 20, showHidden: true },
    );

    const places = {
      bodies: answers.map(({ text }) => text).join("\n"),
      headers: answers
        .map(({ headers }) => JSON.stringify({ ...headers, "set-cookie": undefined }))
        .join("\n"),
      log: lines.join("\n"),
      events: JSON.stringify(world.events) + inspect(world.events, { depth: 20 }),
      channel: JSON.stringify(published),
      manager: seen,
      store: alive + (await world.bytes()),
    };
    // The search can find what is there: the public handle, and the session's data.
    expect(places.manager).toContain("ended");
    for (const place of ["log", "events", "channel", "bodies"] as const)
      expect(places[place], place).toContain(handle);
    if (kind.survives) expect(places.store).toContain("book");

    const searched = [...forms([...cookies]), SECRET];
    expect(cookies.size).toBeGreaterThanOrEqual(9);
    for (const [place, text] of Object.entries(places)) {
      const found = searched.filter((form) => form !== "" && text.includes(form));
      expect(found, place).toEqual([]);
    }
    const types = new Set(world.events.map(({ type }) => type));
    for (const type of [
      "created",
      "login",
      "rotated",
      "elevated",
      "evicted",
      "store-failed",
      "token-reused",
    ])
      expect([...types]).toContain(type);
  });
});
