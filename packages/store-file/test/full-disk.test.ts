/** A really full disk: the kernel refuses, nothing acknowledged is lost, the store recovers. */
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { Child, bundleProgram } from "./support/child.ts";
import { newDirectory, newPath, storeAt } from "./support/place.ts";
import { recordOf, refOf } from "./support/records.ts";

let program: Awaited<ReturnType<typeof bundleProgram>>;
beforeAll(async () => {
  program = await bundleProgram();
});
afterAll(() => program.remove());

const FAILED = "SOJOURN_STORE_WRITE_FAILED";

test("a file size limit (RLIMIT_FSIZE): refused at the limit, all that was acknowledged is there", async () => {
  const path = newPath();
  const limited = `ulimit -f 256; exec "$0" "$@"`;
  const child = new Child("/bin/sh", [
    "-c",
    limited,
    process.execPath,
    program.script,
    "fill",
    path,
  ]);
  await child.exited;
  const acknowledged = child.lines.slice(0, -2);
  expect(child.lines.slice(-2)).toEqual([FAILED, FAILED]); // the change, then close()
  expect(acknowledged.length).toBeGreaterThan(20);
  const store = storeAt(path);
  for (const name of acknowledged) expect(await store.read(refOf(name))).not.toBeNull();
  await store.create(recordOf("more"));
});

test("ENOSPC on a tmpfs of 256 KiB: refused, readable, and writable again when there is space", async (context) => {
  const disk = join(newDirectory(), "disk");
  mkdirSync(disk);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=256k", "tmpfs", disk], { stdio: "pipe" });
  } catch (error) {
    context.skip(`this user may not mount a tmpfs (${String(error)}); the test above covers it`);
  }
  onTestFinished(() => void execFileSync("umount", ["-l", disk]));
  writeFileSync(join(disk, "ballast"), Buffer.alloc(100_000));
  const path = join(disk, "sessions");
  const store = storeAt(path);
  const acknowledged: string[] = [];
  const create = async (serial: number): Promise<void> => {
    const payload = "x".repeat(5_000);
    await store.create(recordOf(`r${serial}`, { owner: null, payload }));
    acknowledged.push(`r${serial}`);
  };
  let serial = 0;
  const fill = async (): Promise<void> => {
    for (; ; serial += 1) await create(serial);
  };
  const refused = { code: FAILED, cause: { code: "ENOSPC" } };
  await expect(fill()).rejects.toMatchObject(refused);
  await expect(create(1_000)).rejects.toMatchObject(refused);
  expect(await store.read(refOf("r0"))).not.toBeNull();
  expect(await store.read(refOf("r1000"))).toBeNull();

  rmSync(join(disk, "ballast"));
  await create(2_000);
  await store.close();
  const again = storeAt(path);
  for (const name of acknowledged) expect(await again.read(refOf(name))).not.toBeNull();
  expect(acknowledged.length).toBeGreaterThan(10);
});
