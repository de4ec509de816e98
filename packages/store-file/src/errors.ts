/** The errors of the file store, each saying what happened, to which file, and what to do. */
import { SojournError } from "@sojourn/core/store";

/** The system's code of an error, such as `ENOSPC`; undefined where there is none. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string"
    ? error.code
    : undefined;
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** The file or its directory cannot be used as it is. */
export function unavailable(path: string, problem: string, cause?: unknown): SojournError {
  const because = cause === undefined ? "" : ` (${reason(cause)})`;
  return new SojournError(
    "SOJOURN_STORE_UNAVAILABLE",
    `Cannot use the session file ${path}: ${problem}${because}`,
    { cause, details: { path } },
  );
}

/** A batch could not be made durable. */
export function writeFailed(path: string, cause: unknown): SojournError {
  return new SojournError(
    "SOJOURN_STORE_WRITE_FAILED",
    `Cannot write the session file ${path}: ${reason(cause)}. ` +
      "Everything acknowledged so far is safe, this change is not; " +
      "free space or repair the disk, and the store goes on by itself",
    { cause, details: { path } },
  );
}

/** Somebody else holds the file, or took it over. */
export function locked(path: string, problem: string, details = {}): SojournError {
  return new SojournError("SOJOURN_STORE_LOCKED", `The session file ${path} ${problem}`, {
    details: { path, ...details },
  });
}

/** The store was closed. */
export function closed(path: string): SojournError {
  return new SojournError(
    "SOJOURN_STORE_CLOSED",
    `The file store of ${path} is closed; open a new one to go on`,
    { details: { path } },
  );
}

/** A line of the file is not what this store wrote. */
export function corrupt(path: string, line: number, offset: number, problem: string): SojournError {
  return new SojournError(
    "SOJOURN_STORE_CORRUPT",
    `The session file ${path} is corrupt at line ${line}, byte ${offset}: ${problem}. ` +
      "The file was left as it is; restore a backup, " +
      "or start once with onCorrupt: 'set-aside' to keep it aside and begin empty",
    { details: { path, line, offset } },
  );
}

/** The file was written by a later version of this store. */
export function newerFormat(path: string, version: number, known: number): SojournError {
  return new SojournError(
    "SOJOURN_STORE_NEWER_FORMAT",
    `The session file ${path} has format version ${version}; this store knows up to ${known}. ` +
      "The file was left as it is; use the newer release of @sojourn/store-file",
    { details: { path, version, known } },
  );
}

/** A value is longer than a line of the file may be. */
export function tooLarge(bytes: number, limit: number): SojournError {
  return new SojournError(
    "SOJOURN_DATA_TOO_LARGE",
    `A record of ${bytes} bytes does not fit into the session file (limit ${limit}); ` +
      "keep large data elsewhere and its key in the session",
    { details: { bytes, limit } },
  );
}
