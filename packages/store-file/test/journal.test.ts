/** D-06, D-07: group commit, the order of calls, and no write without a change. */
import { statSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { TestDisk } from "./support/disk.ts";
import {
  FIRST_LINES,
  aliveAfterRestart,
  linesIn,
  names,
  newPath,
  storeAt,
} from "./support/place.ts";
import { HOUR, LOGOUT, START, ownerOf, recordOf, refOf } from "./support/records.ts";

describe("D-06 group commit", () => {
  test("D-06 1,000 parallel changes need at most 50 writes and 50 syncs", async () => {
    const path = newPath();
    const disk = new TestDisk();
    const store = storeAt(path, {}, disk.wrap);
    const all = names(1_000);
    await Promise.all(all.map((name) => store.create(recordOf(name))));
    expect(disk.count("write")).toBeLessThanOrEqual(50);
    expect(disk.count("sync")).toBeLessThanOrEqual(50);
    expect(linesIn(path)).toHaveLength(FIRST_LINES + 1_000);
    expect(await aliveAfterRestart(store, path, all)).toHaveLength(1_000);
  });

  test("D-06 a change is acknowledged after the sync that follows its write, not before", async () => {
    const disk = new TestDisk();
    const store = storeAt(newPath(), {}, disk.wrap);
    await store.open();
    disk.calls.length = 0;
    let acknowledged = false;
    let seenAtSync = "";
    disk.beforeSync = async () => {
      seenAtSync = `${disk.calls.join()} acknowledged: ${acknowledged}`;
    };
    await store.create(recordOf("one")).then(() => (acknowledged = true));
    expect(seenAtSync).toBe("write acknowledged: false");
    expect(disk.calls).toEqual(["write", "sync"]);
  });

  test("D-06 constant change never puts an acknowledgement off by more than two batches", async () => {
    const disk = new TestDisk();
    const store = storeAt(newPath(), {}, disk.wrap);
    await store.open();
    let serial = 0;
    disk.beforeSync = async () => {
      for (let more = 0; more < 5 && serial < 500; more += 1) {
        serial += 1;
        void store.create(recordOf(`more${serial}`)).catch(() => {});
      }
    };
    await store.create(recordOf("one"));
    expect(disk.count("sync")).toBeLessThanOrEqual(2);
  });

  test("reads see a change at once and never wait for the disk", async () => {
    const disk = new TestDisk();
    const store = storeAt(newPath(), {}, disk.wrap);
    await store.open();
    const open = disk.holdSyncs();
    const creating = store.create(recordOf("one"));
    await new Promise(setImmediate);
    expect(await store.read(refOf("one"))).toEqual(recordOf("one"));
    expect(await store.listOwner("session", ownerOf("alice"))).toHaveLength(1);
    open();
    await creating;
  });

  test("an operation that changes nothing still waits for the change that it rests on", async () => {
    const disk = new TestDisk();
    const store = storeAt(newPath(), {}, disk.wrap);
    await store.create(recordOf("one"));
    const open = disk.holdSyncs();
    const ending = store.end(refOf("one"), LOGOUT);
    let answered = false;
    const again = store.end(refOf("one"), LOGOUT).then(() => (answered = true));
    await new Promise(setImmediate);
    expect(answered).toBe(false);
    open();
    await Promise.all([ending, again]);
  });

  test("durability: write leaves the sync to flush and close", async () => {
    const disk = new TestDisk();
    const store = storeAt(newPath(), { durability: "write" }, disk.wrap);
    await store.open();
    disk.calls.length = 0;
    await store.create(recordOf("one"));
    expect(disk.calls).toEqual(["write"]);
    await store.flush();
    expect(disk.calls).toEqual(["write", "sync"]);
    await store.close();
    expect(disk.calls).toEqual(["write", "sync", "sync"]);
  });

  test("one operation is one line, whatever it changes", async () => {
    const path = newPath();
    const store = storeAt(path);
    for (const name of names(3)) await store.create(recordOf(name));
    const before = linesIn(path).length;
    await store.create(recordOf("new"), { max: 1, onLimit: "evict-oldest" });
    expect(linesIn(path)).toHaveLength(before + 1);
    await store.endOwner("session", ownerOf("alice"), LOGOUT);
    expect(linesIn(path)).toHaveLength(before + 2);
    await store.endAll("session", LOGOUT);
    expect(linesIn(path)).toHaveLength(before + 3);
  });
});

test("reads answer at once when the file is open, and wait for that before", async () => {
  const path = newPath();
  const before = storeAt(path);
  await before.create(recordOf("one"));
  await before.close();
  const store = storeAt(path);
  const waiting = store.read(refOf("one"));
  expect(waiting).toBeInstanceOf(Promise);
  expect(await waiting).toEqual(recordOf("one"));
  expect(store.read(refOf("one"))).toEqual(recordOf("one"));
  await store.close();
  await expect(store.read(refOf("one"))).rejects.toMatchObject({ code: "SOJOURN_STORE_CLOSED" });
});

test("D-07 no write when nothing has changed: same size, same modification time", async () => {
  const path = newPath();
  const disk = new TestDisk();
  const store = storeAt(path, {}, disk.wrap);
  await store.create(recordOf("one"));
  const calls = disk.calls.length;
  const { size, mtimeNs } = statSync(path, { bigint: true });
  await store.read(refOf("one"));
  await store.read(refOf("none"));
  await store.touch(refOf("one"), START - 1, START + HOUR);
  await store.touch(refOf("none"), START, START + HOUR);
  await store.update(refOf("one"), { payload: "", seenAt: START, expiresAt: START }, 7);
  await store.end(refOf("none"), LOGOUT);
  await store.endOwner("session", ownerOf("bob"), LOGOUT, recordOf("none").handle);
  await store.consume(refOf("none"));
  await store.create(recordOf("two"), { max: 1, onLimit: "reject" });
  await expect(store.create(recordOf("one"))).rejects.toMatchObject({
    code: "SOJOURN_RECORD_EXISTS",
  });
  await store.count("session");
  await store.owners("session");
  for await (const _ of store.scan("session"));
  await store.flush();
  await store.close();
  expect(disk.calls).toHaveLength(calls);
  expect(statSync(path, { bigint: true })).toMatchObject({ size, mtimeNs });
  await storeAt(path).open();
  expect(statSync(path, { bigint: true })).toMatchObject({ size, mtimeNs });
});
