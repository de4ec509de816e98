/** What is not exactly what was sealed for this token is worth nothing, and breaks nothing. */
import { KeyRing } from "@sojourn/core";
import type { Brought, Handle, RecordKey } from "@sojourn/core/store";
import { describe, expect, test } from "vitest";
import { cookieStore } from "../src/index.ts";
import type { Browser, World } from "./support/world.ts";
import { DAY, HOUR, MINUTE, SECRET, world } from "./support/world.ts";

const LONG = "x".repeat(3_000);

/** Ada with a session in two cookies. */
async function inTwoParts(made: World = world({ store: { chunks: 3 } })) {
  const ada = await made.loggedIn("ada");
  await ada.visit((session) => {
    session["note"] = LONG;
  });
  const [first = "", second = ""] = ada.parts;
  expect(ada.parts).toHaveLength(2);
  return { made, ada, first, second };
}

/** Whether the cookies are no session, and are cleared: the token's and those of the record. */
async function isNothing(browser: Browser): Promise<boolean> {
  const visit = await browser.open();
  const { principal, isNew } = visit.session;
  await visit.close();
  return principal === null && isNew && browser.jar.size === 0;
}

/** A byte of it is another one. */
function altered(text: string, at: number, by: number): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const place = alphabet.indexOf(text[at] ?? "");
  return text.slice(0, at) + alphabet[(place + by) % 64] + text.slice(at + 1);
}

describe("a forged record", () => {
  test("[X-09] [E-01] 2,000 single characters altered, anywhere in any part: 2,000 times no session", async () => {
    const { ada } = await inTwoParts();
    for (let round = 0; round < 2_000; round += 1) {
      const thief = ada.copy();
      const name = thief.parts[round % 2] ?? "";
      const value = thief.jar.get(name) ?? "";
      const at = Math.floor(Math.random() * value.length);
      thief.jar.set(name, altered(value, at, 1 + Math.floor(Math.random() * 63)));
      // Only the count of parts may take a value that leaves a whole record, and it does not here.
      expect(await thief.principal(), `${name} at ${at}`).toBeNull();
    }
    expect(await ada.principal()).toBe("ada");
  });

  test("[X-09] an altered record is no session: an event, and every cookie of it is cleared", async () => {
    const { made, ada, first } = await inTwoParts();
    ada.jar.set(first, altered(ada.jar.get(first) ?? "", 100, 1));
    expect(await isNothing(ada)).toBe(true);
    expect(made.events.at(-1)).toMatchObject({ type: "cookie-rejected", reason: "unknown" });
  });

  test.for<[string, (browser: Browser, first: string, second: string) => void]>([
    ["no part", ({ jar }, first, second) => [first, second].map((name) => jar.delete(name))],
    ["the first part missing", ({ jar }, first) => jar.delete(first)],
    ["the second part missing", ({ jar }, _, second) => jar.delete(second)],
    [
      "parts exchanged",
      ({ jar }, first, second) => {
        const [one = "", two = ""] = [jar.get(first), jar.get(second)];
        jar.set(first, two).set(second, one);
      },
    ],
    [
      "a part cut short",
      ({ jar }, _, second) => jar.set(second, jar.get(second)?.slice(0, -1) ?? ""),
    ],
    ["a part that is longer", ({ jar }, _, second) => jar.set(second, `${jar.get(second)}A`)],
    ["an empty part", ({ jar }, first) => jar.set(first, "")],
    ["a count of 0", ({ jar }, first) => jar.set(first, `0${jar.get(first)?.slice(1)}`)],
    ["a count of 9", ({ jar }, first) => jar.set(first, `9${jar.get(first)?.slice(1)}`)],
    [
      "a count of 8, with 2 there",
      ({ jar }, first) => jar.set(first, `8${jar.get(first)?.slice(1)}`),
    ],
    ["percent-encoding", ({ jar }, first) => jar.set(first, `%32${jar.get(first)?.slice(1)}`)],
    ["quotes", ({ jar }, first) => jar.set(first, `"${jar.get(first)}"`)],
  ])("[E-01] %s: no session, no crash", async ([, forge]) => {
    const { ada, first, second } = await inTwoParts();
    forge(ada, first, second);
    expect(await isNothing(ada)).toBe(true);
  });

  test("[E-01] a part that is there twice with two values is none; the same value twice is one", async () => {
    const { ada, first } = await inTwoParts();
    const same = `${ada.cookie}; ${first}=${ada.jar.get(first)}`;
    expect((await ada.open(same)).session.principal).toBe("ada");
    expect((await ada.open(`${ada.cookie}; ${first}=x`)).session.principal).toBeNull();
  });

  test("[E-01] parts beyond the count, and of other tokens, are nothing; the next write clears them", async () => {
    const { ada, first } = await inTwoParts();
    const stale = `${first.slice(0, -1)}7`;
    ada.jar.set(stale, "old").set("__Host-sid.abcdef.0", "1old");
    ada.jar.set("__Host-sid.other", "of somebody else").set("__Host-sid.abcdef.8", "too");
    expect(await ada.principal()).toBe("ada");
    await ada.visit((session) => {
      session["note"] = "short";
    });
    expect(ada.parts).toEqual(["__Host-sid.abcdef.8", first, "__Host-sid.other"].toSorted());
    expect(await ada.principal()).toBe("ada");
  });
});

describe("somebody else's record", () => {
  /** Gives Eve the record of another browser under the names of her own. */
  function swap(eve: Browser, other: Browser): Browser {
    const [mine = ""] = eve.parts;
    const [theirs = ""] = other.parts;
    const thief = eve.copy();
    thief.jar.set(mine, other.jar.get(theirs) ?? "");
    return thief;
  }

  test("[X-09] that of another user, of another session, or of before the login fits no other token", async () => {
    const made = world();
    const eve = made.browser();
    await eve.visit((session) => {
      session["cart"] = ["book"];
    });
    const before = eve.copy();
    await eve.visit((session) => session.login("eve"));
    const [ada, again] = [await made.loggedIn("ada"), await made.loggedIn("eve")];
    for (const other of [ada, again, before]) {
      expect(await swap(eve, other).principal()).toBeNull();
      expect(await isNothing(swap(eve, other))).toBe(true);
    }
    expect(await swap(eve, eve).principal()).toBe("eve");
  });

  test("[X-09] ASVS 9.2.4 one cookie name or one namespace does not open the records of another", async () => {
    const made = world();
    const ada = await made.loggedIn("ada");
    const rename = (text: string): string => text.replace("__Host-sid", "__Host-admin");
    for (const options of [{ cookie: { name: "__Host-admin" } }, { namespace: "admin" }]) {
      const other = world({ clock: made.clock, ledger: made.ledger, options });
      const eve = await other.loggedIn("eve");
      const [token = ""] = [...eve.jar.keys()].filter((name) => !name.includes("."));
      const [record = ""] = eve.parts;
      const [adas = ""] = ada.parts;
      const thief = eve.copy();
      thief.jar.set(record, ada.jar.get(adas) ?? "");
      expect(await thief.principal()).toBeNull();
      const moved = eve.copy();
      moved.jar.clear();
      for (const [name, value] of ada.jar)
        moved.jar.set("cookie" in options ? rename(name) : name, value);
      expect(moved.jar.has(token)).toBe(true);
      expect(await moved.principal()).toBeNull();
    }
  });
});

describe("what a sealed record is bound to", () => {
  const ring = new KeyRing([SECRET]);
  const store = cookieStore({ epochs: "none" });
  const key = `AAA.${"k".repeat(43)}` as RecordKey;
  const handle = `AAA${"h".repeat(16)}` as Handle;
  const request = { kind: "session", name: "sid", ring, room: 4_000 };

  async function sealed(): Promise<string> {
    const from = store.carrier?.forRequest({ ...request, sealed: null });
    const deadline = Date.now() + HOUR;
    const at = { createdAt: 1, seenAt: 1, expiresAt: deadline, absoluteExpiresAt: deadline };
    await from?.create({
      kind: "session",
      key,
      handle,
      owner: null,
      version: 1,
      ...at,
      payload: "{}",
    });
    return from?.taken()?.text ?? "";
  }

  test.for<[string, Partial<Brought>, RecordKey]>([
    ["another key", {}, `AAA.${"x".repeat(43)}` as RecordKey],
    ["another kind", { kind: "session:admin" }, key],
    ["another cookie name", { name: "admin" }, key],
    ["another ring", { ring: new KeyRing([`other ${SECRET}`]) }, key],
  ])("[X-09] %s does not open it", async ([, other, otherKey]) => {
    const text = await sealed();
    const open = (more: Partial<Brought>, as: RecordKey) =>
      store.carrier
        ?.forRequest({ ...request, ...more, sealed: { key: as, text } })
        .read({ kind: more.kind ?? "session", key: as });
    expect(await open({}, key)).toMatchObject({ key, handle, payload: "{}" });
    expect(await open(other, otherKey)).toBeNull();
  });
});

describe("deadlines", () => {
  test("[E-01] [X-09] are inside: a browser that goes on sending dies idle after 30 min and absolute after 24 h, to the ms", async () => {
    const made = world();
    const ada = await made.loggedIn("ada");
    made.clock.advance(30 * MINUTE - 1);
    expect(await ada.principal()).toBe("ada");
    made.clock.advance(1);
    const { session } = await ada.copy().open();
    expect(session.principal).toBeNull();
    expect(session.ending).toMatchObject({ why: "idle", principal: "ada" });
    expect(await isNothing(ada)).toBe(true);

    const bob = await made.loggedIn("bob");
    const thief = bob.copy();
    for (let minutes = 0; minutes < 24 * 60; minutes += 20) {
      expect(await bob.visit(({ principal }) => principal)).toBe("bob");
      made.clock.advance(20 * MINUTE);
    }
    expect((await bob.copy().open()).session.ending).toMatchObject({ why: "absolute" });
    expect(await bob.principal()).toBeNull();
    expect(await thief.principal()).toBeNull();
  });

  test("[X-09] of 400 days and more are refused: what was revoked is remembered for so long", async () => {
    const made = world({ options: { absolute: 400 * DAY, idle: null } });
    const ada = made.browser();
    const visit = await ada.open();
    await expect(visit.session.login("ada", { absolute: 400 * DAY + HOUR })).rejects.toMatchObject({
      code: "SOJOURN_OPTIONS_INVALID",
    });
    await visit.session.login("ada");
  });
});
