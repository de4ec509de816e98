/** `snapshotFile`: sessions in a file from one process to the next. */
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { z } from "zod";
import { systemClock } from "../clock.ts";
import { isSojournError } from "../errors.ts";
import type { Logger } from "../events.ts";
import type { Sessions } from "../manager/types.ts";
import type {
  ExportOptions,
  ExportResult,
  ImportOptions,
  ImportResult,
} from "../snapshot/types.ts";
import { checked, loggerOption } from "./options.ts";
import { renameFile, replaceFile } from "./replace-file.ts";
import { enterStage } from "./stage.ts";
import { type LoggerOption, tell, tellError } from "./tell.ts";

/** Puts the sessions somewhere; the signal ends the attempt. */
export type SaveSnapshot = (
  sessions: Sessions,
  options?: { readonly signal?: AbortSignal },
) => Promise<ExportResult>;

/** What {@link SnapshotFile.restore} found. `file`: where the snapshot is now. */
export type RestoreOutcome =
  | { readonly status: "restored"; readonly result: ImportResult; readonly file: string }
  | { readonly status: "refused"; readonly error: Error; readonly file: string };

/** Options of {@link snapshotFile}. */
export interface SnapshotFileOptions {
  /** How it is written: keys, compression, a limit. Default: encrypted with the option `secret`. */
  readonly save?: Omit<ExportOptions, "signal">;
  /** How it is read. */
  readonly restore?: Omit<ImportOptions, "signal">;
  /** Default: errors become process warnings. False: silence. */
  readonly logger?: Logger | false;
}

/** A snapshot in a file. */
export interface SnapshotFile {
  readonly path: string;
  /** Replaces the file as a whole, mode 0600, when what was asked for earlier is done. Rejects with the old one untouched. */
  readonly save: SaveSnapshot;
  /**
   * Reads the file into the store; await it before the server listens. Null: there is none. What was
   * restored is renamed to `<path>.restored`, so that no crash brings it back a second time, with
   * all that was revoked since. A file that is damaged, or that no key opens, is kept as
   * `<path>.refused-<time>`, with an error in the log, and the application starts without it.
   * @throws SOJOURN_STORE_…; and the error of the system when a restored file cannot be renamed
   */
  restore(sessions: Sessions): Promise<RestoreOutcome | null>;
}

const optionsSchema = z.strictObject({
  save: z.record(z.string(), z.unknown()).optional(),
  restore: z.record(z.string(), z.unknown()).optional(),
  logger: loggerOption.optional(),
});

/**
 * The snapshot at a path, for a store that does not outlive its process, and for one process at a time.
 * @throws SOJOURN_OPTIONS_INVALID
 */
export function snapshotFile(path: string, options: SnapshotFileOptions = {}): SnapshotFile {
  checked("snapshotFile()", optionsSchema, options);
  let line: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = line.then(work);
    line = done.catch(() => {});
    return done;
  };
  return {
    path,
    save(sessions, { signal } = {}) {
      const how = { ...options.save, ...(signal && { signal }) };
      return inTurn(() => replaceFile(path, (to) => sessions.export(to, how)));
    },
    async restore(sessions) {
      enterStage(sessions, "restoring");
      try {
        return await inTurn(() => restore(path, sessions, options));
      } finally {
        enterStage(sessions, "serving");
      }
    },
  };
}

async function restore(
  path: string,
  sessions: Sessions,
  { restore: how, logger }: SnapshotFileOptions,
): Promise<RestoreOutcome | null> {
  const read = await readInto(path, (from) => sessions.import(from, how));
  if (read === null) return null;
  if (read instanceof Error)
    return { status: "refused", error: read, file: await setAside(path, read, logger) };
  const file = `${path}.restored`;
  await renameFile(path, file);
  const { restored, skipped } = read;
  tell(logger, { file, restored, skipped }, "sessions were restored from a snapshot");
  return { status: "restored", result: read, file };
}

/** Null: there is no file. An error: what is wrong with it. Rejects where the store is what failed. */
async function readInto<T>(
  path: string,
  take: (from: AsyncIterable<Uint8Array>) => Promise<T>,
): Promise<T | Error | null> {
  const stream = createReadStream(path);
  let broken: NodeJS.ErrnoException | undefined;
  stream.once("error", (error) => {
    broken = error;
  });
  try {
    await once(stream, "open");
    return await take(stream);
  } catch (error) {
    if (broken?.code === "ENOENT") return null;
    if (broken) return broken;
    if (isSojournError(error) && error.code === "SOJOURN_SNAPSHOT_INVALID") return error;
    throw error;
  } finally {
    stream.destroy();
  }
}

/** Away from where the next snapshot goes. */
async function setAside(path: string, error: Error, logger: LoggerOption): Promise<string> {
  const time = new Date(systemClock.now()).toISOString().replaceAll(/[:.]/g, "-");
  const file = `${path}.refused-${time}`;
  try {
    await renameFile(path, file);
    tellError(logger, { file, err: error }, "a snapshot was not restored, and is kept");
    return file;
  } catch (cause) {
    tellError(logger, { file: path, err: error }, "a snapshot was not restored");
    tellError(
      logger,
      { file, err: cause },
      "that snapshot cannot be renamed: move it, or the next one replaces it",
    );
    return path;
  }
}
