/** What mutation testing found untested in policy/ and store/memory/; see docs/mutation.md. */
import { describe, expect, test } from "vitest";
import { resolveAdmission } from "../src/policy/admission.ts";
import { clientFacts, compareClients, networkOf } from "../src/policy/client.ts";
import { isStraggler } from "../src/policy/endings.ts";
import { deadline, expired, isIdle, type Timeouts, touchInterval } from "../src/policy/expiry.ts";
import { reauthenticationRequired, staleness } from "../src/policy/freshness.ts";
import { beyondPreset, PRESETS, withPreset } from "../src/policy/presets.ts";
import { principalName } from "../src/policy/principal.ts";
import { privilegeDigest } from "../src/policy/privileges.ts";
import type { StoredRecord } from "../src/store/contract.ts";
import { moveOf, refuseTaken } from "../src/store/memory/admission.ts";
import {
  aliveIn,
  copyEnding,
  copyRecord,
  copyTombstone,
  endedTombstone,
  endOf,
  expiredTombstone,
  judge,
  tombstoneIn,
} from "../src/store/memory/entry.ts";
import { KindTable } from "../src/store/memory/kind.ts";
import { HOUR, MINUTE } from "./support/clock.ts";
import { failure } from "./support/world.ts";

const NOW = 1_800_000_000_000;

describe("the client", () => {
  test("what is kept of it: what is known, and 512 characters of its user agent", () => {
    expect(clientFacts({})).toStrictEqual({});
    const all = { ip: "192.0.2.7", userAgent: "a".repeat(600), device: "d" };
    expect(clientFacts(all)).toStrictEqual({ ...all, userAgent: "a".repeat(512) });
  });

  test.each([
    ["192.0.2.7", "192.0.2"],
    ["::ffff:192.0.2.7", "192.0.2"],
    ["::FFFF:192.0.2.7", "192.0.2"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
    ["2001:0DB8:0001:0000:3:4:5:6", "2001:db8:1:0"],
    ["2001:db8::6", "2001:db8:0:0"],
    ["::1", "0:0:0:0"],
    ["fe80::1%eth0", "fe80:0:0:0"],
    ["2001:db8:1:2::", "2001:db8:1:2"],
    ["1::2:3:4:5:6:7", "1:0:2:3"],
    ["unix:/run/a", "unix:/run/a"],
    ["192.0.2", "192.0.2"],
    ["::ffff:x", "::ffff:x"],
    ["x::ffff:192.0.2.7", "x::ffff:192.0.2.7"],
    ["1::ffff:192.0.2.7", "1:0:0:0"],
  ])("the network of %s is %s", (ip, network) => {
    expect(networkOf(ip)).toBe(network);
  });

  test("what differs is named; what is unknown on a side is equal, but for a lost device", () => {
    const began = { ip: "192.0.2.7", userAgent: "Firefox/1.2.3 (X 10_5)", device: "d" };
    expect(compareClients(began, began)).toEqual({ matches: true, reasons: [] });
    const updated = { ...began, userAgent: "Firefox/12.0 (X 11_6_1)" };
    expect(compareClients(began, updated).matches).toBe(true);
    expect(compareClients(began, { ip: "198.51.100.7", userAgent: "Chrome/1" })).toEqual({
      matches: false,
      reasons: ["network-changed", "user-agent-changed", "device-changed"],
    });
    expect(compareClients(began, { device: "d" }).matches).toBe(true);
    expect(compareClients({}, began).matches).toBe(true);
    const longer = { ...began, userAgent: `${"a".repeat(512)}b` };
    expect(compareClients(longer, { ...began, userAgent: "a".repeat(512) }).matches).toBe(true);
  });
});

describe("timeouts", () => {
  const timeouts: Timeouts = { idle: HOUR, absolute: 24 * HOUR, locks: false };
  const record = { expiresAt: NOW + 1, absoluteExpiresAt: NOW + 2 } as StoredRecord;

  test("ASVS 7.3.1 ASVS 7.3.2 the deadline is the earlier of idle and absolute", () => {
    expect(deadline(timeouts, NOW, NOW + 2 * HOUR)).toBe(NOW + HOUR);
    expect(deadline(timeouts, NOW, NOW + MINUTE)).toBe(NOW + MINUTE);
    expect(deadline({ ...timeouts, idle: null }, NOW, NOW + 2 * HOUR)).toBe(NOW + 2 * HOUR);
    expect(deadline({ ...timeouts, locks: true }, NOW, NOW + 2 * HOUR)).toBe(NOW + 2 * HOUR);
  });

  test("a touch is due after a tenth of idle, at most a minute, or as is set", () => {
    expect(touchInterval(timeouts.idle, undefined)).toBe(MINUTE);
    expect(touchInterval(5 * MINUTE, undefined)).toBe(MINUTE / 2);
    expect(touchInterval(timeouts.idle, 7)).toBe(7);
    expect(touchInterval(null, 7)).toBe(Number.POSITIVE_INFINITY);
  });

  test("a session that locks is idle at exactly its idle timeout; another never is", () => {
    const locks = { ...timeouts, locks: true };
    expect(isIdle(locks, NOW, NOW + HOUR - 1)).toBe(false);
    expect(isIdle(locks, NOW, NOW + HOUR)).toBe(true);
    expect(isIdle({ ...locks, idle: null }, NOW, NOW + 99 * HOUR)).toBe(false);
    expect(isIdle(timeouts, NOW, NOW + HOUR)).toBe(false);
  });

  test("dead at expiresAt itself, and why", () => {
    expect(expired(record, NOW)).toBeNull();
    expect(expired(record, NOW + 1)).toBe("idle");
    expect(expired({ ...record, absoluteExpiresAt: NOW + 1 }, NOW + 1)).toBe("absolute");
  });

  test("a straggler comes within the grace time, of a login or a logout", () => {
    const at = (why: "rotated" | "logout" | "revoked", ms: number) =>
      isStraggler({ why, at: NOW }, NOW + ms, 10);
    expect([at("rotated", 9), at("logout", 9)]).toEqual([true, true]);
    expect([at("rotated", 10), at("logout", 10), at("revoked", 1)]).toEqual([false, false, false]);
  });
});

describe("fresh proof", () => {
  const proof = { authenticatedAt: NOW, level: 1 };

  test("NIST 2.2.3 too old from exactly the limit on; level 1 is asked for by itself", () => {
    expect(staleness(proof, { within: "5m" }, NOW + 5 * MINUTE - 1)).toBeNull();
    expect(staleness(proof, { within: "5m" }, NOW + 5 * MINUTE)).toBe("stale");
    expect(staleness({ ...proof, authenticatedAt: null }, { within: "5m" }, NOW)).toBe("stale");
    expect(staleness({ authenticatedAt: null, level: 0 }, {}, NOW)).toBe("level");
    expect(staleness(proof, { level: 1 }, NOW)).toBeNull();
    expect(staleness(proof, { level: 2 }, NOW)).toBe("level");
  });

  test("the errors say what to do, and carry what was asked for", async () => {
    const stale = reauthenticationRequired("stale", { within: "5m" });
    expect(stale).toMatchObject({
      code: "SOJOURN_REAUTHENTICATION_REQUIRED",
      details: { reason: "stale", within: "5m", level: null },
    });
    expect(stale.message).toContain("needs a login within 5m");
    expect(stale.message).toContain("session.reauthenticate()");
    const level = reauthenticationRequired("level", { level: 2 });
    expect(level.details).toEqual({ reason: "level", within: null, level: 2 });
    expect(level.message).toContain("needs level 2");
    expect(level.message).toContain("session.elevate()");
    const wrong = await failure(() => staleness(proof, { within: "soon" }, NOW));
    expect(wrong.code).toBe("SOJOURN_OPTIONS_INVALID");
    expect(wrong.message).toContain("requireFresh(): within ");
  });
});

describe("presets, limits, principals, privileges", () => {
  test("NIST 2.2.3 exactly the limits of a preset are within it, a millisecond more is not", () => {
    expect(beyondPreset("aal2", { idle: HOUR, absolute: 24 * HOUR })).toEqual([]);
    const long = beyondPreset("aal2", { idle: HOUR + 1, absolute: 24 * HOUR + 1 });
    expect(long).toEqual([
      ["idle", expect.stringMatching(/^is longer than the 1h that preset 'aal2' allows .*2\.2\.3/)],
      ["absolute", expect.stringContaining("is longer than the 24h that preset 'aal2' allows")],
    ]);
    expect(beyondPreset("aal2", { idle: null, absolute: HOUR })).toHaveLength(1);
    expect(beyondPreset("aal1", { idle: null, absolute: HOUR })).toEqual([]);
  });

  test.each([
    ["aal1", "2.1.3"],
    ["aal2", "2.2.3"],
    ["aal3", "2.3.3"],
  ] as const)("%s names its source, %s", (name, clause) => {
    expect(PRESETS[name].source).toBe(`NIST SP 800-63B-4 ${clause}`);
  });

  test("a preset fills in what is missing, and nothing else", () => {
    expect(withPreset({ preset: "aal3" })).toEqual({
      preset: "aal3",
      idle: "15m",
      absolute: "12h",
    });
    expect(withPreset({ preset: "aal3", idle: "1m" })).toMatchObject({ idle: "1m" });
    expect(withPreset({ preset: "toString" })).toEqual({ preset: "toString" });
  });

  test.each([-1, 0.5, Number.NaN, "3" as never])("a limit of %s is refused", async (max) => {
    const error = await failure(resolveAdmission("ada", max, "reject"));
    expect(error.code).toBe("SOJOURN_OPTIONS_INVALID");
    expect(error.message).toContain("max must be a whole number of sessions");
  });

  test("an unknown onLimit is refused with the known ones; 0 and no limit are unlimited", async () => {
    const error = await failure(resolveAdmission("ada", 1, "evict" as never));
    expect(error.message).toContain("one of 'evict-oldest', 'evict-idle', 'reject'");
    expect(await resolveAdmission("ada", 0, "reject")).toBeUndefined();
    expect(await resolveAdmission("ada", undefined, "reject")).toBeUndefined();
    const max = async (principal: string) => principal.length;
    expect(await resolveAdmission("ada", max, "reject")).toEqual({ max: 3, onLimit: "reject" });
  });

  test.each([
    ["", "a text of 0 characters"],
    ["a".repeat(513), "a text of 513 characters"],
    ["\ud800", "a text of 1 characters"],
    [null, "null"],
    [undefined, "of type undefined"],
    [Number.NaN, "of type number"],
    [Infinity, "of type number"],
    [{}, "of type object"],
  ])("%j is no principal, and is described, not quoted", async (principal, shape) => {
    const error = await failure(() => principalName(principal as string));
    expect(error.code).toBe("SOJOURN_PRINCIPAL_INVALID");
    expect(error.message).toContain(`of 1 to 512 characters, but it was ${shape} [`);
  });

  test("512 characters, one character and numbers are principals", () => {
    expect(principalName("a".repeat(512))).toHaveLength(512);
    expect([principalName("a"), principalName(0), principalName(-1.5)]).toEqual(["a", "0", "-1.5"]);
  });

  test("a digest of privileges has 22 characters of SHA-256 and tells lists apart", () => {
    expect(privilegeDigest([])).toBe("T1PNoYwrqgwDVLtfmj7L5e");
    expect(privilegeDigest(["a"])).not.toBe(privilegeDigest(["b"]));
    expect(privilegeDigest(["a"])).toHaveLength(22);
  });
});

const record = {
  kind: "session",
  key: "abA.k",
  handle: "abAh",
  owner: null,
  version: 1,
  createdAt: 1,
  seenAt: 5,
  expiresAt: 10,
  absoluteExpiresAt: 20,
  payload: "{}",
} as unknown as StoredRecord;
const owned = { ...record, owner: "abA.ada" } as unknown as StoredRecord;
const named = (key: string, handle: string) => ({ ...record, key, handle }) as StoredRecord;

describe("what comes in", () => {
  const kind = new KindTable(0);
  kind.put(owned);

  test("a key or a handle that is taken is refused, unless the handle is inherited", async () => {
    const refused = async (come: StoredRecord, now: number, inherited?: StoredRecord["handle"]) =>
      await failure(() => refuseTaken(kind, come, now, inherited)).then(
        ({ code, message }) => [code, message.includes("with fresh random ones")],
        () => null,
      );
    const taken = ["SOJOURN_RECORD_EXISTS", true];
    expect(await refused(named("abA.k", "abAother"), 5)).toEqual(taken);
    expect(await refused(named("abA.other", "abAh"), 5)).toEqual(taken);
    expect(await refused(named("abA.other", "abAh"), 15)).toEqual(taken);
    expect(await refused(named("abA.other", "abAh"), 20)).toBeNull();
    expect(await refused(named("abA.other", "abAh"), 5, record.handle)).toBeNull();
    expect(await refused(named("abA.k", "abAh"), 5, record.handle)).toEqual(taken);
    expect(await refused(named("abA.other", "abAother"), 5)).toBeNull();
  });

  test("an old key leads to the new one for its grace time, within one handle", () => {
    const how = { expectedVersion: 1, ending: { why: "rotated", at: 100 } } as const;
    const next = named("abA.next", "abAh");
    expect(moveOf(record, next, { ...how, graceMs: 7 })).toEqual({ to: "abA.next", until: 107 });
    expect(moveOf(record, next, how)).toEqual({ to: "abA.next", until: 100 });
    expect(moveOf(record, named("abA.next", "abAother"), { ...how, graceMs: 7 })).toBeUndefined();
  });
});

describe("tombstones", () => {
  test("copies are frozen, capped, and hold what there is and nothing else", () => {
    const copy = copyRecord({ ...record, expiresAt: 30, extra: 1 } as StoredRecord);
    expect(copy).toStrictEqual({ ...record, expiresAt: 20 });
    const bare = { why: "logout", at: 6 } as const;
    expect(copyEnding(bare)).toStrictEqual(bare);
    const full = { ...bare, reason: "", successor: record.handle, seenAt: 0 };
    expect(copyEnding({ ...full, extra: 1 } as typeof full)).toStrictEqual(full);
    const tombstone = endedTombstone(record, full);
    expect(copyTombstone(tombstone)).toStrictEqual(tombstone);
    expect([copy, copyEnding(bare), tombstone].every(Object.isFrozen)).toBe(true);
  });

  test("what was found is a record, a tombstone or nothing", () => {
    const tombstone = endedTombstone(record, { why: "logout", at: 6 });
    expect([aliveIn(record), aliveIn(tombstone), aliveIn(null)]).toEqual([record, null, null]);
    const found = [tombstoneIn(record), tombstoneIn(tombstone), tombstoneIn(null)];
    expect(found).toEqual([null, tombstone, null]);
  });

  test("of an ending stay until the absolute timeout, of a rotation until idle or the grace time", () => {
    const until = (why: "logout" | "rotated", grace?: number) =>
      endedTombstone(record, { why, at: 6 }, grace).expiresAt;
    expect([until("logout"), until("rotated"), until("rotated", 15)]).toEqual([20, 10, 15]);
    expect(until("logout", 30)).toBe(30);
  });

  test("of an expired record say why, and stay an hour where that was the absolute timeout", () => {
    expect(expiredTombstone(record)).toMatchObject({
      expiresAt: 20,
      ending: { why: "idle", at: 10, seenAt: 5 },
    });
    expect(expiredTombstone({ ...record, expiresAt: 20 })).toMatchObject({
      expiresAt: 20 + HOUR,
      ending: { why: "absolute", at: 20, seenAt: 5 },
    });
  });

  test("an entry is alive, then a tombstone, then nothing, each at its instant", () => {
    expect(judge(record, 9)).toBe(record);
    expect(judge(record, 10)).toMatchObject({ ending: { why: "idle" } });
    expect(judge(record, 19)).not.toBeNull();
    expect(judge(record, 20)).toBeNull();
    const ended = endedTombstone(record, { why: "logout", at: 6 });
    expect([judge(ended, 19), judge(ended, 20)]).toEqual([ended, null]);
  });

  test("ending a generation leaves earlier endings and expiries as they were", () => {
    const ending = { why: "revoked", at: 10 } as const;
    const earlier = endedTombstone(record, { why: "logout", at: 6 });
    expect(endOf(earlier, ending)).toBe(earlier);
    expect(endOf(record, ending).ending.why).toBe("idle");
    expect(endOf(record, { ...ending, at: 9 }).ending.why).toBe("revoked");
  });
});
