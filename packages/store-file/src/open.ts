/** Opening: directory, lock, leftovers, then the file as it is found: new, good, torn, old or corrupt. */
import { randomBytes } from "node:crypto";
import { lstat, rename, unlink } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { RecordTable, isSojournError } from "@sojourn/core/store";
import type { Effect } from "@sojourn/core/store";
import { corrupt, systemCode, unavailable } from "./errors.ts";
import * as files from "./files.ts";
import { Journal } from "./journal.ts";
import { SEAL, encodeHeader, encodeLines } from "./line.ts";
import { load } from "./load.ts";
import type { Loaded } from "./load.ts";
import { FileLock } from "./lock.ts";
import { keepOriginal, readVersionZero } from "./migrate.ts";
import type { OpenReport, ParsedOptions } from "./options.ts";
import { assertRecord } from "./storable.ts";
import { countInSlices } from "./sweeper.ts";
import { setTornTailAside } from "./torn.ts";

/** An open file store. */
export interface Opened {
  readonly lock: FileLock;
  readonly table: RecordTable;
  readonly journal: Journal;
}

/** How the store gets at an open file; tests put a failing one in between. */
export type Wrap = (handle: FileHandle) => files.JournalFile;

type Replayed = Extract<Loaded, { status: "loaded" }>;
interface Read {
  readonly handle: FileHandle;
  readonly table: RecordTable;
  readonly replayed: Replayed;
  readonly migratedFrom: number | null;
}

/**
 * Opens the file of a store and takes its lock.
 * @throws SOJOURN_STORE_UNAVAILABLE, SOJOURN_STORE_LOCKED, SOJOURN_STORE_CORRUPT or
 * SOJOURN_STORE_NEWER_FORMAT; nothing is held and nothing was changed then.
 */
export async function openStore(options: ParsedOptions, wrap: Wrap): Promise<Opened> {
  const { path } = options;
  try {
    await files.ensureDirectory(dirname(path));
    await assertUsable(path);
    const lock = await FileLock.acquire(path);
    try {
      return await new Opening(options, wrap, lock).run();
    } catch (error) {
      await lock.release();
      throw error;
    }
  } catch (error) {
    throw isSojournError(error) ? error : unavailable(path, "it cannot be opened", error);
  }
}

/** One opening, with the lock held. */
class Opening {
  readonly #options: ParsedOptions;
  readonly #wrap: Wrap;
  readonly #lock: FileLock;
  #journal: Journal | null = null;

  constructor(options: ParsedOptions, wrap: Wrap, lock: FileLock) {
    this.#options = options;
    this.#wrap = wrap;
    this.#lock = lock;
  }

  async run(): Promise<Opened> {
    const { path, durability } = this.#options;
    await files.removeLeftovers(path);
    if (await isEmpty(path)) await this.#writeFresh([]);
    const { handle, table, replayed, migratedFrom } = await this.#readOrSetAside();
    try {
      await this.#makePrivate(handle);
      const { length, tornBytes, marked } = replayed;
      if (tornBytes > 0) await setTornTailAside(handle, length, tornBytes, this.#options);
      const file = this.#wrap(handle);
      await file.sync(); // a process that was killed may have left what was read to the system only
      await this.#report(table, replayed, migratedFrom);
      const confirm = (): Promise<void> => this.#lock.confirm();
      this.#journal = new Journal({ path, durability, file, length, marked, confirm });
      return { lock: this.#lock, table, journal: this.#journal };
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  async #readOrSetAside(): Promise<Read> {
    const { path, onCorrupt, clock, onWarning } = this.#options;
    try {
      return await this.#read();
    } catch (error) {
      if (systemCode(error) !== "SOJOURN_STORE_CORRUPT" || onCorrupt === "refuse") throw error;
      const aside = await files.asideName(path, "corrupt", clock.now());
      await rename(path, aside);
      onWarning(`${String(error)}. It is now ${aside}; the store begins empty`);
      await this.#writeFresh([]);
      return this.#read();
    }
  }

  async #read(): Promise<Read> {
    const { path, clock } = this.#options;
    const table = this.#newTable();
    const handle = await files.openExisting(path);
    try {
      const loaded = await load(handle, path, table, clock.now());
      if (loaded.status === "loaded") {
        return { handle, table, replayed: loaded, migratedFrom: null };
      }
      await this.#migrate(handle);
    } catch (error) {
      await handle.close();
      throw error;
    }
    await handle.close();
    return { ...(await this.#read()), migratedFrom: 0 };
  }

  async #migrate(handle: FileHandle): Promise<void> {
    const { path } = this.#options;
    const old = await readVersionZero(handle);
    if (!old) throw corrupt(path, 1, 0, "this is not the first line of a session file");
    for (const record of old.records) assertRecord(record);
    await keepOriginal(path, old.bytes);
    await this.#writeFresh(old.records.map((put) => ({ put })));
  }

  #newTable(): RecordTable {
    const { clock, maxRecords } = this.#options;
    return new RecordTable({
      clock,
      maxRecords,
      onEffects: (effects) => this.#journal?.append(encodeLines(effects)),
    });
  }

  /** A new file in the place of whatever is there, as a whole or not at all. */
  async #writeFresh(effects: readonly Effect[]): Promise<void> {
    const { path, clock } = this.#options;
    const temporary = files.temporaryName(path, randomBytes(6).toString("hex"));
    const handle = await files.createPrivateFile(temporary);
    try {
      await handle.write(encodeHeader(clock.now()));
      for (const effect of effects) await handle.write(encodeLines([effect]).join(""));
      await handle.write(SEAL);
      await handle.sync();
      await rename(temporary, path);
    } catch (error) {
      await unlink(temporary).catch(() => {});
      throw error;
    } finally {
      await handle.close();
    }
    await files.syncDirectory(dirname(path));
  }

  async #makePrivate(handle: FileHandle): Promise<void> {
    const { mode } = await handle.stat();
    if ((mode & 0o077) === 0) return;
    await handle.chmod(0o600).catch((error: unknown) => {
      const { path, onWarning } = this.#options;
      onWarning(`The session file ${path} is open to other users and stays so: ${String(error)}`);
    });
  }

  async #report(
    table: RecordTable,
    replayed: Replayed,
    migratedFrom: number | null,
  ): Promise<void> {
    let records = 0;
    for (const kind of replayed.kinds) records += (await countInSlices(table, kind)).active;
    const { dropped, tornBytes } = replayed;
    const report: OpenReport = { records, dropped, tornBytes, migratedFrom };
    this.#options.onOpen(report);
  }
}

async function assertUsable(path: string): Promise<void> {
  const found = await lstat(path).catch((error: unknown) => {
    if (systemCode(error) === "ENOENT") return null;
    throw error;
  });
  if (!found || found.isFile()) return;
  const what = found.isSymbolicLink()
    ? "a symbolic link, which is not followed; give the path that it leads to"
    : found.isDirectory()
      ? "a directory; give the path of a file in it"
      : "not a regular file";
  throw unavailable(path, `it is ${what}`);
}

async function isEmpty(path: string): Promise<boolean> {
  return !(await files.exists(path)) || (await lstat(path)).size === 0;
}
