/** The file system as the store uses it: private directories, private files, durable renames. */
import { constants } from "node:fs";
import { chmod, lstat, mkdir, open, readdir, unlink } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { systemCode } from "./errors.ts";

const PRIVATE_DIRECTORY = 0o700;
const PRIVATE_FILE = 0o600;

/** How systems say that a directory cannot be opened or synced. */
const NO_DIRECTORY_SYNC = ["EINVAL", "EPERM", "EISDIR", "ENOTSUP"];

/** What the journal needs of an open file; narrow, so that tests can make it fail. */
export interface JournalFile {
  /** Writes from `offset` of `bytes` at `position`; returns how many bytes it took. */
  write(bytes: Uint8Array, offset: number, position: number): Promise<number>;
  /** Returns when everything written is on the disk. */
  sync(): Promise<void>;
  truncate(length: number): Promise<void>;
  close(): Promise<void>;
}

/** An open file of the system as a {@link JournalFile}. */
export function journalFile(handle: FileHandle): JournalFile {
  return {
    write: async (bytes, offset, position) => {
      const { bytesWritten } = await handle.write(bytes, offset, bytes.length - offset, position);
      return bytesWritten;
    },
    sync: () => handle.sync(),
    truncate: (length) => handle.truncate(length),
    close: () => handle.close(),
  };
}

/** Writes all of `bytes` at `position`, however many calls it takes. */
export async function writeAll(
  file: JournalFile,
  bytes: Uint8Array,
  position: number,
): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    const taken = await file.write(bytes, written, position + written);
    if (taken <= 0) throw new Error("the system took no bytes of a write");
    written += taken;
  }
}

/** Makes a directory and those above it: 0700 where it has to create one, whatever the umask. */
export async function ensureDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, PRIVATE_DIRECTORY);
  } catch (error) {
    if (systemCode(error) === "EEXIST") return;
    if (systemCode(error) !== "ENOENT" || dirname(path) === path) throw error;
    await ensureDirectory(dirname(path));
    return ensureDirectory(path);
  }
  await chmod(path, PRIVATE_DIRECTORY);
  await syncDirectory(dirname(path));
}

/** Creates a file that did not exist, 0600 whatever the umask. */
export async function createPrivateFile(path: string): Promise<FileHandle> {
  const handle = await open(path, "wx+", PRIVATE_FILE);
  try {
    await handle.chmod(PRIVATE_FILE);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Opens an existing file without following a symbolic link. */
export function openExisting(path: string): Promise<FileHandle> {
  return open(path, constants.O_RDWR | constants.O_NOFOLLOW);
}

/** Makes the entries of a directory durable (creations, renames), where the system knows how. */
export async function syncDirectory(path: string): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, constants.O_RDONLY);
    await handle.sync();
  } catch (error) {
    if (!NO_DIRECTORY_SYNC.includes(systemCode(error) ?? "")) throw error;
  } finally {
    await handle?.close();
  }
}

/** True if something, whatever it is, has this name. */
export async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    (error: unknown) => {
      if (systemCode(error) === "ENOENT") return false;
      throw error;
    },
  );
}

/** A name nobody uses: `base`, else `base-1`, `base-2` … */
export async function freeName(base: string): Promise<string> {
  for (let attempt = 0; ; attempt += 1) {
    const name = attempt === 0 ? base : `${base}-${attempt}`;
    if (!(await exists(name))) return name;
  }
}

/** `path.<word>-<ISO time>`, free, with no character that a file system dislikes. */
export function asideName(path: string, word: string, now: number): Promise<string> {
  const stamp = new Date(now).toISOString().replaceAll(":", "-");
  return freeName(`${path}.${word}-${stamp}`);
}

/** The name of a temporary file beside `path`. */
export function temporaryName(path: string, unique: string): string {
  return `${path}.tmp-${process.pid}-${unique}`;
}

/**
 * Removes what a crash left beside `path`: temporary files, and rights to break locks that are
 * gone. The caller holds the lock.
 */
export async function removeLeftovers(path: string): Promise<void> {
  const leftOver = /^(?:\.tmp-\d+-[0-9a-f]+|\.lock(?:\.break-[0-9a-f]{32})+)$/;
  for (const name of await readdir(dirname(path))) {
    const own = name.startsWith(basename(path));
    if (!own || !leftOver.test(name.slice(basename(path).length))) continue;
    await unlink(join(dirname(path), name)).catch(ignoreMissing);
  }
}

function ignoreMissing(error: unknown): void {
  if (systemCode(error) !== "ENOENT") throw error;
}
