/** from one process to the next through a file, and what happens when the file is no good. */
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { readiness, snapshotFile } from "../../src/server/index.ts";
import { failureCode, must, parallel, world, type World } from "../support/world.ts";

async function place(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "sojourn-snapshot-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return join(folder, "data", "sessions.snapshot");
}

async function filesAt(path: string): Promise<string[]> {
  return (await readdir(join(path, ".."))).toSorted();
}

/** A manager with so many sessions. */
async function full(count: number): Promise<World> {
  const made = world();
  await parallel(count, (index) => made.sessions.create({ principal: `user-${index}` }));
  return made;
}

describe("save", () => {
  test("[A-15] writes a whole file for its owner alone, and leaves nothing beside it", async () => {
    const path = await place();
    const { sessions } = await full(3);
    expect(await snapshotFile(path).save(sessions)).toMatchObject({ exported: 3 });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(join(path, ".."))).mode & 0o777).toBe(0o700);
    expect(await filesAt(path)).toEqual(["sessions.snapshot"]);
    expect(await readFile(path, "utf8")).not.toContain("user-1");
  });

  test("[A-15] that fails or is given up leaves the earlier file as it was", async () => {
    const path = await place();
    const { sessions, store } = await full(3);
    await snapshotFile(path).save(sessions);
    const before = await readFile(path);
    await expect(
      snapshotFile(path).save(sessions, { signal: AbortSignal.abort() }),
    ).rejects.toMatchObject({ name: "AbortError" });
    store.scan = async function* () {
      yield* [];
      throw new Error("the store went away");
    };
    await expect(snapshotFile(path).save(sessions)).rejects.toThrow("the store went away");
    expect(await readFile(path)).toEqual(before);
    expect(await filesAt(path)).toEqual(["sessions.snapshot"]);
  });

  test("[A-15] one comes after the other: the last that was asked for is what stays", async () => {
    const path = await place();
    const { sessions } = await full(1);
    const file = snapshotFile(path);
    const order: number[] = [];
    await parallel(5, async (index) => {
      await sessions.create({ principal: `later-${index}` });
      await file.save(sessions);
      order.push(index);
    });
    expect(order).toEqual([0, 1, 2, 3, 4]);
    const next = world();
    await file.restore(next.sessions);
    expect((await next.sessions.count()).active).toBe(6);
  });
});

describe("restore", () => {
  test("[A-15] has the sessions usable when it resolves, and renames the file first", async () => {
    const path = await place();
    const first = world();
    const visitor = first.browser();
    await visitor.visit((session) => session.login("ada"));
    await snapshotFile(path).save(first.sessions);

    const second = world({ clock: first.clock });
    const outcome = await snapshotFile(path).restore(second.sessions);
    expect(outcome).toMatchObject({
      status: "restored",
      file: `${path}.restored`,
      result: { restored: 1 },
    });
    expect(await visitor.at(second.pipeline).visit((session) => session.principal)).toBe("ada");
    expect(await filesAt(path)).toEqual(["sessions.snapshot.restored"]);
  });

  test("[A-15] [G1] a crash after it brings nothing back that was revoked since", async () => {
    const path = await place();
    const first = await full(2);
    await snapshotFile(path).save(first.sessions);
    const second = world({ clock: first.clock });
    await snapshotFile(path).restore(second.sessions);
    await second.sessions.revokeAll("user-0");
    // It is killed here: no snapshot. The next process finds none.
    const third = world({ clock: first.clock });
    expect(await snapshotFile(path).restore(third.sessions)).toBe(null);
    expect((await third.sessions.count()).active).toBe(0);
  });

  test("[A-15] [G1] what was revoked before the snapshot stays dead after it", async () => {
    const path = await place();
    const first = await full(3);
    await first.sessions.revokeAll("user-1");
    await snapshotFile(path).save(first.sessions);
    const second = world({ clock: first.clock });
    await snapshotFile(path).restore(second.sessions);
    const left = await second.sessions.principals();
    expect(left.items.map(({ principal }) => principal).toSorted()).toEqual(["user-0", "user-2"]);
  });

  test("[A-15] a process that is told to go while it restores saves all of it, not what it has so far", async () => {
    const path = await place();
    const first = await full(1_200);
    await snapshotFile(path).save(first.sessions);
    const second = world({ clock: first.clock });
    const file = snapshotFile(path);
    await Promise.all([file.restore(second.sessions), file.save(second.sessions)]);
    const third = world({ clock: first.clock });
    await snapshotFile(path).restore(third.sessions);
    expect((await third.sessions.count()).active).toBe(1_200);
  });

  test("[A-15] where there is no file: null, and nothing is made", async () => {
    const path = await place();
    expect(await snapshotFile(path).restore(world().sessions)).toBe(null);
    await expect(stat(join(path, ".."))).rejects.toMatchObject({ code: "ENOENT" });
  });

  const damages: [string, (bytes: Uint8Array) => Uint8Array | string][] = [
    ["cut off", (bytes) => bytes.subarray(0, bytes.length / 2)],
    ["empty", () => ""],
    ["something else", () => "<html>"],
    [
      "altered",
      (bytes) => {
        const middle = Math.floor(bytes.length * 0.7);
        bytes[middle] = bytes[middle] === 65 ? 66 : 65;
        return bytes;
      },
    ],
    [
      "of a newer version",
      (bytes) => Buffer.from(bytes).toString().replace('"version":1', '"version":2'),
    ],
  ];
  test.for(damages)(
    "[A-15] a file that is %s: the application starts, an error is told, the file is kept",
    async ([, damage]) => {
      const path = await place();
      const first = await full(20);
      await snapshotFile(path).save(first.sessions);
      const damaged = Buffer.from(damage(await readFile(path)));
      await writeFile(path, damaged);

      const errors: [object, string][] = [];
      const logger = {
        debug() {},
        info() {},
        warn() {},
        error: (facts: object, message: string) => void errors.push([facts, message]),
      };
      const second = world({ clock: first.clock });
      const file = snapshotFile(path, { logger });
      const outcome = must(await file.restore(second.sessions));
      expect(outcome).toMatchObject({
        status: "refused",
        error: { code: "SOJOURN_SNAPSHOT_INVALID" },
      });
      expect(outcome.file).toMatch(/sessions\.snapshot\.refused-\d{4}-\d\d-\d\dT[\d-]+Z$/);
      expect(errors).toMatchObject([
        [{ file: outcome.file, err: { code: "SOJOURN_SNAPSHOT_INVALID" } }, expect.any(String)],
      ]);
      expect((await second.sessions.health()).status).toBe("up");

      await file.save(second.sessions);
      expect(await readFile(outcome.file)).toEqual(damaged);
      expect(await filesAt(path)).toHaveLength(2);
    },
  );

  test("[A-15] a file that no key opens is kept, and opens with its key", async () => {
    const path = await place();
    const keys = { keys: "another secret, of the process that wrote it" };
    const first = await full(2);
    await snapshotFile(path, { save: keys }).save(first.sessions);
    const second = world({ clock: first.clock });
    const refused = must(await snapshotFile(path, { logger: false }).restore(second.sessions));
    expect(refused).toMatchObject({
      status: "refused",
      error: { details: { reason: "unknown-key" } },
    });
    const found = await snapshotFile(refused.file, { restore: keys }).restore(second.sessions);
    expect(found).toMatchObject({ status: "restored", result: { restored: 2 } });
  });

  test("[A-15] what cannot be read at all is no reason not to start either", async () => {
    const path = await place();
    await mkdir(path, { recursive: true });
    const outcome = await snapshotFile(path, { logger: false }).restore(world().sessions);
    expect(outcome).toMatchObject({ status: "refused", error: { code: "EISDIR" } });
  });

  test("[A-15] a store that is down is one, and the file stays for the next try", async () => {
    const path = await place();
    const first = await full(2);
    await snapshotFile(path).save(first.sessions);
    const second = world({ clock: first.clock });
    await second.sessions.close();
    const restored = snapshotFile(path).restore(second.sessions);
    expect(await failureCode(restored)).toBe("SOJOURN_STORE_CLOSED");
    expect(await filesAt(path)).toEqual(["sessions.snapshot"]);
  });

  test("[A-15] [A-27] readiness says no while it runs", async () => {
    const path = await place();
    const { sessions } = await full(2);
    const file = snapshotFile(path);
    await file.save(sessions);
    const restoring = file.restore(sessions);
    expect(await readiness(sessions)).toMatchObject({ status: 503, body: { stage: "restoring" } });
    await restoring;
    expect((await readiness(sessions)).status).toBe(200);
  });
});
