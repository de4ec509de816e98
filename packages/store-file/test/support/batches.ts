/** Files of batches, damaged copies of them, and what opening a copy comes to. */
import { readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { expect } from "vitest";
import type { OpenReport } from "../../src/index.ts";
import { TestDisk } from "./disk.ts";
import { aliveAfterRestart, linesIn, namesIn, newPath, storeAt } from "./place.ts";
import { recordOf } from "./records.ts";

const LF = 0x0a;

/** A file of batches, with the place of every line. */
export interface Written {
  readonly path: string;
  readonly bytes: Buffer;
  /** Where each line begins, the header at 0; then the length. */
  readonly starts: readonly number[];
}

function startsOf(bytes: Buffer): number[] {
  const starts = [0];
  for (let at = bytes.indexOf(LF); at !== -1; at = bytes.indexOf(LF, at + 1)) starts.push(at + 1);
  return starts;
}

/** The file at `path` as it is. */
export function written(path: string): Written {
  const bytes = readFileSync(path);
  return { path, bytes, starts: startsOf(bytes) };
}

/** What stands after each checksum: `+` where a batch begins. */
export function marksIn(path: string): string {
  const lines = linesIn(path).slice(1);
  return lines.map((line) => line.charAt(8)).join("");
}

/** A closed store's file: each list of names is one batch. */
export async function batches(...all: readonly (readonly string[])[]): Promise<Written> {
  const path = newPath();
  const disk = new TestDisk();
  const store = storeAt(path, { durability: "write" }, disk.wrap);
  await store.open();
  for (const batch of all) {
    disk.room = 0; // what waits for space is one batch
    const create = (name: string): Promise<unknown> =>
      store.create(recordOf(name, { owner: null }));
    await Promise.allSettled(batch.map(create));
    disk.room = Infinity;
    await store.flush();
  }
  await store.close();
  const expected = all.map((batch) => "+".padEnd(batch.length)).join("");
  expect(marksIn(path)).toBe(`+${expected}`);
  return written(path);
}

/** A copy with `replacement` from `at` on. */
export function over(bytes: Buffer, at: number, replacement: Uint8Array): Buffer {
  const damaged = Buffer.from(bytes);
  damaged.set(replacement, at);
  return damaged;
}

/** What a machine finds that was switched on again. */
export async function opened(
  path: string,
  bytes: Buffer,
  wanted: readonly string[],
): Promise<string[]> {
  writeFileSync(path, bytes);
  const reports: OpenReport[] = [];
  const store = storeAt(path, { onWarning: () => {}, onOpen: (report) => reports.push(report) });
  await store.open();
  const alive = await aliveAfterRestart(store, path, wanted);
  const kept = readFileSync(path);
  const torn = bytes.subarray(kept.length);
  expect(kept).toEqual(bytes.subarray(0, kept.length));
  expect(reports).toMatchObject([{ records: alive.length, tornBytes: torn.length }]);
  if (torn.length > 0) {
    const prefix = `${basename(path)}.torn-`;
    const aside = namesIn(dirname(path)).filter((name) => name.startsWith(prefix));
    const tails = aside.map((name) => readFileSync(join(dirname(path), name)));
    expect(tails.some((tail) => tail.equals(torn))).toBe(true);
  }
  return alive;
}

/** Opening is refused as corruption at the place in `details`, and nothing is changed. */
export async function expectRefused(path: string, bytes: Buffer, details: object): Promise<void> {
  writeFileSync(path, bytes);
  await expect(storeAt(path).open()).rejects.toMatchObject({
    code: "SOJOURN_STORE_CORRUPT",
    details,
  });
  expect(readFileSync(path)).toEqual(bytes);
  expect(namesIn(dirname(path)).filter((name) => name.includes(".torn-"))).toEqual([]);
}
