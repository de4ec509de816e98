/** Files of the file store with something wrong in them: read, or refused, and no byte of them lost. */
// oxlint-disable vitest/no-standalone-expect -- fuzz() makes the tests
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { RecordTable } from "@sojourn/core/store";
import { fileStore } from "@sojourn/store-file";
import * as fc from "fast-check";
import { afterAll, describe, expect } from "vitest";
import { load } from "../../packages/store-file/src/load.ts";
import {
  HandClock,
  LOGOUT,
  recordOf,
  refOf,
} from "../../packages/store-file/test/support/records.ts";
import { codeOf } from "./support/answer.ts";
import { anyText, anyValue, damagedBytes, spoiled } from "./support/damage.ts";
import { fuzz } from "./support/runs.ts";

const CODES = [null, "SOJOURN_STORE_CORRUPT", "SOJOURN_STORE_NEWER_FORMAT"];
const directory = mkdtempSync(join(tmpdir(), "sojourn-fuzz-"));
const path = join(directory, "sessions.sojourn");
const clock = new HandClock();
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function open(onCorrupt: "refuse" | "set-aside" = "refuse") {
  const silent = { onWarning: () => {}, durability: "write" } as const;
  return fileStore({ path, clock, onCorrupt, ...silent });
}

/** The bytes of a file that a store wrote. */
async function sample(): Promise<Buffer> {
  const store = open();
  for (const name of ["one", "two", "three", "__proto__"]) await store.create(recordOf(name));
  await store.end(refOf("two"), LOGOUT);
  await store.consume(refOf("three"));
  await store.touch(refOf("one"), 2, 3);
  await store.endAll("session", { why: "revoked", at: 1 });
  await store.create(recordOf("four"));
  await store.close();
  return readFileSync(path);
}
const written = sample();

const HEADER = '{"format":"sojourn-file","version":1,"createdAt":1}\n';
const text = (value: unknown): string =>
  JSON.stringify(value, (_, item: unknown) => (typeof item === "bigint" ? 1 : item)) ?? "null";
const framed = (json: string): string => `${crc32(json).toString(16).padStart(8, "0")} ${json}\n`;
const record = { ...recordOf("five") };
const end = {
  kind: "session",
  key: record.key,
  handle: record.handle,
  owner: null,
  createdAt: 1,
  expiresAt: 2,
  ending: LOGOUT,
};
const at = { kind: "session", key: record.key };
const effect = fc.oneof(
  spoiled(record).map((put) => ({ put })),
  spoiled(end).map((bad) => ({ end: bad })),
  spoiled({ ...at, seenAt: 1, expiresAt: 2 }).map((touch) => ({ touch })),
  spoiled(at).map((drop) => ({ drop })),
  spoiled({ kind: "session", ending: LOGOUT }).map((endAll) => ({ endAll })),
  anyValue,
);
/** Lines whose checksum is right, whatever they say. */
const forged = fc
  .array(fc.array(effect, { maxLength: 3 }), { maxLength: 4 })
  .map((lines) => Buffer.from(HEADER + lines.map((line) => framed(text(line))).join("")));
const header = spoiled({ format: "sojourn-file", version: 1, createdAt: 1 });
const files = async (): Promise<fc.Arbitrary<Buffer>> =>
  fc.oneof(
    { weight: 4, arbitrary: damagedBytes(await written) },
    { weight: 3, arbitrary: forged },
    { weight: 1, arbitrary: forged.chain(damagedBytes) },
    { weight: 1, arbitrary: header.map((bad) => Buffer.from(`${text(bad)}\n`)) },
    { weight: 1, arbitrary: anyText.map((bad) => Buffer.from(bad)) },
  );

/** As much of an open file as {@link load} asks for. */
function inMemory(bytes: Buffer): FileHandle {
  const read = async (into: Buffer, offset: number, length: number, position: number) => ({
    bytesRead: bytes.copy(into, offset, position, Math.min(bytes.length, position + length)),
  });
  return { read } as FileHandle;
}

describe("[D-09] a file of the file store", () => {
  fuzz("[D-09] any bytes: replayed, or refused in words", files, async (bytes) => {
    const table = new RecordTable({ clock, maxRecords: 10_000 });
    const code = await codeOf(async () => {
      const loaded = await load(inMemory(bytes), path, table, clock.now());
      if (loaded.status === "foreign") return;
      expect(loaded.length + loaded.tornBytes).toBe(bytes.length);
      for (const kind of loaded.kinds) table.count(kind);
    });
    expect(CODES).toContain(code);
    expect("polluted" in {}).toBe(false);
  });

  for (const onCorrupt of ["refuse", "set-aside"] as const) {
    fuzz(
      `[D-09] any bytes on the disk, onCorrupt: '${onCorrupt}': every byte is kept`,
      files,
      async (bytes) => {
        for (const name of readdirSync(directory)) rmSync(join(directory, name));
        writeFileSync(path, bytes);
        const store = open(onCorrupt);
        const code = await codeOf(() => store.open?.());
        await store.close();
        expect(CODES).toContain(code);
        const kept = readdirSync(directory).toSorted();
        const find = (word: string): Buffer => {
          const name = kept.find((one) => one.includes(word));
          return name === undefined ? Buffer.alloc(0) : readFileSync(join(directory, name));
        };
        const now = readFileSync(path);
        const candidates = [
          now,
          Buffer.concat([now, find(".torn-")]),
          find(".corrupt-"),
          find(".bak"),
        ];
        const isKept = bytes.length === 0 || candidates.some((one) => one.equals(bytes));
        expect(isKept, "every byte is kept").toBe(true);
        if (code !== null) expect(kept).toEqual(["sessions.sojourn"]);
      },
      { oneIn: 40 },
    );
  }
});
