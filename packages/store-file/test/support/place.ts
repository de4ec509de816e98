/** A directory of its own for each test, and stores in it. */
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { isTombstone } from "@sojourn/core/store";
import { journalFile } from "../../src/files.ts";
import type { Wrap } from "../../src/open.ts";
import { parseOptions } from "../../src/options.ts";
import type { FileStoreOptions } from "../../src/options.ts";
import { FileStore } from "../../src/store.ts";
import { HandClock, refOf } from "./records.ts";

/** A new directory, removed when the test is over. */
export function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "sojourn-file-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A path for a data file in a new directory. */
export function newPath(): string {
  return join(newDirectory(), "sessions.sojourn");
}

function unexpected(message: string): never {
  throw new Error(`unexpected warning: ${message}`);
}

/** A store that is closed when the test is over; warnings are errors unless the test takes them. */
export function storeAt(
  path: string,
  options: Partial<FileStoreOptions> = {},
  wrap: Wrap = journalFile,
): FileStore {
  const parsed = parseOptions({ path, clock: new HandClock(), onWarning: unexpected, ...options });
  const store = new FileStore(parsed, wrap);
  onTestFinished(() => store.close().catch(() => {}));
  return store;
}

/** The names in a directory, sorted. */
export function namesIn(directory: string): string[] {
  return readdirSync(directory).toSorted();
}

/** The lines of a new file: its header and the seal. */
export const FIRST_LINES = 2;

/** The lines of a file, without the last LF. */
export function linesIn(path: string): string[] {
  return readFileSync(path, "utf8").trimEnd().split("\n");
}

/** `count` names of records. */
export function names(count: number, prefix: string = "r"): string[] {
  return Array.from({ length: count }, (_, serial) => `${prefix}${serial}`);
}

/** Closes a store; of the wanted names, those that the next process finds alive in its file. */
export async function aliveAfterRestart(
  store: FileStore,
  path: string,
  wanted: readonly string[],
): Promise<string[]> {
  await store.close();
  const again = storeAt(path);
  const alive: string[] = [];
  for (const name of wanted) {
    const found = await again.read(refOf(name));
    if (found && !isTombstone(found)) alive.push(name);
  }
  await again.close();
  return alive;
}
