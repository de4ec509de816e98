/** D-04, D-09: files that are damaged, old or too new. What was in them is never lost. */
import { readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { crc32 } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { OpenReport } from "../src/index.ts";
import { linesIn, namesIn, newPath, storeAt } from "./support/place.ts";
import { LOGOUT, START, recordOf, refOf } from "./support/records.ts";

/** A closed store's file with `names` in it. */
async function fileWith(...names: string[]): Promise<{ path: string; bytes: Buffer }> {
  const path = newPath();
  const store = storeAt(path);
  for (const name of names) await store.create(recordOf(name));
  await store.close();
  return { path, bytes: readFileSync(path) };
}

const setAside = (path: string, word: string): string[] =>
  namesIn(dirname(path)).filter((name) => name.startsWith(`${basename(path)}.${word}-`));

/** Where a line begins, from 1. */
function startOfLine(bytes: Buffer, line: number): number {
  let start = 0;
  for (let at = 1; at < line; at += 1) start = bytes.indexOf("\n", start) + 1;
  return start;
}

function flip(bytes: Buffer, at: number): Buffer {
  const changed = Buffer.from(bytes);
  changed[at] = (changed[at] ?? 0) ^ 0x01;
  return changed;
}

describe("D-09 T-FILE3 a torn tail", () => {
  test("D-09 cut at every byte of the last line: opens, keeps the tail aside, loses only that line", async () => {
    const { path, bytes } = await fileWith("one", "two");
    const lastLine = bytes.lastIndexOf("\n", bytes.length - 2) + 1;
    for (let cut = lastLine + 1; cut < bytes.length; cut += 1) {
      writeFileSync(path, bytes.subarray(0, cut));
      const warnings: string[] = [];
      const reports: OpenReport[] = [];
      const store = storeAt(path, {
        onWarning: (warning) => warnings.push(warning),
        onOpen: (report) => reports.push(report),
      });
      expect(await store.read(refOf("one"))).not.toBeNull();
      expect(await store.read(refOf("two"))).toBeNull();
      expect(reports).toEqual([
        { records: 1, dropped: 0, tornBytes: cut - lastLine, migratedFrom: null },
      ]);
      expect(warnings).toHaveLength(1);
      await store.close();
      expect(readFileSync(path)).toEqual(bytes.subarray(0, lastLine));
    }
    const kept = setAside(path, "torn");
    expect(kept).toHaveLength(bytes.length - lastLine - 1);
    const tails = kept.map((name) => readFileSync(join(dirname(path), name), "utf8"));
    const expected = Array.from(tails, (_, index) =>
      bytes.subarray(lastLine, lastLine + index + 1).toString(),
    );
    expect(new Set(tails)).toEqual(new Set(expected));
  });

  test("D-09 a flipped bit anywhere in the last line never yields a changed record", async () => {
    const { path, bytes } = await fileWith("one", "two");
    const lastLine = bytes.lastIndexOf("\n", bytes.length - 2) + 1;
    for (let at = lastLine; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 0x04;
      writeFileSync(path, changed);
      const store = storeAt(path, { onWarning: () => {} });
      expect(await store.read(refOf("one"))).toEqual(recordOf("one"));
      expect(await store.read(refOf("two"))).toBeNull();
      await store.close();
    }
  });

  test("D-09 a tail of zeros longer than a line may be is a torn tail too", async () => {
    const { path, bytes } = await fileWith("one");
    writeFileSync(path, Buffer.concat([bytes, Buffer.alloc(17 * 1024 * 1024)]));
    const store = storeAt(path, { onWarning: () => {} });
    expect(await store.read(refOf("one"))).not.toBeNull();
    await store.close();
    expect(readFileSync(path)).toEqual(bytes);
  });

  test("goes on after the cut as if nothing had been", async () => {
    const { path, bytes } = await fileWith("one", "two");
    writeFileSync(path, bytes.subarray(0, -3));
    const store = storeAt(path, { onWarning: () => {} });
    await store.create(recordOf("three"));
    await store.close();
    const again = storeAt(path);
    expect(await again.read(refOf("three"))).toEqual(recordOf("three"));
  });
});

describe("D-09 corruption", () => {
  test("D-09 a flipped bit in the middle: refuses with line and byte, file untouched", async () => {
    const { path, bytes } = await fileWith("one", "two", "three");
    const third = startOfLine(bytes, 3);
    for (let at = third; at < startOfLine(bytes, 4); at += 7) {
      const damaged = flip(bytes, at);
      writeFileSync(path, damaged);
      const store = storeAt(path);
      await expect(store.open()).rejects.toMatchObject({
        code: "SOJOURN_STORE_CORRUPT",
        details: { path, line: 3, offset: third },
        message: expect.stringContaining(`line 3, byte ${third}`) as string,
      });
      await expect(store.create(recordOf("x"))).rejects.toMatchObject({
        code: "SOJOURN_STORE_CORRUPT",
      });
      await store.close();
      expect(readFileSync(path)).toEqual(damaged);
      expect(namesIn(dirname(path))).toEqual([basename(path)]);
    }
  });

  test.each([
    ["text", Buffer.from("hello\nworld\n")],
    ["zeros", Buffer.alloc(4_096)],
    ["half a header", Buffer.from('{"format":"soj')],
    ["a header without LF", Buffer.from('{"format":"sojourn-file","version":1,"createdAt":1}')],
    ["a foreign header", Buffer.from('{"format":"other","version":1,"createdAt":1}\n')],
    [
      "an unknown field",
      Buffer.from('{"format":"sojourn-file","version":1,"createdAt":1,"x":1}\n'),
    ],
    ["version 0 with a broken record", Buffer.from('{"version":0,"records":[{}]}')],
    ["JSON", Buffer.from("[]")],
    [
      "a byte order mark",
      Buffer.from('\ufeff{"format":"sojourn-file","version":1,"createdAt":1}\n'),
    ],
  ])("D-09 %s instead of a header: refuses, file untouched", async (_what, bytes) => {
    const path = newPath();
    writeFileSync(path, bytes);
    await expect(storeAt(path).open()).rejects.toMatchObject({
      code: "SOJOURN_STORE_CORRUPT",
      details: { line: 1, offset: 0 },
    });
    expect(readFileSync(path)).toEqual(bytes);
    expect(namesIn(dirname(path))).toEqual([basename(path)]);
  });

  test.each([
    ["an unknown effect", '[{"rename":{}}]'],
    ["an unknown field", JSON.stringify([{ put: { ...recordOf("x"), extra: 1 } }])],
    ["a missing field", '[{"put":{"kind":"session"}}]'],
    ["an unknown ending", JSON.stringify([{ endAll: { kind: "s", ending: { why: "?", at: 1 } } }])],
    ["no array", "{}"],
  ])(
    "law 8: a line with the right checksum and %s is refused, also the last",
    async (_what, json) => {
      const { path, bytes } = await fileWith("one");
      const line = `${crc32(json).toString(16).padStart(8, "0")} ${json}\n`;
      for (const count of [1, 2]) {
        const lines = Buffer.concat([bytes, Buffer.from(line.repeat(count))]);
        writeFileSync(path, lines);
        await expect(storeAt(path).open()).rejects.toMatchObject({
          code: "SOJOURN_STORE_CORRUPT",
          details: { line: 4, offset: bytes.length },
        });
        expect(readFileSync(path)).toEqual(lines);
      }
    },
  );

  test("D-09 set-aside: renames the file to .corrupt-<time>, warns, begins empty", async () => {
    const { path, bytes } = await fileWith("one", "two");
    const damaged = flip(bytes, bytes.indexOf("\n") + 20);
    for (const round of [1, 2]) {
      writeFileSync(path, damaged);
      const warnings: string[] = [];
      const onWarning = (warning: string): void => void warnings.push(warning);
      const store = storeAt(path, { onCorrupt: "set-aside", onWarning });
      expect(await store.read(refOf("one"))).toBeNull();
      await store.create(recordOf("new"));
      await store.close();
      expect(warnings).toHaveLength(1);
      const kept = setAside(path, "corrupt");
      expect(kept).toHaveLength(round);
      for (const name of kept) expect(readFileSync(join(dirname(path), name))).toEqual(damaged);
    }
    const again = storeAt(path);
    expect(await again.read(refOf("new"))).toEqual(recordOf("new"));
  });
});

describe("D-04 versions", () => {
  test.each(["refuse", "set-aside"] as const)(
    "D-04 a newer version is refused and untouched, also with onCorrupt: %s",
    async (onCorrupt) => {
      const path = newPath();
      const bytes = '{"format":"sojourn-file","version":2,"shape":"unheard of"}\nwhatever\n';
      writeFileSync(path, bytes);
      await expect(storeAt(path, { onCorrupt }).open()).rejects.toMatchObject({
        code: "SOJOURN_STORE_NEWER_FORMAT",
        details: { version: 2, known: 1 },
      });
      expect(readFileSync(path, "utf8")).toBe(bytes);
      expect(namesIn(dirname(path))).toEqual([basename(path)]);
    },
  );

  test("D-04 migrates the version 0 fixture and keeps the original as .v0.bak", async () => {
    const path = newPath();
    const original = readFileSync(join(import.meta.dirname, "fixtures", "version-0.json"));
    writeFileSync(path, original);
    const reports: OpenReport[] = [];
    const store = storeAt(path, { onOpen: (report) => reports.push(report) });
    await store.open();
    expect(reports).toEqual([{ records: 2, dropped: 1, tornBytes: 0, migratedFrom: 0 }]);
    expect(await store.read(refOf("first"))).toMatchObject({
      payload: '{"cart":["a"]}',
      version: 3,
    });
    await store.end(refOf("first"), LOGOUT);
    await store.close();
    expect(readFileSync(`${path}.v0.bak`)).toEqual(original);
    expect(linesIn(path)[0]).toBe(`{"format":"sojourn-file","version":1,"createdAt":${START}}`);
    const again = storeAt(path);
    expect(await again.read(refOf("first"))).toMatchObject({ ending: LOGOUT });
    expect(await again.read(refOf("second", "grant"))).toMatchObject({ owner: null });
  });

  test("D-04 another .v0.bak that is there already is not overwritten", async () => {
    const path = newPath();
    const original = readFileSync(join(import.meta.dirname, "fixtures", "version-0.json"));
    writeFileSync(path, original);
    writeFileSync(`${path}.v0.bak`, "of an earlier time");
    const store = storeAt(path);
    await store.open();
    await store.close();
    expect(readFileSync(`${path}.v0.bak`, "utf8")).toBe("of an earlier time");
    expect(readFileSync(`${path}.v0.bak-1`)).toEqual(original);
  });
});
