/** D-09: where marks and seals stand in a file, and files from before there were any. */
import { statSync, writeFileSync } from "node:fs";
import { crc32 } from "node:zlib";
import { describe, expect, test } from "vitest";
import { SEAL } from "../src/line.ts";
import { batches, expectRefused, marksIn, opened, over, written } from "./support/batches.ts";
import type { Written } from "./support/batches.ts";
import { TestDisk } from "./support/disk.ts";
import { aliveAfterRestart, linesIn, newPath, storeAt } from "./support/place.ts";
import { recordOf } from "./support/records.ts";

describe("marks", () => {
  test("a batch that is written again after a failure has one too", async () => {
    const path = newPath();
    const disk = new TestDisk();
    const store = storeAt(path, {}, disk.wrap);
    await store.create(recordOf("one"));
    disk.broken.add("sync");
    await store.create(recordOf("two")).catch(() => {});
    disk.broken.clear();
    await store.create(recordOf("three"));
    await store.close();
    expect(marksIn(path)).toBe("++++");
  });

  test("what was read is synced before a mark can say so: a killed process may not have", async () => {
    const { path } = await batches(["one"]);
    const disk = new TestDisk();
    const store = storeAt(path, {}, disk.wrap);
    await store.create(recordOf("two"));
    expect(disk.calls).toEqual(["sync", "write", "sync"]);
  });

  test.each(["a compaction", "a migration"])(
    "%s: any bad line in the file that it put into place is refused, but for the seal at its end",
    async (what) => {
      const path = newPath();
      const wanted = ["first", "second"];
      if (what === "a migration") {
        const records = wanted.map((name) => recordOf(name));
        writeFileSync(path, JSON.stringify({ version: 0, records }));
        await storeAt(path).open();
      } else {
        const store = storeAt(path, { compactAfter: 1_024 });
        const { ino } = await store.open().then(() => statSync(path));
        wanted.length = 0;
        for (; statSync(path).ino === ino; wanted.push(`r${wanted.length}`)) {
          await store.create(recordOf(`r${wanted.length}`));
        }
        await store.close();
      }
      const { bytes: later, starts } = written(path);
      const seal = later.lastIndexOf(SEAL);
      const bytes = later.subarray(0, seal + SEAL.length);
      expect(starts.filter((start) => start < seal).length).toBeGreaterThan(2);
      const place = newPath();
      for (let at = starts[1] ?? NaN; at < seal; at += 13) {
        const damaged = over(bytes, at, Buffer.alloc(1));
        const line = starts.findLastIndex((start) => start <= at) + 1;
        await expectRefused(place, damaged, { line, offset: starts[line - 1] });
      }
      await expectRefused(place, over(bytes, seal - 1, Buffer.alloc(1)), {});
      const alive = await opened(place, over(bytes, seal + 3, Buffer.alloc(4)), wanted);
      expect(wanted.slice(0, -1)).toEqual(alive.slice(0, wanted.length - 1));
    },
  );
});

const EARLIER = ["one", "two", "three"];
const LAST = ["a", "b", "c", "d", "e"];

describe("a file from before there were marks", () => {
  /** The same file in the frame without marks. */
  async function withoutMarks(...all: string[]): Promise<Written> {
    const { path } = await batches(all);
    const [header, , ...lines] = linesIn(path);
    const plain = lines.map((line) => {
      const json = line.slice(9);
      return `${crc32(json).toString(16).padStart(8, "0")} ${json}`;
    });
    writeFileSync(path, `${[header, ...plain].join("\n")}\n`);
    return written(path);
  }

  test("loads, is not changed by that, and gets a seal before its first new batch", async () => {
    const { path, bytes } = await withoutMarks(...EARLIER);
    expect(await opened(path, bytes, EARLIER)).toEqual(EARLIER);
    const store = storeAt(path);
    await Promise.all(["new", ...LAST].map((name) => store.create(recordOf(name))));
    const wanted = [...EARLIER, "new", ...LAST];
    expect(await aliveAfterRestart(store, path, wanted)).toEqual(wanted);
    expect(marksIn(path)).toBe("   +++    ");
    const after = written(path);
    const at = after.starts[6] ?? NaN; // the first line of the last batch
    const damaged = over(after.bytes, at, Buffer.alloc(50));
    expect(await opened(path, damaged, wanted)).toEqual([...EARLIER, "new"]);
  });

  test("the seal is on the disk before the batch, and survives the batch's failure", async () => {
    const { path } = await withoutMarks(...EARLIER);
    const disk = new TestDisk();
    const store = storeAt(path, { durability: "write" }, disk.wrap);
    await store.open();
    disk.room = SEAL.length + 10;
    await store.create(recordOf("a")).catch(() => {});
    expect(disk.calls.slice(0, 4)).toEqual(["sync", "write", "sync", "write"]);
    disk.room = Infinity;
    await store.create(recordOf("b"));
    expect(await aliveAfterRestart(store, path, ["a", "b"])).toEqual(["a", "b"]);
    expect(marksIn(path)).toBe("   +++");
  });

  test("a bad line that anything follows is refused, a bad last line is cut off", async () => {
    const { path, bytes, starts } = await withoutMarks(...EARLIER);
    for (const line of [2, 3]) {
      const damaged = over(bytes, (starts[line - 1] ?? NaN) + 20, Buffer.alloc(4));
      await expectRefused(path, damaged, { line, offset: starts[line - 1] });
    }
    expect(await opened(path, bytes.subarray(0, -4), EARLIER)).toEqual(EARLIER.slice(0, 2));
  });
});
