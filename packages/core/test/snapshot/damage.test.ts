/** Snapshots that were altered: refused from there on, and nothing of what was altered is imported. */
import { hash, randomInt } from "node:crypto";
import { describe, expect, test } from "vitest";
import { KeyRing } from "../../src/keys/key-ring.ts";
import { KEY_ID_LENGTH } from "../../src/keys/key.ts";
import type { ImportResult } from "../../src/snapshot/types.ts";
import { segmentsOf } from "../../src/snapshot/read.ts";
import { fakeClock } from "../support/clock.ts";
import { failure, must, range, SECRET, world } from "../support/world.ts";
import {
  chunked,
  contents,
  exported,
  fill,
  imported,
  inOrder,
  sessionRecord,
  snapshotWith,
} from "./support.ts";

const clock = fakeClock();
const reading = { ring: new KeyRing([SECRET]), acceptPlain: false, read: () => {} };

/** What is read of a snapshot: a digest of each segment's lines, and the code of the error, if any. */
async function readingOf(snapshot: Buffer): Promise<{ segments: string[]; code: string | null }> {
  const segments: string[] = [];
  async function read(): Promise<null> {
    for await (const { lines } of segmentsOf(chunked(snapshot), reading))
      if (lines.length > 0) segments.push(`${lines.length} ${hash("sha256", lines.join("\n"))}`);
    return null;
  }
  const code = await read().catch((error: unknown) => (error as { code: string }).code);
  return { segments, code };
}

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = must(copy[at]) ^ (1 << randomInt(8));
  return copy;
}

/** A snapshot of so many records, with its segments. */
async function sample(count: number) {
  const from = world({ clock });
  const records = await fill(from.store, count, (index) => ({ user: `u${index % 10}` }));
  const { bytes, lines } = await exported(from.sessions);
  return { bytes, lines, records };
}

/** Imports what must be refused: the error, its result, and what is in the store then. */
async function refusal(snapshot: Buffer | string) {
  const { sessions, store, told } = world({ clock });
  const error = await failure(imported(sessions, snapshot));
  expect(error.code).toBe("SOJOURN_SNAPSHOT_INVALID");
  const result = error.details["result"] as ImportResult | null;
  return { error, result, stored: await contents(store), told: told("restore-failed") };
}

describe("[A-12] one changed bit", () => {
  test("[A-12] at every position of a small snapshot: refused, and nothing is imported", async () => {
    const { bytes } = await sample(2);
    for (const at of range(bytes.length)) {
      const { stored, told } = await refusal(flipped(bytes, at));
      const isInTheEnd = at > bytes.lastIndexOf('{"end"') - 1;
      if (!isInTheEnd) expect(stored, `position ${at}`).toEqual([]);
      expect(told.at(-1)).toMatchObject({ handle: null });
    }
  });

  test("[A-12] at 2,000 random positions of one with 3 segments: whole segments before it, and nothing else", async () => {
    const { bytes } = await sample(1_300);
    const ends = [...lineEnds(bytes)];
    const intact = await readingOf(bytes);
    expect(intact).toMatchObject({ segments: { length: 3 }, code: null });
    for (let turn = 0; turn < 2_000; turn++) {
      const at = randomInt(bytes.length);
      const { segments, code } = await readingOf(flipped(bytes, at));
      const wholeLines = ends.filter((end) => end <= at).length;
      expect(code, `position ${at}`).toBe("SOJOURN_SNAPSHOT_INVALID");
      expect(segments).toEqual(intact.segments.slice(0, Math.max(0, wholeLines - 1)));
    }
  });

  test("[A-12] an import restores the whole segments before it, says so, and the rest after a repair", async () => {
    const { bytes, records } = await sample(1_300);
    const { sessions, store } = world({ clock });
    const at = bytes.lastIndexOf('{"segment":3') + 60;
    const error = await failure(imported(sessions, flipped(bytes, at)));
    expect(error.details).toMatchObject({
      reason: expect.stringMatching(/damaged|unknown-key/) as unknown,
      line: 4,
      result: { records: 1_000, restored: 1_000 },
    });
    expect(await contents(store)).toHaveLength(1_000);
    expect(await imported(sessions, bytes)).toMatchObject({
      restored: 300,
      skipped: { duplicate: 1_000 },
    });
    expect(await contents(store)).toEqual(inOrder(records));
  });
});

/** The offsets behind each line's end. */
function* lineEnds(bytes: Buffer): Iterable<number> {
  for (let at = bytes.indexOf("\n"); at !== -1; at = bytes.indexOf("\n", at + 1)) yield at + 1;
}

describe("[A-12] what is missing, moved or added", () => {
  test("[A-12] cut off behind each line but the last: truncated, with the line that is missing", async () => {
    const { lines } = await sample(1_300);
    for (const kept of range(lines.length).slice(1)) {
      const cut = lines.slice(0, kept).map((line) => `${line}\n`);
      const { error, result, stored } = await refusal(cut.join(""));
      expect(error.details).toMatchObject({ reason: "truncated", line: kept + 1 });
      expect(error.message).toContain("its end is missing");
      expect(stored).toHaveLength([0, 0, 500, 1_000, 1_300][kept] ?? -1);
      expect(result?.restored).toBe(stored.length);
    }
  });

  test("[A-12] cut off at 300 random bytes: refused, and whole segments alone are read", async () => {
    const { bytes } = await sample(700);
    const intact = await readingOf(bytes);
    for (let turn = 0; turn < 300; turn++) {
      const { segments, code } = await readingOf(bytes.subarray(0, randomInt(bytes.length - 1)));
      expect(code).toBe("SOJOURN_SNAPSHOT_INVALID");
      expect(segments).toEqual(intact.segments.slice(0, segments.length));
    }
  });

  test("[A-12] without the line feed at its very end it is whole", async () => {
    const { bytes, records } = await sample(3);
    const { sessions, store } = world({ clock });
    await imported(sessions, bytes.subarray(0, -1));
    expect(await contents(store)).toEqual(inOrder(records));
  });

  test.for([
    ["two segments changed places", [0, 2, 1, 3, 4], 2, 0],
    ["a segment is missing", [0, 1, 3, 4], 3, 500],
    ["a segment is there twice", [0, 1, 1, 2, 3, 4], 3, 500],
    ["the end comes early", [0, 1, 4], 3, 500],
    ["something comes after the end", [0, 1, 2, 3, 4, 4], 6, 1_300],
    ["the header is there twice", [0, 0, 1, 2, 3, 4], 2, 0],
    ["the header is missing", [1, 2, 3, 4], 1, 0],
  ] as const)("[A-12] %s: refused from there on", async ([, order, line, restored]) => {
    const { lines } = await sample(1_300);
    const { error, stored } = await refusal(order.map((at) => must(lines[at])).join("\n"));
    expect(error.details).toMatchObject({ line });
    expect(stored).toHaveLength(restored);
  });

  test("[A-12] a segment of another snapshot with the same keys is refused", async () => {
    const [one, other] = [await sample(600), await sample(600)];
    for (const at of [1, 2, 3]) {
      const { stored } = await refusal(one.lines.with(at, must(other.lines[at])).join("\n"));
      expect(stored).toHaveLength([0, 0, 500, 600][at] ?? -1);
    }
  });

  test("[A-12] [A-11] a header that was altered, in any field, lets nothing in", async () => {
    const { lines } = await sample(1);
    const header = JSON.parse(must(lines[0])) as object;
    const altered = {
      id: "BBBBBBBBBBBBBBBBBBBBBB",
      createdAt: 1,
      newestFirst: true,
      kinds: ["session", "other"],
      extra: 1,
    };
    for (const [name, value] of Object.entries(altered)) {
      const text = JSON.stringify({ ...header, [name]: value });
      const { error, stored } = await refusal(lines.with(0, text).join("\n"));
      expect(error.details, name).toMatchObject({ reason: "damaged", line: 2 });
      expect(stored).toEqual([]);
    }
  });

  test("[A-12] a seal has one form: spaces, other orders and other numbers are refused", async () => {
    const { lines } = await sample(1);
    const seal = must(lines[1]);
    const { segment, records, sealed } = JSON.parse(seal) as Record<string, unknown>;
    const others = [
      ` ${seal}`,
      `${seal} `,
      JSON.stringify({ records, segment, sealed }),
      JSON.stringify({ segment, records, sealed, extra: 1 }),
      JSON.stringify({ segment, records: 2, sealed }),
      JSON.stringify({ segment: 2, records, sealed }),
      JSON.stringify({ segment, records, sealed: `${String(sealed)}=` }),
      JSON.stringify({ segment: "1", records, sealed }),
      JSON.stringify({ segment, records, digest: sealed }),
    ];
    for (const other of others) {
      const { error, stored } = await refusal(lines.with(1, other).join("\n"));
      expect(error.details, other.slice(0, 40)).toMatchObject({ reason: "damaged", line: 2 });
      expect(stored).toEqual([]);
    }
  });
});

describe("[A-12] secrets", () => {
  test("[A-12] none of 50 planted secrets is in it, in any form; plain, all of them are", async () => {
    const { store, sessions } = world({ clock });
    const planted = range(50).map((index) => `planted secret number ${index}!`);
    await fill(store, 50, (index) => ({
      user: `who-${index}@example.com`,
      data: { secret: planted[index] },
    }));
    for (const compress of [false, true]) {
      const text = (await exported(sessions, { compress })).bytes.toString("latin1");
      const forms = planted.flatMap((secret) => [
        secret,
        Buffer.from(secret).toString("hex"),
        ...range(3).map((skip) =>
          Buffer.from(secret)
            .subarray(skip, skip + 24)
            .toString("base64url"),
        ),
      ]);
      expect(forms.filter((form) => text.includes(form))).toEqual([]);
      expect(text).not.toContain("example.com");
    }
    const plain = (await exported(sessions, { encrypt: false })).bytes.toString();
    expect(planted.filter((secret) => plain.includes(secret))).toHaveLength(50);
  });

  test("[A-12] the salt of 10,000 seals, from which key and nonce are derived, is never the same", async () => {
    const snapshots = range(5_000).map(() => snapshotWith([{}]));
    const salts = snapshots.flatMap((snapshot) =>
      [...snapshot.toString().matchAll(/"sealed":"([^"]+)"/g)].map(([, sealed]) =>
        Buffer.from(must(sealed).slice(KEY_ID_LENGTH), "base64url").subarray(0, 32).toString("hex"),
      ),
    );
    expect(salts).toHaveLength(10_000);
    expect(new Set(salts).size).toBe(10_000);
  });

  test("[A-12] two exports of one store have nothing in common but what the header says", async () => {
    const { store, sessions } = world({ clock });
    await fill(store, 1);
    const [one, other] = [await exported(sessions), await exported(sessions)];
    expect(one.result.snapshot).not.toBe(other.result.snapshot);
    expect(one.lines[1]?.slice(60)).not.toBe(other.lines[1]?.slice(60));
  });
});

test("[A-12] a plain snapshot in which one record was altered is refused, even where plain ones are taken", async () => {
  const { sessions, store } = world({ clock });
  const plain = snapshotWith([sessionRecord(clock, { user: "ada" })], { secret: null }).toString();
  const work = imported(sessions, plain.replace(".ada", ".eve"), { acceptPlain: true });
  expect((await failure(work)).details).toMatchObject({ reason: "damaged", line: 3 });
  expect(await contents(store)).toEqual([]);
});
