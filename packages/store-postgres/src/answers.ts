/** What the functions answer, as the store hands it out. */
import { isTombstone } from "@sojourn/core/store";
import type {
  Admitted,
  Adopted,
  Ending,
  Found,
  Handle,
  OwnerKey,
  RecordKey,
  Replaced,
  StoredRecord,
  Tombstone,
  Updated,
} from "@sojourn/core/store";
import { corrupt } from "./errors.ts";
import { decode } from "./text.ts";

/** A row of the type `answer`. A bigint is text with pg, which fears for its last digits. */
export interface Row {
  readonly status: string;
  readonly active: string | number | null;
  readonly key: string | null;
  readonly handle: string;
  readonly owner: string | null;
  readonly version: string | number;
  readonly created_at: number;
  readonly seen_at: number;
  readonly expires_at: number;
  readonly absolute_expires_at: number;
  readonly payload: string | null;
  readonly ending: string | null;
}

/** A row of one of several keys: which of them, from 1; as the application's own parsers of pg may give it. */
export interface FoundRow extends Row {
  readonly place: number | string | bigint;
}

type Rows = readonly Row[];

/** A record or a tombstone; null: nothing. */
export function found(kind: string, row: Row | undefined): Found {
  if (row === undefined || row.key === null) return null;
  return row.ending === null ? recordIn(kind, row) : tombstoneIn(kind, row);
}

/** An alive record. */
export function recordIn(kind: string, row: Row): StoredRecord {
  return {
    kind,
    key: decode(row.key ?? "") as RecordKey,
    handle: decode(row.handle) as Handle,
    owner: ownerIn(row),
    version: Number(row.version),
    createdAt: row.created_at,
    seenAt: row.seen_at,
    expiresAt: row.expires_at,
    absoluteExpiresAt: row.absolute_expires_at,
    payload: decode(row.payload ?? ""),
  };
}

/** A tombstone. */
export function tombstoneIn(kind: string, row: Row): Tombstone {
  return {
    kind,
    key: decode(row.key ?? "") as RecordKey,
    handle: decode(row.handle) as Handle,
    owner: ownerIn(row),
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    ending: endingIn(row),
  };
}

/** The outcome of `adopt`. */
export function adopted(kind: string, rows: Rows): Adopted {
  const [first] = rows;
  if (first?.status === "present") return { status: "present" };
  if (first?.status === "ended") return { status: "ended", ending: endingIn(first) };
  return admitted(kind, rows);
}

/** The outcome of `create`. */
export function admitted(kind: string, rows: Rows): Admitted {
  const [first] = rows;
  if (first?.status === "refused") return { status: "refused", active: Number(first.active) };
  return { status: "created", evicted: rows.map((row) => tombstoneIn(kind, row)) };
}

/** The outcome of `replace`. */
export function replaced(kind: string, rows: Rows): Replaced {
  const [first] = rows;
  if (first === undefined) return { status: "replaced", evicted: [] };
  const { status, active } = first;
  if (status === "gone") return { status, tombstone: tombstoneOrNull(kind, first) };
  if (status === "moved" || status === "conflict") {
    return { status, record: recordIn(kind, first) };
  }
  if (status === "refused") return { status, active: Number(active) };
  return { status: "replaced", evicted: rows.map((row) => tombstoneIn(kind, row)) };
}

/** The outcome of `update`; the payload is not sent back. */
export function updated(kind: string, row: Row | undefined, payload: string): Updated {
  if (row?.status === "updated") {
    return { status: "updated", record: { ...recordIn(kind, row), payload } };
  }
  if (row?.status === "conflict") return { status: "conflict", record: recordIn(kind, row) };
  return { status: "gone", tombstone: tombstoneOrNull(kind, row) };
}

function tombstoneOrNull(kind: string, row: Row | undefined): Tombstone | null {
  const it = found(kind, row);
  return it !== null && isTombstone(it) ? it : null;
}

function ownerIn({ owner }: Row): OwnerKey | null {
  return owner === null ? null : (decode(owner) as OwnerKey);
}

function endingIn({ ending }: Row): Ending {
  const parsed = parse(ending ?? "");
  if (typeof parsed === "object" && parsed !== null) {
    const { why, at } = parsed as { readonly why?: unknown; readonly at?: unknown };
    if (typeof why === "string" && typeof at === "number") return parsed as Ending;
  }
  throw corrupt("a tombstone whose ending is none");
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}
