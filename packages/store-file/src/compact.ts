/** Compaction: the live state into a new file that takes the place of the journal. */
import { randomBytes } from "node:crypto";
import { rename, unlink } from "node:fs/promises";
import type { RecordTable, UnixMs } from "@sojourn/core/store";
import { createPrivateFile, temporaryName, writeAll } from "./files.ts";
import type { JournalFile } from "./files.ts";
import type { FileHandle } from "node:fs/promises";
import type { GoodFile, Journal } from "./journal.ts";
import { SEAL, encodeHeader, encodeLines } from "./line.ts";

/** Written between two turns of the event loop. */
const SLICE_BYTES = 256 * 1024;

/** What a compaction works on. */
export interface Compaction {
  readonly path: string;
  readonly table: RecordTable;
  readonly journal: Journal;
  readonly now: UnixMs;
  readonly wrap: (handle: FileHandle) => JournalFile;
  /** Rejects when the file is no longer ours to replace. */
  readonly confirm: () => Promise<void>;
  /** Stops it; the old file stays in use. */
  readonly signal: AbortSignal;
}

/** Appends to a new file and keeps count. */
class Output {
  readonly file: JournalFile;
  length = 0;

  constructor(file: JournalFile) {
    this.file = file;
  }

  async write(text: string): Promise<void> {
    const bytes = Buffer.from(text);
    await writeAll(this.file, bytes, this.length);
    this.length += bytes.length;
  }
}

/**
 * Rewrites the file with what is alive. Changes go on meanwhile: they are written to the old file
 * and follow the state in the new one. On any failure the old file stays in use.
 */
export async function compact(compaction: Compaction): Promise<void> {
  const { path, journal, wrap, table, now, signal } = compaction;
  const temporary = temporaryName(path, randomBytes(6).toString("hex"));
  const output = new Output(wrap(await createPrivateFile(temporary)));
  let inUse = false;
  try {
    const collected = journal.collect();
    await output.write(encodeHeader(now));
    await writeState(table, output, signal);
    await output.write(collected.splice(0).join(""));
    await output.file.sync();
    await journal.replace(async (): Promise<GoodFile> => {
      await output.write(collected.join("") + SEAL);
      await output.file.sync();
      await compaction.confirm();
      signal.throwIfAborted();
      await rename(temporary, path);
      inUse = true;
      return output;
    });
  } catch (error) {
    if (!inUse) {
      journal.stopCollecting();
      await output.file.close().catch(() => {});
      await unlink(temporary).catch(() => {}); // else removed at the next open
    }
    throw error;
  }
}

async function writeState(table: RecordTable, output: Output, signal: AbortSignal): Promise<void> {
  let slice = "";
  for (const effect of table.state()) {
    slice += encodeLines([effect]).join("");
    if (slice.length < SLICE_BYTES) continue;
    await output.write(slice);
    signal.throwIfAborted();
    slice = "";
  }
  await output.write(slice);
}
