/** D-10: one file has one writer. A lock of the dead is recovered, one of the living never. */
import { existsSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { stat } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { FileLock, HEARTBEAT_MS } from "../src/lock.ts";
import { bundleProgram, run } from "./support/child.ts";
import { TestDisk } from "./support/disk.ts";
import { namesIn, newPath, storeAt } from "./support/place.ts";
import { HandClock, recordOf, refOf } from "./support/records.ts";

let program: Awaited<ReturnType<typeof bundleProgram>>;
beforeAll(async () => {
  program = await bundleProgram();
});
afterAll(() => program.remove());
afterEach(() => vi.useRealTimers());

const PATIENTLY = { timeout: 20_000 };
const LOCKED = { code: "SOJOURN_STORE_LOCKED" };

interface LockFile {
  pid: number;
  hostname: string;
  machine: string | null;
  startedAt: string | null;
  nonce: string;
}

const readLock = (path: string): LockFile =>
  JSON.parse(readFileSync(`${path}.lock`, "utf8")) as LockFile;

/** A lock file as another process would have left it, touched `ageMs` ago. */
function leaveLock(path: string, changes: Partial<LockFile> | string, ageMs = 0): void {
  const own = { pid: process.pid, hostname: hostname(), machine: null, startedAt: null };
  const content =
    typeof changes === "string"
      ? changes
      : JSON.stringify({ ...own, nonce: "0".repeat(32), ...changes });
  writeFileSync(`${path}.lock`, content);
  const touched = new Date(Date.now() - ageMs);
  utimesSync(`${path}.lock`, touched, touched);
}

/** The lock facts of this very process. */
async function ownFacts(): Promise<LockFile> {
  const path = newPath();
  const store = storeAt(path);
  await store.open();
  const facts = readLock(path);
  await store.close();
  return facts;
}

describe("D-10 a second opener", () => {
  test("D-10 another process: a clear error with pid and host; it opens once the first has closed", async () => {
    const path = newPath();
    const holder = run(program.script, "hold", path);
    await holder.printed(1);
    const store = storeAt(path);
    const { pid } = holder.process;
    const refusal = {
      ...LOCKED,
      details: { path, pid, hostname: hostname() },
      message: expect.stringContaining(`process ${pid} on host ${hostname()}`) as string,
    };
    await expect(store.open()).rejects.toMatchObject(refusal);
    await expect(store.create(recordOf("x"))).rejects.toMatchObject(refusal);
    await holder.kill();
    expect(await store.read(refOf(`held-by-${pid}`))).not.toBeNull();
  });

  test("D-10 the same process, also by another spelling of the path", async () => {
    const path = newPath();
    const first = storeAt(path);
    await first.open();
    const again = storeAt(`${dirname(path)}/../${basename(dirname(path))}/${basename(path)}`);
    await expect(again.open()).rejects.toMatchObject({
      ...LOCKED,
      message: expect.stringContaining("this process") as string,
    });
    await first.create(recordOf("one"));
    await first.close();
    expect(existsSync(`${path}.lock`)).toBe(false);
    expect(await again.read(refOf("one"))).toEqual(recordOf("one"));
  });

  test("D-10 the lock is held until the last write is on the disk", async () => {
    const path = newPath();
    const disk = new TestDisk();
    const store = storeAt(path, {}, disk.wrap);
    await store.open();
    const release = disk.holdSyncs();
    const creating = store.create(recordOf("one"));
    while (disk.count("write") === 0) await stat(path);
    const closing = store.close();
    for (let round = 0; round < 100; round += 1) await stat(`${path}.lock`);
    release();
    await Promise.all([creating, closing]);
    expect(existsSync(`${path}.lock`)).toBe(false);
  });
});

describe("D-10 a stale lock", () => {
  test("D-10 of a process that was killed with SIGKILL", async () => {
    const path = newPath();
    const holder = run(program.script, "hold", path);
    await holder.printed(1);
    await holder.kill();
    expect(existsSync(`${path}.lock`)).toBe(true);
    const store = storeAt(path);
    expect(await store.read(refOf(`held-by-${holder.process.pid}`))).not.toBeNull();
    expect(readLock(path).pid).toBe(process.pid);
    expect(namesIn(dirname(path))).toEqual([basename(path), `${basename(path)}.lock`]);
  });

  test("D-10 of a process whose pid is now another's: the start ticks differ", async () => {
    const path = newPath();
    leaveLock(path, { ...(await ownFacts()), startedAt: "1" });
    await storeAt(path).open();
  });

  test("D-10 not when pid and start are those of a living process", async () => {
    const path = newPath();
    leaveLock(path, await ownFacts(), 3_600_000);
    await expect(storeAt(path).open()).rejects.toMatchObject(LOCKED);
  });

  test.each([
    ["another host", { hostname: "elsewhere.example", pid: 1 }],
    ["another container with the same host name", { machine: "other boot pid:[1]", pid: 1 }],
    ["a half-written lock", '{"pid":'],
    ["an empty lock", ""],
    ["a foreign file", "not ours"],
  ])("D-10 of %s: respected for 30 s after its last touch, then taken", async (_what, content) => {
    const path = newPath();
    leaveLock(path, content, 15_000);
    await expect(storeAt(path).open()).rejects.toMatchObject(LOCKED);
    leaveLock(path, content, 31_000);
    await storeAt(path).open();
    expect(namesIn(dirname(path))).toEqual([basename(path), `${basename(path)}.lock`]);
  });

  test("D-10 whose recovery was itself interrupted", async () => {
    const path = newPath();
    const dead = { ...(await ownFacts()), startedAt: "1" };
    leaveLock(path, dead);
    writeFileSync(
      `${path}.lock.break-${dead.nonce}`,
      JSON.stringify({ ...dead, nonce: "1".repeat(32) }),
    );
    await storeAt(path).open();
    expect(namesIn(dirname(path))).toEqual([basename(path), `${basename(path)}.lock`]);
  });

  test(
    "D-10 10 processes race for it, 5 times: exactly one wins",
    { timeout: 60_000 },
    async () => {
      const path = newPath();
      const dead = run(program.script, "hold", path);
      await dead.printed(1);
      await dead.kill();
      for (let round = 0; round < 5; round += 1) {
        const racers = Array.from({ length: 10 }, () => run(program.script, "race", path));
        await Promise.all(racers.map((racer) => racer.printed(1)));
        for (const racer of racers) racer.process.stdin?.write("go\n");
        const outcomes = await Promise.all(
          racers.map(async (racer) => (await racer.printed(2))[1]),
        );
        const losers = Array.from({ length: 9 }, () => "SOJOURN_STORE_LOCKED");
        expect(outcomes.toSorted()).toEqual([...losers, "won"]);
        await Promise.all(racers.map((racer) => racer.kill()));
      }
    },
  );

  test("D-10 20 openers in one process race for it, 50 times: exactly one wins", async () => {
    const dead = { ...(await ownFacts()), startedAt: "1" };
    for (let round = 0; round < 50; round += 1) {
      const path = newPath();
      leaveLock(path, dead);
      const outcomes = await Promise.allSettled(
        Array.from({ length: 20 }, () => FileLock.acquire(path)),
      );
      const won = outcomes.filter((outcome) => outcome.status === "fulfilled");
      expect(won).toHaveLength(1);
      await won[0]?.value.release();
      expect(namesIn(dirname(path))).toEqual([]);
    }
  });
});

describe("D-10 the heartbeat", () => {
  test("D-10 touches the lock every 10 s", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    const path = newPath();
    await storeAt(path).open();
    utimesSync(`${path}.lock`, new Date(0), new Date(0));
    await vi.advanceTimersByTimeAsync(HEARTBEAT_MS);
    const age = (): number => Date.now() - statSync(`${path}.lock`).mtimeMs;
    await vi.waitFor(() => expect(age()).toBeLessThan(60_000), PATIENTLY);
  });

  test.each([
    ["taken over", (path: string) => leaveLock(path, { hostname: "elsewhere" })],
    ["removed", (path: string) => writeFileSync(`${path}.lock`, "")],
  ])(
    "D-10 a lock that was %s stops the store, and is not removed by close()",
    async (_how, harm) => {
      vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
      const path = newPath();
      const store = storeAt(path);
      await store.create(recordOf("one"));
      const before = readFileSync(path);
      harm(path);
      const left = readFileSync(`${path}.lock`, "utf8");
      await vi.advanceTimersByTimeAsync(HEARTBEAT_MS);
      await vi.waitFor(
        async () => expect(store.read(refOf("one"))).rejects.toMatchObject(LOCKED),
        PATIENTLY,
      );
      await expect(store.create(recordOf("two"))).rejects.toMatchObject(LOCKED);
      await expect(store.touch(refOf("one"), 1, 1)).rejects.toMatchObject(LOCKED);
      await store.close();
      expect(readFileSync(path)).toEqual(before);
      expect(readFileSync(`${path}.lock`, "utf8")).toBe(left);
    },
  );

  test("D-10 after a long pause the lock is looked at before the next write", async () => {
    const path = newPath();
    const store = storeAt(path, { clock: new HandClock() });
    await store.create(recordOf("one"));
    const before = readFileSync(path);
    leaveLock(path, { hostname: "elsewhere" });
    const now = Date.now();
    vi.spyOn(Date, "now").mockImplementation(() => now + 40_000);
    await expect(store.create(recordOf("two"))).rejects.toMatchObject(LOCKED);
    vi.restoreAllMocks();
    expect(readFileSync(path)).toEqual(before);
  });
});
