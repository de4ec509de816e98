/** Counts what became of the records of an import. */
import type { Handle } from "../store/contract.ts";
import type { FailedRecord, ImportResult } from "./types.ts";

/** Why a record was not restored. */
export type Skip = keyof ImportResult["skipped"];

/** The most failures that are told one by one. */
const MOST_FAILURES = 100;

/** See the top of the file. */
export class Tally {
  readonly skipped: Record<Skip, number> = {
    expired: 0,
    duplicate: 0,
    invalid: 0,
    limit: 0,
    revoked: 0,
    filtered: 0,
  };
  readonly failed: FailedRecord[] = [];
  restored = 0;
  records = 0;
  bytes = 0;

  count(outcome: Skip | "restored", records = 1): void {
    if (outcome === "restored") this.restored += records;
    else this.skipped[outcome] += records;
  }

  /** Notes an invalid record; true while failures are told one by one. */
  fail(position: number, handle: Handle | null, reason: string): boolean {
    this.skipped.invalid += 1;
    if (this.failed.length === MOST_FAILURES) return false;
    this.failed.push({ position, handle, reason });
    return true;
  }
}
