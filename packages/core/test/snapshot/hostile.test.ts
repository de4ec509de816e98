/** Things that are no snapshot of ours, or one that somebody made to do harm: refused in words, at little cost. */
import { deflateRawSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { KeyRing } from "../../src/keys/key-ring.ts";
import { Chain } from "../../src/snapshot/chain.ts";
import { contextOf, LONGEST_SEGMENT } from "../../src/snapshot/format.ts";
import { PURPOSE } from "../../src/snapshot/read.ts";
import type { ImportOptions } from "../../src/snapshot/types.ts";
import { fakeClock } from "../support/clock.ts";
import { failure, must, range, SECRET, world } from "../support/world.ts";
import {
  chunked,
  contents,
  exported,
  fill,
  heapMb,
  imported,
  inOrder,
  sessionRecord,
  snapshotOfLines,
  snapshotWith,
} from "./support.ts";

const clock = fakeClock();
const good = snapshotWith([sessionRecord(clock)]);
const [header = "", segment = "", end = ""] = good.toString().split("\n");

/** The reason and the line of a refusal, after which nothing is in the store. */
async function refused(
  snapshot: Buffer | string | AsyncIterable<Uint8Array | string>,
  options?: ImportOptions,
): Promise<{ reason: unknown; line: unknown; message: string }> {
  const { sessions, store, told } = world({ clock });
  const isWhole = typeof snapshot === "string" || Buffer.isBuffer(snapshot);
  const error = await failure(sessions.import(isWhole ? chunked(snapshot) : snapshot, options));
  const { reason, line } = error.details;
  expect(error.code).toBe("SOJOURN_SNAPSHOT_INVALID");
  expect(error.message).toContain(String(reason));
  expect(told("restore-failed")).toMatchObject([{ handle: null, reason }]);
  expect(await contents(store)).toEqual([]);
  return { reason, line, message: error.message };
}

const changed = (changes: object): string =>
  JSON.stringify({ ...(JSON.parse(header) as object), ...changes });

const NO_SNAPSHOTS: readonly (readonly [what: string, bytes: Buffer | string])[] = [
  ["nothing", ""],
  ["one line feed", "\n"],
  ["line feeds", "\n".repeat(1_000)],
  ["zeros", Buffer.alloc(10_000)],
  ["bytes that are no text", Buffer.from(range(4_096).map((index) => (index * 151) % 256))],
  ["a gzipped snapshot", gzipSync(good)],
  ["a web page", "<!doctype html>\n<title>404</title>\n"],
  ["JSON that is something else", '{"version":1,"sessions":[]}\n'],
  ["a JSON text", '"sojourn"\n'],
  ["JSON null", "null\n"],
  ["a list", `[${header}]\n`],
  ["a snapshot behind a byte order mark", `\uFEFF${good.toString()}`],
  ["a snapshot behind an empty line", `\n${good.toString()}`],
  ["a snapshot in UTF-16", Buffer.from(good.toString(), "utf16le")],
  ["a header without a version", changed({ version: undefined })],
  ["version 0", changed({ version: 0 })],
  ["version 1.5", changed({ version: 1.5 })],
  ["version '1'", changed({ version: "1" })],
  ["an id that would forge a line in a log", changed({ id: "x\n2030-01-01 admin logged in" })],
  ["an id of 1 MB", changed({ id: "A".repeat(1_000_000) })],
  ["a time that is none", changed({ createdAt: "now" })],
  ["encrypted: 'no'", changed({ encrypted: "no" })],
  ["kinds that are none", changed({ kinds: [{}] })],
  ["kinds that are missing", changed({ kinds: undefined })],
];

describe("[A-12] what is no snapshot", () => {
  test.for(NO_SNAPSHOTS)("[A-12] %s: not-a-snapshot, line 1", async ([, bytes]) => {
    expect(await refused(bytes)).toMatchObject({ reason: "not-a-snapshot", line: 1 });
  });

  test("[A-12] with Windows line ends: damaged, from line 2 on", async () => {
    const { reason, line } = await refused(good.toString().replaceAll("\n", "\r\n"));
    expect({ reason, line }).toEqual({ reason: "damaged", line: 2 });
  });

  test("[A-12] NUL bytes, as a disk leaves after a power cut, in place of the end: damaged", async () => {
    const { sessions, store } = world({ clock });
    const lines = [header, segment, "\0".repeat(4_096)];
    const error = await failure(imported(sessions, lines.join("\n")));
    expect(error.details).toMatchObject({ reason: "damaged", line: 3 });
    expect(await contents(store)).toHaveLength(1);
  });
});

describe("[A-12] what is not encrypted", () => {
  const plain = snapshotWith([sessionRecord(clock, { user: "ada" })], { secret: null });

  test("[A-12] a plain snapshot is refused without acceptPlain, and taken with it", async () => {
    const { reason, line, message } = await refused(plain);
    expect({ reason, line }).toEqual({ reason: "plain", line: 1 });
    expect(message).toContain("acceptPlain");
    const { sessions } = world({ clock });
    expect(await imported(sessions, plain, { acceptPlain: true })).toMatchObject({ restored: 1 });
  });

  test("[A-12] an encrypted one whose header says plain gives nothing", async () => {
    const lines = [changed({ encrypted: false }), segment, end].join("\n");
    expect(await refused(lines)).toMatchObject({ reason: "plain" });
    expect(await refused(lines, { acceptPlain: true })).toMatchObject({ reason: "damaged" });
  });

  test("[A-12] a plain one whose header says encrypted gives nothing", async () => {
    const lines = plain.toString().replace('"encrypted":false', '"encrypted":true');
    expect(await refused(lines)).toMatchObject({ reason: "damaged", line: 2 });
  });

  test("[A-12] plain records between the segments of an encrypted one are refused", async () => {
    const line = JSON.stringify(sessionRecord(clock, { user: "admin" }));
    for (const lines of [
      [header, line, segment, end],
      [header, line, end],
    ])
      expect(await refused(lines.join("\n"))).toMatchObject({ reason: "damaged", line: 2 });
  });
});

describe("[A-12] what is too much", () => {
  test("[A-12] a line of 100 MB: too-large, after little more than the longest line, with bounded memory", async () => {
    let given = 0;
    async function* endless(): AsyncIterable<Uint8Array> {
      const chunk = Buffer.alloc(65_536, "A");
      yield Buffer.from(`${header}\n{"segment":1,"records":1,"sealed":"`);
      for (; given < 100_000_000; given += chunk.length) yield chunk;
    }
    const before = heapMb();
    expect(await refused(endless())).toMatchObject({ reason: "too-large", line: 2 });
    expect(given).toBeLessThan(LONGEST_SEGMENT + 200_000);
    expect(heapMb() - before).toBeLessThan(50);
  });

  test("[A-12] such a line as the first one, in one piece, or as a record of a plain one: too-large", async () => {
    const long = "A".repeat(LONGEST_SEGMENT + 1);
    expect(await refused(long)).toMatchObject({ reason: "too-large", line: 1 });
    async function* whole(): AsyncIterable<string> {
      yield `${header}\n${long}\n${end}\n`;
    }
    expect(await refused(whole())).toMatchObject({ reason: "too-large", line: 2 });
    const plain = `${changed({ encrypted: false })}\n${long}`;
    expect(await refused(plain, { acceptPlain: true })).toMatchObject({ reason: "too-large" });
  });

  test("[A-12] a plain one that never comes to a seal: too-large, whatever the length of its lines", async () => {
    const line = `${"A".repeat(99_999)}\n`;
    async function* endless(): AsyncIterable<string> {
      yield `${changed({ encrypted: false })}\n`;
      for (let index = 0; index < 1_000; index++) yield line;
    }
    const { reason } = await refused(endless(), { acceptPlain: true });
    expect(reason).toBe("too-large");
  });

  test("[A-12] a segment that inflates to 1 GB: damaged, in a second at most, though the key is right", async () => {
    const bomb = deflateRawSync(Buffer.alloc(1_000_000_000), { level: 9 });
    const chain = new Chain();
    chain.add(header);
    const context = contextOf({ segment: 1, segments: 1, records: 1, before: chain.digest() });
    const { newest } = new KeyRing([SECRET]);
    const bytes = newest.seal(PURPOSE, Buffer.concat([Buffer.from([1]), bomb]), context);
    const sealed = newest.kid + Buffer.from(bytes).toString("base64url");
    const lines = [header, JSON.stringify({ segment: 1, records: 1, sealed }), end];
    const began = performance.now();
    expect(await refused(lines.join("\n"))).toMatchObject({ reason: "damaged", line: 2 });
    expect(performance.now() - began).toBeLessThan(1_000);
  }, 60_000);

  test("[A-12] nesting of a million levels, in the header, a seal and a record, breaks nothing", async () => {
    const deep = "[".repeat(1_000_000);
    expect(await refused(`{"snapshot":${deep}`)).toMatchObject({ reason: "not-a-snapshot" });
    expect(await refused(`${header}\n{"segment":${deep}`)).toMatchObject({ reason: "damaged" });
    const { sessions } = world({ clock });
    const closed = `{"kind":${deep}${"]".repeat(1_000_000)}}`;
    const result = await imported(sessions, snapshotOfLines([closed, deep]));
    expect(result).toMatchObject({ records: 2, skipped: { invalid: 2 } });
  });

  test.for([true, false])(
    "[A-12] one byte at a time it is the same snapshot, encrypted: %s",
    async (encrypt) => {
      const from = world({ clock });
      const records = await fill(from.store, 20, () => ({ data: { word: "caf\u00e9 \u{1f600}" } }));
      const { bytes } = await exported(from.sessions, { encrypt });
      const { sessions, store } = world({ clock });
      await sessions.import(chunked(bytes, 1), { acceptPlain: true });
      expect(await contents(store)).toEqual(inOrder(records));
    },
  );

  test("[A-12] half a character behind the end: damaged", async () => {
    const { sessions } = world({ clock });
    const error = await failure(imported(sessions, Buffer.concat([good, Buffer.from([0xc3])])));
    expect(error.details).toMatchObject({ reason: "damaged", line: 4, result: { restored: 1 } });
  });

  test("[A-12] as text it is the same snapshot, in pieces that end anywhere", async () => {
    const { sessions } = world({ clock });
    async function* pieces(): AsyncIterable<string> {
      for (const letter of good.toString()) yield letter;
    }
    expect(await sessions.import(pieces())).toMatchObject({ restored: 1 });
  });
});

test("[A-12] [A-11] no refusal quotes what it refuses", async () => {
  const planted = "planted-in-a-snapshot";
  for (const lines of [
    planted,
    changed({ version: 7, id: planted }),
    `${header}\n${planted}`,
    `${header}\n{"segment":1,"records":1,"sealed":"${planted}"}`,
  ]) {
    const { sessions, events } = world({ clock });
    const error = await failure(imported(sessions, lines));
    expect(JSON.stringify([error.message, error.details, events])).not.toContain(planted);
    expect(String(error.stack)).not.toContain(planted);
    expect(error.cause).toBeUndefined();
  }
  expect(must(header)).toContain("sojourn");
});
