/** Failures of the disk: what is rejected, what is kept, how it recovers; D-18 flush and close. */
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, test } from "vitest";
import { TestDisk } from "./support/disk.ts";
import {
  FIRST_LINES,
  aliveAfterRestart,
  linesIn,
  names,
  namesIn,
  newPath,
  storeAt,
} from "./support/place.ts";
import { LOGOUT, recordOf, refOf } from "./support/records.ts";

const FAILED = { code: "SOJOURN_STORE_WRITE_FAILED", statusCode: 503 };

describe("a disk that fails", () => {
  test("ENOSPC with a short write: rejects, cuts the file back, and recovers by itself", async () => {
    const path = newPath();
    const disk = new TestDisk();
    const store = storeAt(path, {}, disk.wrap);
    await store.create(recordOf("one"));
    const good = readFileSync(path);
    disk.room = 10;
    await expect(store.create(recordOf("two"))).rejects.toMatchObject({
      ...FAILED,
      cause: { code: "ENOSPC" },
      details: { path },
    });
    expect(readFileSync(path)).toEqual(good);
    await expect(store.create(recordOf("three"))).rejects.toMatchObject(FAILED);
    expect(await store.read(refOf("three")), "a refused change is not applied").toBeNull();
    disk.room = Infinity;
    await store.create(recordOf("four"));
    const alive = await aliveAfterRestart(store, path, ["one", "two", "three", "four"]);
    expect(alive).toEqual(["one", "two", "four"]);
  });

  test("rejects every change of the failed batch and of the one that waited behind it", async () => {
    const disk = new TestDisk();
    const store = storeAt(newPath(), {}, disk.wrap);
    await store.open();
    disk.room = 0;
    const outcomes = await Promise.allSettled(
      names(100).map((name) => store.create(recordOf(name))),
    );
    expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set(["rejected"]));
    disk.room = Infinity;
  });

  test("reads go on while the disk is full", async () => {
    const disk = new TestDisk();
    const store = storeAt(newPath(), {}, disk.wrap);
    await store.create(recordOf("one"));
    disk.room = 0;
    await expect(store.end(refOf("one"), LOGOUT)).rejects.toMatchObject(FAILED);
    expect(await store.read(refOf("one"))).toMatchObject({ ending: LOGOUT });
    disk.room = Infinity;
  });

  test("an fsync that fails makes the lines be written again, not just synced again", async () => {
    const path = newPath();
    const disk = new TestDisk();
    const store = storeAt(path, {}, disk.wrap);
    await store.create(recordOf("one"));
    disk.broken.add("sync");
    await expect(store.create(recordOf("two"))).rejects.toMatchObject({
      ...FAILED,
      cause: { code: "EIO" },
    });
    disk.broken.clear();
    disk.calls.length = 0;
    await store.create(recordOf("three"));
    expect(disk.calls).toEqual(["write", "sync", "write", "sync"]);
    expect(linesIn(path)).toHaveLength(FIRST_LINES + 3);
  });

  test("a truncate that fails too is done before the next write", async () => {
    const path = newPath();
    const disk = new TestDisk();
    const store = storeAt(path, {}, disk.wrap);
    await store.create(recordOf("one", { payload: "x".repeat(50) }));
    disk.room = 200;
    disk.broken.add("truncate");
    await expect(store.create(recordOf("two", { payload: "y".repeat(500) }))).rejects.toMatchObject(
      FAILED,
    );
    disk.broken.clear();
    disk.room = Infinity;
    disk.calls.length = 0;
    await store.flush();
    expect(disk.calls).toEqual(["truncate", "write", "sync"]);
    expect(await aliveAfterRestart(store, path, ["one", "two"])).toEqual(["one", "two"]);
  });

  test("nothing acknowledged is lost over 200 changes with a disk that fails at random places", async () => {
    const path = newPath();
    const disk = new TestDisk();
    const store = storeAt(path, { compactAfter: 4_096, onWarning: () => {} }, disk.wrap);
    const acknowledged: string[] = [];
    await store.open();
    for (const [serial, name] of names(200).entries()) {
      disk.room = serial % 3 === 0 ? (serial * 37) % 400 : Infinity;
      if (serial % 7 === 0) disk.broken.add("sync");
      if (serial % 11 === 0) disk.broken.add("truncate");
      await store.create(recordOf(name, { owner: null })).then(
        () => acknowledged.push(name),
        (error: unknown) => expect(error).toMatchObject(FAILED),
      );
      disk.broken.clear();
    }
    disk.room = Infinity;
    expect(acknowledged.length).toBeGreaterThan(50);
    expect(acknowledged.length).toBeLessThan(200);
    expect(await aliveAfterRestart(store, path, acknowledged)).toEqual(acknowledged);
  });
});

describe("D-18 flush and close", () => {
  test("D-18 what is under way when close() is called is durable when it resolves", async () => {
    const path = newPath();
    const store = storeAt(path);
    await store.open();
    const all = names(50);
    const creating = Promise.all(all.map((name) => store.create(recordOf(name))));
    await new Promise(setImmediate);
    await store.close();
    await creating;
    expect(await aliveAfterRestart(store, path, all)).toEqual(all);
  });

  test("D-18 flush() rejects while the disk fails, and is durable once it resolves", async () => {
    const path = newPath();
    const disk = new TestDisk();
    const store = storeAt(path, {}, disk.wrap);
    await store.open();
    disk.room = 0;
    await expect(store.create(recordOf("one"))).rejects.toMatchObject(FAILED);
    await expect(store.flush()).rejects.toMatchObject(FAILED);
    disk.room = Infinity;
    await store.flush();
    expect(linesIn(path)).toHaveLength(FIRST_LINES + 1);
  });

  test("D-18 close() rejects when the last write fails, and lets go of everything all the same", async () => {
    const path = newPath();
    const disk = new TestDisk();
    const store = storeAt(path, {}, disk.wrap);
    await store.create(recordOf("one"));
    disk.room = 0;
    await expect(store.create(recordOf("two"))).rejects.toMatchObject(FAILED);
    await expect(store.close()).rejects.toMatchObject(FAILED);
    expect(namesIn(dirname(path))).toEqual(["sessions.sojourn"]);
    await expect(store.close()).rejects.toMatchObject(FAILED);
    const again = storeAt(path);
    expect(await again.read(refOf("one"))).toEqual(recordOf("one"));
    expect(await again.read(refOf("two"))).toBeNull();
  });

  test("D-18 a second close is fine, and every operation after it says closed", async () => {
    const store = storeAt(newPath());
    await store.create(recordOf("one"));
    await Promise.all([store.close(), store.close()]);
    await store.close();
    const closed = { code: "SOJOURN_STORE_CLOSED" };
    await expect(store.read(refOf("one"))).rejects.toMatchObject(closed);
    await expect(store.create(recordOf("two"))).rejects.toMatchObject(closed);
    await expect(store.flush()).rejects.toMatchObject(closed);
    await expect(store.open()).rejects.toMatchObject(closed);
    const scan = async (): Promise<void> => {
      for await (const _ of store.scan("session"));
    };
    await expect(scan()).rejects.toMatchObject(closed);
  });

  test("close() during the opening leaves no lock behind", async () => {
    const path = newPath();
    const store = storeAt(path);
    const [opening] = await Promise.allSettled([store.open(), store.close()]);
    expect(opening).toMatchObject({ reason: { code: "SOJOURN_STORE_CLOSED" } });
    expect(namesIn(dirname(path))).toEqual(["sessions.sojourn"]);
  });
});
