/** Broken records in a snapshot that is good: each is refused with a reason, its neighbours are restored. */
import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { LONGEST_RECORD } from "../../src/snapshot/format.ts";
import { memoryStore } from "../../src/store/memory/store.ts";
import { mintHandle, parseHandle } from "../../src/token/token.ts";
import { randomTag } from "../../src/token/tag.ts";
import { fakeClock, HOUR } from "../support/clock.ts";
import { countingStore } from "../support/intercept.ts";
import { must, range, world } from "../support/world.ts";
import {
  contents,
  exported,
  imported,
  inOrder,
  sessionRecord,
  snapshotOfLines,
  snapshotWith,
} from "./support.ts";

const clock = fakeClock();
const PLANTED = "planted-in-a-broken-record";
const CLOCKS_DIFFER_BY = 10_000;
const now = clock.now();
const good = sessionRecord(clock, { user: "ada" });
const { key: _key, ...keyless } = good;
const { payload: _payload, ...payloadless } = good;
const otherTag = must(
  range(100)
    .map(randomTag)
    .find((tag) => !good.key.startsWith(tag)),
);
const json = (text: string): unknown => JSON.parse(text);
const facts = '{"authenticatedAt":null,"level":0}';

/** What is in the place of a record, and the reason that is to be told. */
const BROKEN: readonly (readonly [what: string, record: unknown, reason: RegExp])[] = [
  ["null", null, /no JSON object/],
  ["a number", 17, /no JSON object/],
  ["a text", PLANTED, /no JSON object/],
  ["a list", [good], /no JSON object/],
  ["an empty object", {}, /kind is missing/],
  ["no key", keyless, /^key is missing/],
  [
    "a key that is not one of ours",
    { ...good, key: PLANTED },
    /^key is missing or of a wrong form/,
  ],
  ["a key with something behind it", { ...good, key: `${good.key}\n` }, /^key/],
  ["a handle that is none", { ...good, handle: PLANTED }, /^handle/],
  ["a handle of another user's tag", { ...good, handle: mintHandle(otherTag) }, /belong together/],
  ["an owner of another tag", { ...good, owner: `${otherTag}.ada` }, /belong together/],
  ["an owner that is empty", { ...good, owner: "" }, /^owner/],
  ["an owner that is a number", { ...good, owner: 7 }, /^owner/],
  ["an owner of 2,000 characters", { ...good, owner: good.owner + "x".repeat(2_000) }, /^owner/],
  ["a kind that is not imported", { ...good, kind: PLANTED }, /of a kind that is not imported/],
  ["a kind that is none", { ...good, kind: null }, /^kind/],
  ["version 0", { ...good, version: 0 }, /^version/],
  ["version 1.5", { ...good, version: 1.5 }, /^version/],
  ["a date as a text", { ...good, createdAt: "2030-01-01T00:00:00Z" }, /^createdAt/],
  ["a negative date", { ...good, createdAt: -1 }, /^createdAt/],
  ["a date that is null", { ...good, expiresAt: null }, /^expiresAt/],
  ["a date beyond all integers", { ...good, absoluteExpiresAt: 1e300 }, /^absoluteExpiresAt/],
  [
    "createdAt in the future",
    { ...good, createdAt: now + CLOCKS_DIFFER_BY + 1, seenAt: now + CLOCKS_DIFFER_BY + 1 },
    /^createdAt is in the future/,
  ],
  ["seenAt in the future", { ...good, seenAt: now + CLOCKS_DIFFER_BY + 1 }, /^seenAt is in the/],
  ["seenAt before createdAt", { ...good, seenAt: now - 1 }, /^seenAt is before createdAt/],
  [
    "expiresAt after absoluteExpiresAt",
    { ...good, expiresAt: good.absoluteExpiresAt + 1 },
    /^expiresAt is after/,
  ],
  ["no payload", payloadless, /^payload is missing/],
  ["a payload that is an object", { ...good, payload: { data: PLANTED } }, /^payload/],
  ["a payload that nobody can read", { ...good, payload: PLANTED }, /payload cannot be read/],
  ["facts that are none", { ...good, payload: `{"level":"${PLANTED}"}\n{}` }, /cannot be read/],
  ["data that is no JSON", { ...good, payload: `${facts}\n{"a":"${PLANTED}` }, /cannot be read/],
  ["data that is no object", { ...good, payload: `${facts}\n"${PLANTED}"` }, /cannot be read/],
  [
    "a payload that other keys encrypted",
    { ...good, payload: `sealed1:${PLANTED}` },
    /cannot be read .*SOJOURN_KEY_UNKNOWN/,
  ],
  [
    "a field named __proto__",
    json(`{"__proto__":{"kind":"${PLANTED}"},${JSON.stringify(good).slice(1)}`),
    /a field that no record has/,
  ],
  [
    "fields that __proto__ would give",
    json(`{"__proto__":${JSON.stringify(good)}}`),
    /^kind is missing/,
  ],
  ["a field named constructor", { ...good, constructor: PLANTED }, /a field that no record has/],
  ["a tombstone", { ...good, ending: { why: "logout", at: now } }, /a field that no record has/],
  ["10 MB of data", { ...good, payload: `${facts}\n${"9".repeat(10_000_000)}` }, /too large/],
];

describe("[A-06] a broken record in a good snapshot", () => {
  test.for(BROKEN)(
    "[A-06] %s: refused with a reason, its neighbours restored",
    async ([, record, reason]) => {
      const { store, sessions } = world({ clock });
      const neighbours = [sessionRecord(clock), sessionRecord(clock)];
      const snapshot = snapshotWith([neighbours[0], record, neighbours[1]]);
      const result = await imported(sessions, snapshot);
      expect(result).toMatchObject({ records: 3, restored: 2, skipped: { invalid: 1 } });
      expect(result.failed).toEqual([
        {
          position: 2,
          handle: expect.toSatisfy(isHandleOrNull),
          reason: expect.stringMatching(reason),
        },
      ]);
      expect(await contents(store)).toEqual(inOrder(neighbours));
    },
  );

  test("[A-06] [A-11] [A-30] all of them at once: each told by an event with its reason, nothing of them is quoted, and the store is not asked about one", async () => {
    const { store, calls } = countingStore(memoryStore({ clock }));
    const { sessions, events, told } = world({ clock, store });
    const result = await imported(sessions, snapshotWith(BROKEN.map(([, record]) => record)));
    expect(result).toMatchObject({ records: BROKEN.length, restored: 0 });
    expect(told("restore-failed").map(({ reason }) => reason)).toEqual(
      BROKEN.map(([, , reason]) => expect.stringMatching(reason) as unknown),
    );
    expect(calls).toEqual([]);
    const shown = inspect([result, events], { depth: 20, maxStringLength: null });
    expect(shown).not.toContain(PLANTED);
    expect(shown).not.toContain(good.key);
    expect(shown).toContain(good.handle);
  });

  test("[A-06] lines that are no JSON at all: refused, and their neighbours restored", async () => {
    const { sessions } = world({ clock });
    const line = JSON.stringify(sessionRecord(clock));
    const snapshot = snapshotOfLines(['{"kind":"sess', "", line, "\0\0\0", "[".repeat(100_000)]);
    const result = await imported(sessions, snapshot);
    expect(result).toMatchObject({ records: 5, restored: 1, skipped: { invalid: 4 } });
  });

  test("[A-06] data named __proto__, and as deep as 10,000 lists, is data and comes back", async () => {
    const { store, sessions } = world({ clock });
    const deep = "[".repeat(10_000) + "]".repeat(10_000);
    const data = `{"__proto__":{"polluted":true},"constructor":1,"deep":${deep}}`;
    const record = { ...sessionRecord(clock), payload: `${facts}\n${data}` };
    expect(await imported(sessions, snapshotWith([record]))).toMatchObject({ restored: 1 });
    expect(await contents(store)).toEqual([record]);
    expect("polluted" in {}).toBe(false);
  });

  test("[A-06] clocks may differ: created 10 s ahead is restored, 1 ms more is not", async () => {
    const { sessions } = world({ clock });
    const ahead = (ms: number) =>
      sessionRecord(
        { now: () => now + ms },
        { expiresAt: now + HOUR, absoluteExpiresAt: now + HOUR },
      );
    const snapshot = snapshotWith([ahead(CLOCKS_DIFFER_BY), ahead(CLOCKS_DIFFER_BY + 1)]);
    expect(await imported(sessions, snapshot)).toMatchObject({
      restored: 1,
      skipped: { invalid: 1 },
    });
  });

  test.for(["x", "\u8a9e"])(
    "[A-06] the longest record of '%s' that is exported is restored",
    async (letter) => {
      const from = world({ clock });
      const [first, record] = [
        sessionRecord(clock, { data: "x".repeat(260_000) }),
        sessionRecord(clock),
      ];
      const room =
        LONGEST_RECORD - JSON.stringify({ ...record, payload: `${facts}\n{"a":""}` }).length;
      const longest = { ...record, payload: `${facts}\n{"a":"${letter.repeat(room)}"}` };
      await from.store.create(longest);
      await from.store.create({
        ...first,
        seenAt: now + 1,
        payload: `${facts}\n{"a":"${letter.repeat(260_000)}"}`,
      });
      const { bytes, lines } = await exported(from.sessions, { newestFirst: true });
      expect(lines).toHaveLength(3);
      const to = world({ clock });
      expect(await imported(to.sessions, bytes)).toMatchObject({ restored: 2 });
      expect((await contents(to.store)).some(({ payload }) => payload === longest.payload)).toBe(
        true,
      );
      const longer = { ...sessionRecord(clock), payload: `${longest.payload} ` };
      expect(await imported(to.sessions, snapshotWith([longer]))).toMatchObject({ restored: 0 });
    },
  );
});

const isHandleOrNull = (value: unknown): boolean =>
  value === null || (typeof value === "string" && parseHandle(value) !== null);
