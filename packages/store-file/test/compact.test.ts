/** T-FILE3: compaction under load, its failures, and what a crash leaves of it. */
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { expect, test } from "vitest";
import { RecordTable } from "@sojourn/core/store";
import { TestDisk } from "./support/disk.ts";
import { namesIn, newPath, storeAt } from "./support/place.ts";
import { HandClock, LOGOUT, keyOf, recordOf, refOf } from "./support/records.ts";
import { operations, perform } from "./support/storm.ts";

const ONLY_FILE_AND_LOCK = ["sessions.sojourn", "sessions.sojourn.lock"];

/** Resolves when no compaction is under way. */
async function compacted(path: string): Promise<void> {
  while (namesIn(dirname(path)).some((name) => name.includes(".tmp-"))) {
    await new Promise(setImmediate);
  }
}

test("T-FILE3 a file that has grown past the limit is rewritten to what is alive, 0600", async () => {
  const path = newPath();
  const store = storeAt(path, { compactAfter: 4_096, durability: "write" });
  await store.create(recordOf("one"));
  let version = 1;
  let largest = 0;
  for (; version <= 200; version += 1) {
    const change = {
      payload: "x".repeat(200),
      seenAt: version,
      expiresAt: recordOf("one").expiresAt,
    };
    await store.update(refOf("one"), change, version);
    await compacted(path);
    largest = Math.max(largest, statSync(path).size);
  }
  await store.close();
  expect(largest).toBeLessThan(4_096 * 4);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(namesIn(dirname(path))).toEqual(["sessions.sojourn"]);
  expect(await storeAt(path).read(refOf("one"))).toMatchObject({ version });
});

test("T-FILE3 it waits until the file is twice the live state", async () => {
  const path = newPath();
  const disk = new TestDisk();
  const store = storeAt(path, { compactAfter: 1_024, durability: "write" }, disk.wrap);
  for (let serial = 0; serial < 400; serial += 1) {
    await store.create(recordOf(`r${serial}`));
    await compacted(path);
  }
  expect(disk.files).toBeGreaterThan(2);
  expect(disk.files).toBeLessThan(12);
});

test("T-FILE3 a storm of 6,000 operations with compactions: what is there equals a model after a restart", async () => {
  const path = newPath();
  const clock = new HandClock();
  const disk = new TestDisk();
  const store = storeAt(path, { compactAfter: 8_192, durability: "write" }, disk.wrap);
  const model = new RecordTable({ clock, maxRecords: 1_000_000 });
  const lane = async (number: number): Promise<string[]> => {
    const names: string[] = [];
    const source = operations(`lane${number}`, number);
    for (let done = 0; done < 750; done += 1) {
      const operation = source.next().value;
      names.push(operation.name, operation.next);
      await perform(store, operation);
      await perform(model, operation);
    }
    return names;
  };
  const lanes = await Promise.all(Array.from({ length: 8 }, (_, number) => lane(number)));
  await store.close();
  expect(disk.files - 1, "compactions").toBeGreaterThan(4);
  const again = storeAt(path);
  for (const [number, names] of lanes.entries()) {
    const kind = `lane${number}`;
    for (const name of names) {
      const ref = { kind, key: keyOf(name) };
      expect(await again.read(ref)).toEqual(model.read(ref));
    }
    expect((await again.count(kind)).active).toBe(model.count(kind).active);
  }
});

test("T-FILE3 replaying what was collected over a later state gives the later state", async () => {
  const clock = new HandClock();
  const log: string[] = [];
  const table = new RecordTable({
    clock,
    maxRecords: 1_000,
    onEffects: (effects) => log.push(JSON.stringify(effects)),
  });
  const source = operations("lane", 7);
  for (let done = 0; done < 300; done += 1) await perform(table, source.next().value);
  const copy = new RecordTable({ clock, maxRecords: 1_000 });
  copy.apply(table.state());
  for (const effects of log) copy.apply(JSON.parse(effects));
  for (let serial = 0; serial < 300; serial += 1) {
    const ref = { kind: "lane", key: keyOf(`lane-${serial}`) };
    expect(copy.read(ref)).toEqual(table.read(ref));
  }
  expect(copy.count("lane").active).toBe(table.count("lane").active);
});

test("a compaction that fails leaves the old file in use, warns, and is tried again later", async () => {
  const path = newPath();
  const disk = new TestDisk();
  const warnings: string[] = [];
  const onWarning = (warning: string): void => void warnings.push(warning);
  const store = storeAt(path, { compactAfter: 2_048, durability: "write", onWarning }, disk.wrap);
  await store.open();
  disk.broken.add("sync"); // with durability: write only a compaction syncs
  const { ino } = statSync(path);
  let serial = 0;
  const grow = async (): Promise<void> => {
    serial += 1;
    await store.create(recordOf(`r${serial}`));
    await store.end(refOf(`r${serial}`), LOGOUT);
  };
  while (warnings.length < 2) await grow();
  expect(warnings[0]).toContain("Compacting");
  expect(statSync(path).ino).toBe(ino);
  expect(namesIn(dirname(path))).toEqual(ONLY_FILE_AND_LOCK);
  disk.broken.clear();
  while (statSync(path).ino === ino) await grow();
  await store.close();
  const again = storeAt(path);
  for (let old = 1; old <= serial; old += 1) {
    expect(await again.read(refOf(`r${old}`))).toMatchObject({ ending: LOGOUT });
  }
});

test("T-FILE3 the new file is synced before it is renamed into place", async () => {
  const path = newPath();
  const disk = new TestDisk();
  const store = storeAt(path, { compactAfter: 1_024, durability: "write" }, disk.wrap);
  await store.open();
  const { ino } = statSync(path);
  const inoAtSync: number[] = [];
  disk.beforeSync = async () => void inoAtSync.push(statSync(path).ino);
  for (let serial = 0; statSync(path).ino === ino; serial += 1) {
    await store.create(recordOf(`r${serial}`));
  }
  expect(inoAtSync).toEqual([ino, ino]);
});

test("close() stops a compaction that is under way and removes its temporary file", async () => {
  const path = newPath();
  const disk = new TestDisk();
  const store = storeAt(path, { compactAfter: 1_024, durability: "write" }, disk.wrap);
  await store.open();
  const release = disk.holdSyncs();
  let serial = 0;
  for (; disk.files < 2; serial += 1) await store.create(recordOf(`r${serial}`));
  expect(namesIn(dirname(path)).some((name) => name.includes(".tmp-"))).toBe(true);
  const closing = store.close();
  release();
  await closing;
  expect(namesIn(dirname(path))).toEqual(["sessions.sojourn"]);
  expect((await storeAt(path).count("session")).active).toBe(serial);
});

test("leftover temporary files are removed at open, files of others are not", async () => {
  const path = newPath();
  const others = [".tmp-x", ".tmp-1-zz", ".bak", ".tmp-1-ab.txt"].map((end) => path + end);
  for (const name of [...others, `${path}.tmp-12-0123456789ab`]) writeFileSync(name, "left");
  await storeAt(path).open();
  for (const name of others) expect(readFileSync(name, "utf8")).toBe("left");
  expect(namesIn(dirname(path))).not.toContain("sessions.sojourn.tmp-12-0123456789ab");
});

test("T-FILE3 the event loop turns at least 20 times while 20,000 records are compacted", async () => {
  const path = newPath();
  const disk = new TestDisk();
  const options = { compactAfter: 6 * 1024 * 1024, durability: "write" } as const;
  const store = storeAt(path, options, disk.wrap);
  await store.open();
  disk.calls.length = 0;
  const payload = "x".repeat(300);
  for (let batch = 0; disk.files < 2; batch += 1) {
    const names = Array.from({ length: 1_000 }, (_, serial) => `r${batch}-${serial}`);
    await Promise.all(names.map((name) => store.create(recordOf(name, { owner: null, payload }))));
  }
  const writesBefore = disk.count("write");
  let turns = 0;
  for (; disk.count("sync") < 1; turns += 1) await new Promise(setImmediate);
  expect(disk.count("write") - writesBefore).toBeGreaterThan(10);
  expect(turns).toBeGreaterThanOrEqual(20);
});
