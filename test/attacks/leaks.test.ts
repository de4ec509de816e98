/** T-LOG: everything that a session's whole life shows outside Set-Cookie, searched for every secret of it. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { createHash } from "node:crypto";
import { inspect } from "node:util";
import { csrfPolicy, EVENT_CHANNEL, KeyRing } from "@sojourn/core";
import type { Logger, Metrics } from "@sojourn/core";
import { expect, onTestFinished, test } from "vitest";
import type { Client } from "../scenarios/client.ts";
import type { Exchange, Route } from "../scenarios/frameworks.ts";
import { everywhere, HOUR, MINUTE, SECOND } from "../scenarios/matrix.ts";
import { set } from "../scenarios/shop.ts";

const SECRETS = [
  "the first signing secret of the leak tests",
  "the second signing secret of the leak tests",
  "the encryption secret of the leak tests, long",
] as const;
/** Data, addresses and agents are no secrets of ours, but must not be in an encrypted store or in the figures. */
const DATA = "planted-word-in-the-cart";
const AGENT = "PlantedBrowser/1.0";
const PASSWORD_VERSION = "planted-version-of-the-password";

/** Places by name, and all that was written to each. */
class Ledger {
  readonly #pages = new Map<string, string[]>();

  /** Writes down each thing as a console, JSON and an error's stack would show it. */
  note(place: string, ...things: readonly unknown[]): void {
    const pages = this.#pages.get(place) ?? [];
    this.#pages.set(place, pages);
    const deep = { depth: 20, showHidden: true, maxStringLength: null, maxArrayLength: null };
    for (const thing of things) {
      if (typeof thing === "string") pages.push(thing);
      else {
        pages.push(inspect(thing, deep), inspect(thing, { ...deep, customInspect: false }));
        if (thing instanceof Error) pages.push(String(thing.stack), inspect(thing.cause, deep));
        pages.push(jsonOf(thing));
      }
    }
  }

  text(place: string): string {
    return (this.#pages.get(place) ?? []).join("\n");
  }

  get places(): string[] {
    return [...this.#pages.keys()];
  }
}

function jsonOf(thing: unknown): string {
  try {
    return JSON.stringify(thing) ?? "";
  } catch {
    return "";
  }
}

/** Every form in which a secret text or its bytes could turn up. */
function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret, "base64url");
  return [
    secret,
    encodeURIComponent(secret),
    Buffer.from(secret).toString("base64"),
    ...(bytes.length >= 16 ? [bytes.toString("hex"), bytes.toString("base64")] : []),
  ];
}

/** What a cookie holds that must stay in it: the random part, the signature, and both together. */
function secretsOf(value: string): string[] {
  const [first = "", ...rest] = value.split(".");
  const isDevice = rest.length === 1;
  return [value, ...rest, ...(isDevice ? [first] : [])];
}

const withErrors =
  (ledger: Ledger, work: (exchange: Exchange) => unknown): Route["handle"] =>
  async (exchange) => {
    try {
      return { done: await work(exchange) };
    } catch (error) {
      ledger.note("errors", error);
      throw error;
    } finally {
      const { session, sessions } = exchange;
      ledger.note("inspections", session, { ...session }, session.toJSON());
      ledger.note(
        "inspections",
        inspect(session, { showProxy: true, showHidden: true, depth: 20 }),
      );
      ledger.note("inspections", sessions);
    }
  };

const ORIGIN = { method: "POST", host: "a", origin: "http://b", secFetchSite: "cross-site" };

function routesOf(ledger: Ledger, tokens: Set<string>): readonly Route[] {
  const post = (path: string, work: (exchange: Exchange) => unknown): Route => ({
    method: "POST",
    path,
    handle: withErrors(ledger, work),
  });
  return [
    post("/begin", ({ session }) =>
      session.login("ada", { authVersion: PASSWORD_VERSION, max: 2 }),
    ),
    post("/form", ({ session }) => {
      tokens.add(session.csrfToken());
      return true;
    }),
    post("/forged", ({ session, query }) =>
      session.checkCsrf(
        { ...ORIGIN, contentType: undefined, token: query("token") },
        csrfPolicy({ protection: "token" }),
      ),
    ),
    post("/approve", ({ session }) => session.approve("pay", { to: "bob" })),
    post("/use", ({ session }) => session.useApproval("pay", { to: "bob" })),
    post("/fresh", ({ session }) => session.requireFresh({ within: "5m", level: 9 })),
    post("/verify", ({ session }) => session.verifyAuthVersion(PASSWORD_VERSION)),
    post("/unstorable", ({ session }) => session.set("big", { number: 1n })),
    post("/limit", ({ session }) => session.login("ada", { max: 1, onLimit: "reject" })),
  ];
}

everywhere(({ open }) => {
  test("[G6] T-LOG T-TIME ASVS 16.2.5 log, events, channel, audit, figures, errors, inspections, lists and the encrypted store hold no secret", async () => {
    const ledger = new Ledger();
    const tokens = new Set<string>();
    const cookies = new Set<string>();
    const keep =
      (place: string) =>
      (...things: unknown[]): void =>
        ledger.note(place, ...things);
    const log = keep("log");
    const logger: Logger = { debug: log, info: log, warn: log, error: log };
    const figures = keep("metrics");
    const metrics: Metrics = { add: figures, observe: figures };
    const channel = keep("channel");
    subscribe(EVENT_CHANNEL, channel);
    onTestFinished(() => void unsubscribe(EVENT_CHANNEL, channel));
    const ring = new KeyRing([SECRETS[0]]);
    const encrypting = new KeyRing([SECRETS[2]]);
    const world = await open({
      routes: routesOf(ledger, tokens),
      options: {
        secret: ring,
        encryption: { keys: encrypting, compress: true },
        deviceCookie: true,
        binding: "report",
        onIdle: "lock",
        logger,
        metrics,
        audit: keep("audit"),
      },
    });
    const visit = async (client: Client, ...paths: readonly string[]): Promise<void> => {
      for (const path of paths) {
        const { text, headers } = await client.post(path);
        ledger.note("answers", text, { ...headers, "set-cookie": undefined });
        for (const value of client.jar.values()) cookies.add(value);
      }
    };

    const ada = world.client({ userAgent: AGENT });
    await visit(ada, `/cart?item=${DATA}`, "/form", "/begin", "/form", "/rotate", "/elevate");
    const stolen = ada.copy({ userAgent: "Another" });
    await visit(ada, "/approve", "/use", "/use", "/fresh", "/verify", "/unstorable", "/limit");
    for (const token of tokens) await visit(ada, `/forged?${new URLSearchParams({ token })}`);
    ring.add(SECRETS[1]);
    await visit(ada, "/form", "/rotate", "/reauthenticate", set("more", DATA));
    world.clock.advance(11 * SECOND);
    await visit(stolen, "/form");
    const forger = ada.copy();
    for (const [name, value] of ada.jar) forger.jar.set(name, `${value.slice(0, -4)}AAAA`);
    await visit(forger, "/form");
    world.clock.advance(2 * MINUTE);
    world.probe.around = async (operation, call) => {
      if (operation === "update" || operation === "replace") throw new Error("the disk is full");
      return call();
    };
    await visit(ada, set("lost", 1), "/rotate", "/increment");
    world.probe.around = (_operation, call) => call();
    await visit(ada, "/form", "/cart?item=pen");
    for (let index = 0; index < 3; index++) await visit(world.client(), "/begin", "/form");
    const other = await world.loggedIn("bob");
    for (const value of other.jar.values()) cookies.add(value);
    world.clock.advance(HOUR);
    await visit(other, "/form", "/reauthenticate", "/form", "/approve");

    const { sessions, probe } = world;
    const [listed] = (await sessions.list("bob")).items;
    ledger.note("manager", await sessions.list("ada"), await sessions.list("bob"));
    ledger.note("manager", await sessions.explain(listed?.handle ?? ""), await sessions.health());
    ledger.note("manager", await sessions.stats(), sessions.describePolicy(), sessions);
    ledger.note("keys", ring, encrypting, ring.list(), encrypting.list(), jsonOf({ ring }));
    ledger.note("events", ...world.events);
    for (const kind of ["session", "approval:session"])
      for await (const record of probe.inner.scan(kind)) ledger.note("store", record);
    ledger.note("store", await world.bytes());
    await sessions.revokeAll("ada", "leak");

    // The search finds what is there.
    const handle = listed?.handle ?? "";
    for (const place of ["log", "events", "channel", "audit", "inspections", "manager", "store"])
      expect(ledger.text(place), place).toContain(handle);
    expect(ledger.text("store")).toContain("approval:session");
    expect(ledger.text("metrics")).toContain("sojourn_logins_total");
    expect(ledger.text("errors")).toContain("SOJOURN_REAUTHENTICATION_REQUIRED");
    expect(ledger.text("keys")).toContain(ring.list()[0]?.kid);
    expect(ledger.places).toHaveLength(11);
    expect(Math.min(tokens.size, cookies.size)).toBeGreaterThanOrEqual(8);

    const secrets = [...SECRETS, PASSWORD_VERSION, ...[...cookies].flatMap(secretsOf), ...tokens];
    const digests = [...cookies].map((value) =>
      createHash("sha256")
        .update(value.split(".")[1] ?? "")
        .digest("base64url"),
    );
    for (const place of ledger.places) {
      const text = ledger.text(place);
      const found = secrets.filter((secret) =>
        formsOf(secret).some((form) => form.length >= 8 && text.includes(form)),
      );
      expect(found, place).toEqual([]);
      if (place !== "store") expect(digests.filter((digest) => text.includes(digest))).toEqual([]);
    }
    for (const place of ["log", "events", "channel", "audit", "metrics", "store", "keys"])
      expect(ledger.text(place).includes(DATA), `data in ${place}`).toBe(false);
    for (const place of ["metrics", "store"])
      expect(ledger.text(place).includes(AGENT), `the agent in ${place}`).toBe(false);
    expect(ledger.text("audit")).toContain(AGENT);
  });
});
