/** D-09: whatever the bytes of the file are, it opens or refuses in words, and no byte is lost. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { crc32 } from "node:zlib";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { isSojournError } from "@sojourn/core/store";
import { namesIn, newPath, storeAt } from "./support/place.ts";
import { LOGOUT, recordOf, refOf } from "./support/records.ts";

/** Opens `bytes` as a file and closes it; fails when a byte of them is in no file afterwards. */
async function openBytes(path: string, bytes: Uint8Array): Promise<string> {
  const directory = dirname(path);
  for (const name of namesIn(directory)) rmSync(join(directory, name));
  writeFileSync(path, bytes);
  const store = storeAt(path, { onWarning: () => {}, durability: "write" });
  const outcome = await store.open().then(
    () => "opened",
    (error: unknown) => {
      if (!isSojournError(error)) throw error;
      return error.code;
    },
  );
  await store.close();
  const after = namesIn(directory);
  const torn = after.find((name) => name.includes(".torn-"));
  const kept = [readFileSync(path), torn ? readFileSync(join(directory, torn)) : Buffer.alloc(0)];
  const original = after.some((name) => name.endsWith(".v0.bak"))
    ? readFileSync(`${path}.v0.bak`)
    : Buffer.concat(kept);
  expect(bytes.length === 0 || original.equals(bytes), "every byte is kept").toBe(true);
  return outcome;
}

function framed(json: string): string {
  return `${crc32(json).toString(16).padStart(8, "0")} ${json}\n`;
}

async function sample(): Promise<{ path: string; bytes: Buffer }> {
  const path = newPath();
  const store = storeAt(path);
  for (const name of ["one", "two", "three"]) await store.create(recordOf(name));
  await store.end(refOf("two"), LOGOUT);
  await store.consume(refOf("three"));
  await store.endAll("session", { why: "revoked", at: 1 });
  await store.create(recordOf("four"));
  await store.close();
  return { path, bytes: readFileSync(path) };
}

const OUTCOMES = ["opened", "SOJOURN_STORE_CORRUPT", "SOJOURN_STORE_NEWER_FORMAT"];

test("D-09 400 damaged copies of a real file", { timeout: 60_000 }, async () => {
  const { path, bytes } = await sample();
  const seen = new Set<string>();
  const damage = fc.record({
    at: fc.nat(bytes.length),
    remove: fc.oneof(fc.constant(0), fc.constant(1), fc.nat(200)),
    insert: fc.oneof(fc.constant(new Uint8Array(0)), fc.uint8Array({ maxLength: 40 })),
    cut: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(damage, { minLength: 1, maxLength: 3 }), async (damages) => {
      let changed = bytes;
      for (const { at, remove, insert, cut } of damages) {
        const tail = cut ? Buffer.alloc(0) : changed.subarray(at + remove);
        changed = Buffer.concat([changed.subarray(0, at), insert, tail]);
      }
      const outcome = await openBytes(path, changed);
      seen.add(outcome);
      expect(OUTCOMES).toContain(outcome);
    }),
    { numRuns: 400 },
  );
  expect([...seen]).toEqual(expect.arrayContaining(["opened", "SOJOURN_STORE_CORRUPT"]));
});

test(
  "D-09 300 files of random bytes, lines and JSON, checksums right",
  { timeout: 60_000 },
  async () => {
    const path = newPath();
    const header = '{"format":"sojourn-file","version":1,"createdAt":1}\n';
    const number = fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }));
    const text = fc.oneof(fc.string(), fc.constantFrom("__proto__", "constructor", "session"));
    const record = fc.record({
      kind: text,
      key: text,
      handle: text,
      owner: fc.option(text),
      payload: text,
      version: number,
      createdAt: number,
      seenAt: number,
      expiresAt: number,
      absoluteExpiresAt: number,
    });
    const ending = fc.record({ why: fc.constantFrom("logout", "idle"), at: number });
    const effect = fc.oneof(
      fc.record({ put: record }),
      fc.record({ drop: fc.record({ kind: text, key: text }) }),
      fc.record({ endAll: fc.record({ kind: text, ending }) }),
      fc.record({ touch: fc.record({ kind: text, key: text, seenAt: number, expiresAt: number }) }),
      fc.json().map((json) => JSON.parse(json) as unknown),
    );
    const line = fc
      .array(effect, { maxLength: 3 })
      .map((effects) => framed(JSON.stringify(effects)));
    const file = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.array(line, { maxLength: 5 }).map((lines) => Buffer.from(header + lines.join(""))),
      fc.json().map((json) => Buffer.from(json)),
    );
    await fc.assert(
      fc.asyncProperty(file, async (bytes) => {
        expect(OUTCOMES).toContain(await openBytes(path, bytes));
      }),
      { numRuns: 300 },
    );
  },
);
