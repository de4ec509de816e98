/** Replaces a file as a whole or not at all. */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import type { Writable } from "node:stream";

/**
 * Writes beside the file and renames: whoever reads finds the old file or the new one, also after a
 * power cut. Only the owner may read it. Rejects with what `write` rejects with, the old file untouched.
 */
export async function replaceFile<T>(
  path: string,
  write: (to: Writable) => Promise<T>,
): Promise<T> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    const file = createWriteStream(temporary, { flags: "wx", mode: 0o600, flush: true });
    const result = await write(file);
    if (!file.closed) await once(file, "close");
    await renameFile(temporary, path);
    return result;
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Gives a file another name for good; what had that name is gone. */
export async function renameFile(from: string, to: string): Promise<void> {
  await rename(from, to);
  await syncFolder(to);
}

/** A new name is on the disk when its folder is. Windows knows no such thing. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const folder = await open(dirname(path), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
