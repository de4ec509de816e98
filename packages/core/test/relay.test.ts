/** Events go from process to process: what crosses, who hears it, and what can go wrong with a message. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { describe, expect, test } from "vitest";
import { EVENT_CHANNEL, type AnySessionEvent, type Logger } from "../src/events.ts";
import { memoryStore } from "../src/store/memory/store.ts";
import { fakeClock, MINUTE } from "./support/clock.ts";
import { settled } from "./support/intercept.ts";
import { Bus, withSignals } from "./support/signals.ts";
import { must, world, type World } from "./support/world.ts";

interface Pair {
  readonly bus: Bus;
  readonly here: World;
  readonly there: World;
}

/** Two managers on one store. */
function pair(options: Parameters<typeof world>[0] = {}, other = options): Pair {
  const clock = fakeClock();
  const bus = new Bus();
  const store = withSignals(memoryStore({ clock }), bus);
  return {
    bus,
    here: world({ ...options, clock, store }),
    there: world({ ...other, clock, store }),
  };
}

const remote = (events: readonly AnySessionEvent[]): AnySessionEvent[] =>
  events.filter((event) => event.remote === true);

/** A story with every event that crosses, and many that do not. */
async function story({ browser, sessions, clock }: World): Promise<void> {
  const one = browser();
  await one.visit((session) => void (session.a = 1));
  await one.visit((session) => session.login("ada"));
  await one.visit((session) => session.elevate());
  await one.visit((session) => session.rotate());
  await one.visit((session) => void (session.a = 2));
  await browser().visit((session) => session.login("ada", { max: 1 }));
  const { session } = await sessions.create({ principal: "bob" });
  await sessions.revoke(session.handle, "gone");
  await sessions.revokeAll("ada", "password changed");
  await sessions.revokeEveryone();
  const last = browser();
  await last.visit((visit) => visit.login("eve"));
  await last.visit((visit) => visit.logout());
  clock.advance(31 * MINUTE);
  await one.visit(() => {});
  await settled(1);
}

describe("events of one process", () => {
  test("[B-10] login, logout, revoked and evicted are heard by the other, as they are, and nothing else", async () => {
    const { here, there } = pair();
    await story(here);
    const crossing = here.events.filter(({ type }) =>
      ["login", "logout", "revoked", "evicted"].includes(type),
    );
    expect(new Set(crossing.map(({ type }) => type)).size).toBe(4);
    expect(there.events).toEqual(crossing.map((event) => ({ ...event, remote: true })));
  });

  test("are told once to its own listeners, and not as remote", async () => {
    const { here } = pair();
    await story(here);
    expect(remote(here.events)).toEqual([]);
    expect(here.told("login").map(({ principal }) => principal)).toEqual([
      "ada",
      "ada",
      "bob",
      "eve",
    ]);
  });

  test("come to the other's listener for one event too, and to none that stopped", async () => {
    const { here, there } = pair();
    const heard: AnySessionEvent[] = [];
    const stop = there.sessions.on("login", (event) => heard.push(event));
    await here.sessions.create({ principal: "ada" });
    await settled(1);
    stop();
    await here.sessions.create({ principal: "bob" });
    await settled(1);
    expect(heard).toMatchObject([{ type: "login", principal: "ada", remote: true }]);
  });

  test("stay out of the other's log and its diagnostics channel", async () => {
    const lines: string[] = [];
    const log = (_: object, message: string): void => void lines.push(message);
    const logger: Logger = { debug: log, info: log, warn: log, error: log };
    const { here, there } = pair({}, { logger });
    const published: unknown[] = [];
    const listener = (event: unknown): void => void published.push(event);
    subscribe(EVENT_CHANNEL, listener);
    await here.sessions.create({ principal: "ada" });
    await settled(1);
    unsubscribe(EVENT_CHANNEL, listener);
    expect(there.told("login")).toHaveLength(1);
    expect(lines).toEqual([]);
    expect(published).toEqual(here.events);
  });

  test("stay within their namespace", async () => {
    const { here, there } = pair({ namespace: "one" }, { namespace: "two" });
    await story(here);
    expect(there.events).toEqual([]);
  });

  test("are sent though nobody listens here; whoever wants none of these does not listen", async () => {
    const clock = fakeClock();
    const bus = new Bus();
    const { createSessionManager } = await import("../src/create.ts");
    const store = withSignals(memoryStore({ clock }), bus);
    const { sessions } = createSessionManager({ secret: "s".repeat(32), logger: false, store });
    expect(bus.listening).toBe(0);
    sessions.on("created", () => {});
    sessions.on("store-failed", () => {});
    expect(bus.listening).toBe(0);
    await sessions.create({ principal: "ada" });
    await settled(1);
    expect(bus.sent).toHaveLength(1);
    sessions.on("evicted", () => {});
    sessions.on("*", () => {});
    expect(bus.listening).toBe(1);
    await sessions.close();
    expect(bus.listening).toBe(0);
  });

  test("G6 hold no token, no key and no data", async () => {
    const { bus, here } = pair();
    const visitor = here.browser();
    const secrets: string[] = [];
    const note = (): void => void secrets.push(must(visitor.value.split(".")[1]));
    await visitor.visit((session) => session.set("a", "planted-data") && session.save());
    note();
    await visitor.visit((session) => session.login("ada"));
    note();
    await visitor.visit((session) => session.rotate());
    note();
    const keys = (await here.sessions.list("ada")).items.length;
    await visitor.visit((session) => session.logout());
    await story(here);
    expect(keys).toBe(1);
    const all = bus.sent.map(({ topic, text }) => `${topic} ${text}`).join("\n");
    expect(all).toContain("ada");
    for (const secret of [...secrets, "planted-data"]) {
      expect(secret.length).toBeGreaterThan(10);
      expect(all).not.toContain(secret);
    }
  });
});

describe("a message", () => {
  test("[B-10] of its own process, of another release or of a stranger is ignored", async () => {
    const { bus, here, there } = pair();
    await here.sessions.create({ principal: "ada" });
    await settled(1);
    const { topic, text } = must(bus.sent.at(-1));
    const good = JSON.parse(text) as { events: readonly Record<string, unknown>[] };
    const event = must(good.events[0]);
    const { ending: _, ...unended } = { ending: 0, ...event, type: "revoked" };
    const bad: unknown[] = [
      null,
      1,
      "text",
      [],
      {},
      { ...good, v: 1, event },
      { ...good, v: "2" },
      { ...good, events: null },
      { ...good, events: "login" },
      { ...good, events: event },
      { ...good, events: [null, "login", [event]] },
      { ...good, events: [{ ...event, type: "created" }] },
      { ...good, events: [{ ...event, type: "constructor" }] },
      { ...good, events: [{ ...event, type: "*" }] },
      { ...good, events: [{ ...event, at: "now" }] },
      { ...good, events: [{ ...event, handle: { toString: "x" } }] },
      { ...good, events: [{ ...event, principal: 7 }] },
      { ...good, events: [unended] },
      { ...good, events: [{ ...unended, ending: "revoked" }] },
      { ...good, events: [{ ...unended, ending: { why: "revoked" } }] },
    ];
    there.events.length = 0;
    here.events.length = 0;
    for (const message of bad) bus.deliver(topic, JSON.stringify(message));
    for (const junk of ["", "{", "\0", "x".repeat(100_000)]) bus.deliver(topic, junk);
    expect(there.events).toEqual([]);
    bus.deliver(topic, JSON.stringify({ ...good, events: [unended, event] }));
    expect(there.events).toEqual([{ ...event, remote: true }]);
    expect(here.events).toEqual([]);
  });

  test("[B-10] has what happened in one turn of the event loop, in order, as far as it fits; a large event goes alone", async () => {
    const { bus, here, there } = pair();
    const large = "€".repeat(2_500);
    const users = Array.from({ length: 30 }, (_, n) => `user-${n}`);
    const login = (principal: string): Promise<unknown> => here.sessions.create({ principal });
    await Promise.all([
      ...users.map(login),
      here.sessions.revokeAll("eve", large),
      ...users.map(login),
    ]);
    await settled(1);
    const crossing = here.events.filter(({ type }) => type !== "created");
    expect(crossing).toHaveLength(61);
    expect(there.events).toEqual(crossing.map((event) => ({ ...event, remote: true })));
    const texts = bus.sent.map(({ text }) => text);
    const alone = texts.findIndex((text) => text.includes(large));
    expect(texts.length).toBeGreaterThan(3);
    expect(texts.length).toBeLessThan(10);
    expect(texts[alone]).not.toContain("user-");
    expect(texts.at(-1)).not.toContain(large);
    for (const [n, text] of texts.entries())
      if (n !== alone) expect(text.length).toBeLessThan(2_600);
  });

  test("cannot reach a prototype", async () => {
    const { bus, here, there } = pair();
    await here.sessions.create({ principal: "ada" });
    await settled(1);
    const { topic, text } = must(bus.sent.at(-1));
    bus.deliver(topic, text.replace('"events":[{', '"events":[{"__proto__":{"polluted":1},'));
    const event = must(there.told("login").at(-1));
    expect(Object.getPrototypeOf(event)).toBe(Object.prototype);
    expect(Object.keys(event)).not.toContain("__proto__");
    expect(Object.assign({}, event)).not.toHaveProperty("polluted");
  });

  test("that cannot be sent fails no request: an event says so", async () => {
    const { bus, here, there } = pair();
    bus.mode = "fail";
    const visitor = here.browser();
    await visitor.visit((session) => session.login("ada"));
    expect(await visitor.visit((session) => session.principal)).toBe("ada");
    await settled(1);
    expect(here.told("store-failed")).toMatchObject([
      { operation: "signal", code: "SOJOURN_STORE_UNAVAILABLE" },
    ]);
    expect(there.events).toEqual([]);
  });

  test("that hangs holds no request up", async () => {
    const { bus, here } = pair();
    bus.mode = "hang";
    const visitor = here.browser();
    await visitor.visit((session) => session.login("ada"));
    await settled(1);
    expect(await here.sessions.revokeAll("ada")).toBe(1);
  });

  test("is on its way before close() is done: a command-line revocation is heard", async () => {
    const { bus, here, there } = pair();
    await here.sessions.create({ principal: "ada" });
    await settled(1);
    bus.mode = "hold";
    await here.sessions.revokeAll("ada");
    const closing = here.sessions.close();
    bus.release();
    await closing;
    expect(there.told("revoked")).toMatchObject([{ principal: "ada", remote: true }]);
  });

  test("that hangs holds close() up no longer than storeDeadline", async () => {
    const { bus, here } = pair({ storeDeadline: "20ms" });
    bus.mode = "hang";
    await here.sessions.create({ principal: "ada" });
    const began = performance.now();
    await here.sessions.close();
    expect(performance.now() - began).toBeGreaterThan(15);
  });
});
