/** Why a snapshot is not read, or not read any further. */
import { SojournError } from "../errors.ts";

/** What each reason means, and what to do. */
const REASONS = {
  "not-a-snapshot": "its first line is not the header of a snapshot of Sojourn",
  "newer-version": "a newer release of Sojourn wrote it: import it with that release",
  "unknown-key":
    "no key of the ring opens it: give the key that it was made with in the option keys, after the newest",
  plain:
    "it is not encrypted, so anybody may have written or altered it: set acceptPlain to take it all the same",
  damaged: "it was altered, or a part of it is missing: take another copy",
  truncated: "its end is missing: take another copy, or make it anew",
  "too-large": "a line or a segment of it is longer than any that is written here",
} as const;

/** Why a snapshot was refused. */
export type SnapshotRefusal = keyof typeof REASONS;

/** `line`: the first one that is not good, from 1. Nothing from there on was imported. */
export function refused(reason: SnapshotRefusal, line: number): SojournError {
  return new SojournError(
    "SOJOURN_SNAPSHOT_INVALID",
    `this snapshot cannot be imported from line ${line} on (${reason}): ${REASONS[reason]}. Nothing of that part was imported, and nothing was overwritten`,
    { details: { reason, line } },
  );
}
