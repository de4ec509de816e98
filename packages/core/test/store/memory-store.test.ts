/** What the memory store adds to the table: options, timers, closing. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test, vi } from "vitest";
import { memoryStore } from "../../src/store/memory/store.ts";
import { HOUR, MINUTE, record, ref, testClock } from "./fixtures.ts";

test("is named memory, and follows the machine's clock by default", async () => {
  const store = memoryStore();
  expect(store.name).toBe("memory");
  expect(Math.abs(store.clock.now() - Date.now())).toBeLessThan(1_000);
  await store.close();
});

test("refuses bad options in one error that names each", () => {
  expect(() => memoryStore({ maxRecords: 0, sweepEvery: 60 })).toThrow(
    /maxRecords must .*; sweepEvery must .*looks like seconds.*SOJOURN_OPTIONS_INVALID/,
  );
  expect(() => memoryStore({ sweepEvery: 2 ** 31 })).toThrow(/sweepEvery/);
});

test("sweeps every 60 s in slices, and no more after close", async () => {
  vi.useFakeTimers();
  try {
    const clock = testClock();
    const store = memoryStore({ clock });
    const made = Array.from({ length: 5_000 }, () => record(clock));
    await Promise.all(made.map(async (each) => store.create(each)));
    clock.advance(HOUR);
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(MINUTE - 1);
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(1);
    expect(vi.getTimerCount(), "the next slice is planned").toBe(2);
    vi.runAllTicks();
    vi.advanceTimersByTime(1);
    await store.close();
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});

test("counts 10,000 expired records exactly without one long block", async () => {
  const clock = testClock();
  const store = memoryStore({ clock });
  const made = Array.from({ length: 10_000 }, () => record(clock, { user: "ada" }));
  await Promise.all(made.map(async (each) => store.create(each)));
  clock.advance(HOUR);
  let turns = 0;
  const turn = (): void => {
    turns += 1;
    next = setImmediate(turn);
  };
  let next = setImmediate(turn);
  const { active, lifetime } = await store.count("session");
  clearImmediate(next);
  expect({ active, ended: lifetime?.ended }).toEqual({ active: 0, ended: 10_000 });
  expect(turns).toBeGreaterThanOrEqual(3);
  await store.close();
});

test("a scan that is under way rejects with SOJOURN_STORE_CLOSED once the store is closed", async () => {
  const store = memoryStore();
  for (let index = 0; index < 3; index += 1) await store.create(record(store.clock));
  const seen: unknown[] = [];
  const scanning = (async () => {
    for await (const each of store.scan("session")) {
      seen.push(each);
      await store.close();
    }
  })();
  await expect(scanning).rejects.toMatchObject({ code: "SOJOURN_STORE_CLOSED" });
  expect(seen).toHaveLength(1);
});

test("gives out frozen records", async () => {
  const store = memoryStore();
  const given = record(store.clock);
  await store.create(given);
  const found = await store.read(ref(given));
  expect(Object.isFrozen(found)).toBe(true);
  expect(found).not.toBe(given);
  await store.close();
});

test("a process that did not close its store exits by itself, sweep under way or not", () => {
  const root = fileURLToPath(new URL("../../../..", import.meta.url));
  const folder = mkdtempSync(join(tmpdir(), "sojourn-memory-"));
  try {
    const source = join(root, "packages/core/src/store/memory/store.ts");
    const out = join(folder, "out");
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    const flags = ["--target", "es2023", "--module", "nodenext", "--types", "node"];
    flags.push("--rewriteRelativeImportExtensions", "--skipLibCheck", "--ignoreConfig");
    flags.push("--typeRoots", join(root, "node_modules/@types"));
    writeFileSync(join(folder, "package.json"), '{"type":"module"}');
    const types = join(root, "packages/core/src/store");
    execFileSync(process.execPath, [
      tsc,
      ...flags,
      "--rootDir",
      join(types, ".."),
      "--outDir",
      out,
      source,
    ]);
    const script = `
      import { memoryStore } from "./out/store/memory/store.js";
      const store = memoryStore();
      console.log(await store.read({ kind: "session", key: "x" }));
    `;
    writeFileSync(join(folder, "script.js"), script);
    const printed = execFileSync(process.execPath, [join(folder, "script.js")], { timeout: 5_000 });
    expect(printed.toString()).toBe("null\n");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
