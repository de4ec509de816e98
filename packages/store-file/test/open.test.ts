/** Opening: directories, permissions, what is refused, what is kept of a file that is there. */
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { OpenReport } from "../src/index.ts";
import { FIRST_LINES, linesIn, namesIn, newDirectory, newPath, storeAt } from "./support/place.ts";
import { HOUR, HandClock, LOGOUT, START, recordOf, refOf } from "./support/records.ts";

const modeOf = (path: string): number => statSync(path).mode & 0o777;

describe("D-01 directory and file", () => {
  test.each([0o000, 0o022, 0o777])(
    "D-01 T-FILE2 makes a missing nested directory 0700 and the file 0600 with umask %o",
    async (mask) => {
      const root = newDirectory();
      const path = join(root, "a", "b", "sessions.sojourn");
      const before = process.umask(mask);
      onTestFinished(() => void process.umask(before));
      const store = storeAt(path);
      await store.create(recordOf("one"));
      expect(modeOf(join(root, "a"))).toBe(0o700);
      expect(modeOf(join(root, "a", "b"))).toBe(0o700);
      expect(modeOf(path)).toBe(0o600);
      expect(modeOf(`${path}.lock`)).toBe(0o600);
      await store.close();
      expect(namesIn(dirname(path))).toEqual(["sessions.sojourn"]);
    },
  );

  test("D-01 leaves a directory that was there as it is", async () => {
    const root = newDirectory();
    chmodSync(root, 0o755);
    await storeAt(join(root, "s")).open();
    expect(modeOf(root)).toBe(0o755);
  });

  test("D-01 closes a file to other users that an earlier program left open to them", async () => {
    const path = newPath();
    const first = storeAt(path);
    await first.open();
    await first.close();
    chmodSync(path, 0o644);
    await storeAt(path).open();
    expect(modeOf(path)).toBe(0o600);
  });

  test("creates nothing before the first operation", async () => {
    const path = newPath();
    const store = storeAt(path);
    expect(namesIn(dirname(path))).toEqual([]);
    await store.close();
    expect(namesIn(dirname(path))).toEqual([]);
  });

  test("opens an empty file as a new one", async () => {
    const path = newPath();
    writeFileSync(path, "");
    const store = storeAt(path);
    await store.create(recordOf("one"));
    await store.close();
    expect(linesIn(path)).toHaveLength(FIRST_LINES + 1);
  });
});

describe("D-02 D-03 loading", () => {
  test("D-02 brings every kind back, alive and ended, with its lists, counts and grace", async () => {
    const path = newPath();
    const first = storeAt(path);
    for (const kind of ["session", "grant", "__proto__"]) {
      await first.create(recordOf("alive", { kind }));
      await first.create(recordOf("ended", { kind }));
      await first.end(refOf("ended", kind), LOGOUT);
      await first.create(recordOf("old", { kind }));
      const ending = { why: "rotated", at: START } as const;
      const successor = recordOf("new", { kind, handle: recordOf("old").handle });
      await first.replace(refOf("old", kind), successor, {
        expectedVersion: 1,
        ending,
        graceMs: 5_000,
      });
      await first.create(recordOf("taken", { kind }));
      await first.consume(refOf("taken", kind));
      await first.touch(refOf("alive", kind), START + 5, START + HOUR + 5);
    }
    await first.close();

    const store = storeAt(path);
    for (const kind of ["session", "grant", "__proto__"]) {
      const alive = recordOf("alive", { kind, seenAt: START + 5, expiresAt: START + HOUR + 5 });
      expect(await store.read(refOf("alive", kind))).toEqual(alive);
      expect(await store.read(refOf("ended", kind))).toMatchObject({ ending: LOGOUT });
      expect(await store.read(refOf("old", kind))).toMatchObject({ key: "abc.new" });
      expect(await store.read(refOf("taken", kind))).toBeNull();
      expect(await store.listOwner(kind, recordOf("x").owner as never)).toHaveLength(2);
      expect(await store.count(kind)).toMatchObject({ active: 2, principals: 1 });
    }
  });

  test("D-03 drops what has expired, each record by its own expiry, and reports how many", async () => {
    const path = newPath();
    const first = storeAt(path);
    await first.create(recordOf("short", { expiresAt: START + 1_000 }));
    await first.create(recordOf("grant", { kind: "grant", expiresAt: START + 1_000 }));
    await first.create(recordOf("touched", { expiresAt: START + 1_000 }));
    await first.touch(refOf("touched"), START, START + HOUR);
    await first.create(recordOf("ended", { expiresAt: START + 1_000 }));
    await first.end(refOf("ended"), LOGOUT);
    await first.create(recordOf("long"));
    await first.close();

    const reports: OpenReport[] = [];
    const clock = new HandClock(START + 1_000);
    const store = storeAt(path, { clock, onOpen: (report) => reports.push(report) });
    await store.open();
    expect(reports).toEqual([{ records: 2, dropped: 2, tornBytes: 0, migratedFrom: null }]);
    expect(await store.count("session")).toMatchObject({ active: 2 });
    expect(await store.read(refOf("short"))).toMatchObject({ ending: { why: "idle" } });
  });

  test("D-03 keeps a record that is alive 1 ms before its expiry", async () => {
    const path = newPath();
    const first = storeAt(path);
    await first.create(recordOf("one", { expiresAt: START + 1_000 }));
    await first.close();
    const store = storeAt(path, { clock: new HandClock(START + 999) });
    expect(await store.read(refOf("one"))).toMatchObject({ version: 1 });
  });
});

describe("D-05 what cannot be used", () => {
  test("D-05 a directory without write access: refuses with the cause, leaves no probe", async () => {
    const path = newPath();
    const directory = dirname(path);
    chmodSync(directory, 0o555);
    const asRoot = process.geteuid?.() === 0;
    if (asRoot) process.seteuid?.(65_534);
    onTestFinished(() => {
      if (asRoot) process.seteuid?.(0);
      chmodSync(directory, 0o755);
    });
    const opening = storeAt(path).open();
    await expect(opening).rejects.toMatchObject({
      code: "SOJOURN_STORE_UNAVAILABLE",
      cause: { code: "EACCES" },
      message: expect.stringContaining(path) as string,
    });
    expect(namesIn(directory)).toEqual([]);
  });

  test.each([
    [
      "a symbolic link",
      (path: string) => symlinkSync(`${path}.target`, path),
      "it is a symbolic link",
    ],
    ["a directory", (path: string) => mkdirSync(path), "it is a directory"],
  ])("T-FILE2 refuses %s and leaves nothing behind", async (_what, make, said) => {
    const path = newPath();
    writeFileSync(`${path}.target`, "");
    make(path);
    const before = namesIn(dirname(path));
    const store = storeAt(path);
    const refusal = {
      code: "SOJOURN_STORE_UNAVAILABLE",
      message: expect.stringContaining(said) as string,
    };
    await expect(store.open()).rejects.toMatchObject(refusal);
    await expect(store.create(recordOf("one"))).rejects.toMatchObject(refusal);
    await expect(store.read(refOf("one"))).rejects.toMatchObject(refusal);
    await store.close();
    expect(namesIn(dirname(path))).toEqual(before);
    expect(readFileSync(`${path}.target`, "utf8")).toBe("");
  });

  test("opens once what stood in the way is gone", async () => {
    const path = newPath();
    writeFileSync(join(dirname(path), "file"), "");
    const store = storeAt(join(dirname(path), "file", "sessions"));
    await expect(store.open()).rejects.toMatchObject({ code: "SOJOURN_STORE_UNAVAILABLE" });
    rmSync(join(dirname(path), "file"));
    await store.open();
  });

  test("T-FILE1 makes no file from a key, a handle, an owner or a kind", async () => {
    const path = newPath();
    const store = storeAt(path);
    for (const name of ["../../etc/passwd", "/tmp/x", "a\0b", "..", "\n", "x".repeat(5_000)]) {
      await store.create(recordOf(name, { kind: name, owner: null }));
      expect(await store.read(refOf(name, name))).toMatchObject({ key: `abc.${name}` });
    }
    expect(namesIn(dirname(path))).toEqual(["sessions.sojourn", "sessions.sojourn.lock"]);
    await store.close();
    const again = storeAt(path);
    expect(await again.read(refOf("\n", "\n"))).toMatchObject({ key: "abc.\n" });
  });
});
