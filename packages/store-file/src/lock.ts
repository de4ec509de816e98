/** One writer: the lock file beside the data file, its heartbeat, and the recovery of a stale one. */
import { randomBytes } from "node:crypto";
import { unlink, utimes } from "node:fs/promises";
import type { SojournError } from "@sojourn/core/store";
import { locked, systemCode, unavailable } from "./errors.ts";
import { createPrivateFile } from "./files.ts";
import { HOLDER_FORGOTTEN_MS, describe, isStale, readHolder, thisProcess } from "./holder.ts";
import type { FoundHolder } from "./holder.ts";

/** How often the holder touches its lock: 10 s. */
export const HEARTBEAT_MS = 10_000;
const CONFIRM_AFTER_MS = 15_000;
const RETRY_MS = 20;
const RETRIES = 100;

/** The held lock of one data file. */
export class FileLock {
  readonly #dataPath: string;
  readonly #path: string;
  readonly #nonce: string;
  readonly #timer: NodeJS.Timeout;
  #confirmedAt: number = Date.now();
  #lost: SojournError | null = null;

  private constructor(dataPath: string, path: string, nonce: string) {
    this.#dataPath = dataPath;
    this.#path = path;
    this.#nonce = nonce;
    this.#timer = setInterval(() => void this.#beat(), HEARTBEAT_MS);
    this.#timer.unref();
  }

  /**
   * Takes the lock `<dataPath>.lock`.
   * @throws SOJOURN_STORE_LOCKED when another process, or this one, holds it;
   * SOJOURN_STORE_UNAVAILABLE when the directory cannot be written.
   */
  static async acquire(dataPath: string): Promise<FileLock> {
    const path = `${dataPath}.lock`;
    try {
      return new FileLock(dataPath, path, await take(path, dataPath));
    } catch (error) {
      if (systemCode(error)?.startsWith("SOJOURN_")) throw error;
      throw unavailable(
        dataPath,
        "its directory cannot be written; give the process write access",
        error,
      );
    }
  }

  /** False once the lock is known to be somebody else's. */
  get isHeld(): boolean {
    return this.#lost === null;
  }

  /** @throws SOJOURN_STORE_LOCKED once the lock is known to be somebody else's. */
  assertHeld(): void {
    if (this.#lost) throw this.#lost;
  }

  /** Makes sure, by looking when the last look is 15 s old, that the lock is still ours. */
  async confirm(): Promise<void> {
    this.assertHeld();
    if (Math.abs(Date.now() - this.#confirmedAt) > CONFIRM_AFTER_MS) await this.#verify();
  }

  /** Lets go: stops the heartbeat, removes the file if it is still ours. */
  async release(): Promise<void> {
    clearInterval(this.#timer);
    await letGo(this.#path, this.#nonce);
  }

  async #beat(): Promise<void> {
    try {
      await this.#verify();
    } catch {
      // Lost is remembered; any other failure shows in the next confirm().
    }
  }

  async #verify(): Promise<void> {
    this.assertHeld();
    const found = await readHolder(this.#path);
    if (found?.id !== this.#nonce) {
      this.#lost = locked(
        this.#dataPath,
        `was taken over by ${found ? describe(found) : "somebody who removed its lock file"}. ` +
          "This store has stopped, so that two processes do not write one file; restart the process",
      );
      throw this.#lost;
    }
    const now = new Date();
    await utimes(this.#path, now, now);
    this.#confirmedAt = Date.now();
  }
}

async function take(path: string, dataPath: string): Promise<string> {
  for (let attempt = 0; attempt < RETRIES; attempt += 1) {
    const nonce = await create(path);
    if (nonce) return nonce;
    const found = await readHolder(path);
    if (!found) continue;
    if (!(await isStale(found))) throw heldBy(dataPath, found);
    if (!(await removeStale(path, dataPath, found))) await pause();
  }
  throw locked(dataPath, "is being taken over by other processes again and again; try later");
}

/**
 * Removes a stale lock. The right to do so is a lock of its own, named after the stale one: only
 * its holder may remove that one lock, so a lock that somebody took meanwhile is never touched.
 * False when another process is at it.
 */
async function removeStale(path: string, dataPath: string, stale: FoundHolder): Promise<boolean> {
  const right = `${path}.break-${stale.id}`;
  let nonce: string;
  try {
    nonce = await take(right, dataPath);
  } catch (error) {
    if (systemCode(error) === "SOJOURN_STORE_LOCKED") return false;
    throw error;
  }
  try {
    const now = await readHolder(path);
    if (now?.id === stale.id) await unlink(path);
  } finally {
    await letGo(right, nonce);
  }
  return true;
}

async function create(path: string): Promise<string | null> {
  const nonce = randomBytes(16).toString("hex");
  try {
    const handle = await createPrivateFile(path);
    try {
      await handle.writeFile(JSON.stringify(await thisProcess(nonce)));
    } catch (error) {
      await unlink(path);
      throw error;
    } finally {
      await handle.close();
    }
    return nonce;
  } catch (error) {
    if (systemCode(error) === "EEXIST") return null;
    throw error;
  }
}

async function letGo(path: string, nonce: string): Promise<void> {
  const found = await readHolder(path);
  if (found?.id !== nonce) return;
  await unlink(path).catch((error: unknown) => {
    if (systemCode(error) !== "ENOENT") throw error;
  });
}

function heldBy(dataPath: string, holder: FoundHolder): SojournError {
  const seconds = HOLDER_FORGOTTEN_MS / 1000;
  return locked(
    dataPath,
    `is in use by ${describe(holder)}. One file has one writer: stop that process, or give this ` +
      "one another path (processes that share sessions need a shared store, such as Redis). " +
      `A holder that is gone is recognised by itself, one elsewhere after ${seconds} s`,
    holder.process ? { pid: holder.process.pid, hostname: holder.process.hostname } : {},
  );
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, RETRY_MS));
}
