/** Pages through the sessions of one principal, newest first. */
import { SojournError } from "../errors.ts";
import type { Engine } from "../lifecycle/engine.ts";
import type { StoredRecord } from "../store/contract.ts";
import { sessionInfo } from "./info.ts";
import type { Page, PageOptions, SessionInfo } from "./types.ts";

/** One page; the cursor names the last session shown, so that new logins shift nothing. */
export function pageOf(
  engine: Engine,
  records: readonly StoredRecord[],
  { cursor = null, limit = 100 }: PageOptions,
): Page<SessionInfo> {
  if (!Number.isSafeInteger(limit) || limit < 1) {
    throw new SojournError(
      "SOJOURN_OPTIONS_INVALID",
      "the limit of a page must be a whole number from 1 on",
    );
  }
  const after = cursor === null ? null : position(cursor);
  const ordered = records
    .toSorted((a, b) => b.createdAt - a.createdAt || compare(a.handle, b.handle))
    .filter((record) => after === null || isAfter(record, after));
  const shown = ordered.slice(0, limit);
  const last = shown.at(-1);
  const hasMore = last !== undefined && ordered.length > shown.length;
  return {
    items: shown.map((record) => sessionInfo(engine, record)),
    cursor: hasMore ? `${last.createdAt}.${last.handle}` : null,
  };
}

interface Position {
  readonly createdAt: number;
  readonly handle: string;
}

function position(cursor: string): Position {
  const [createdAt, handle] = cursor.split(".");
  if (!/^\d+$/.test(createdAt ?? "") || handle === undefined) {
    throw new SojournError(
      "SOJOURN_OPTIONS_INVALID",
      "that cursor did not come from an earlier page",
    );
  }
  return { createdAt: Number(createdAt), handle };
}

function isAfter(record: StoredRecord, { createdAt, handle }: Position): boolean {
  return (
    record.createdAt < createdAt ||
    (record.createdAt === createdAt && compare(record.handle, handle) > 0)
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
