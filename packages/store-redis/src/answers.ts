/** What the scripts answer, as the store hands it out. */
import type { Ending, Found, Gone, Handle, OwnerKey, RecordKey, Ref } from "@sojourn/core/store";
import type { StoredRecord, Tombstone, Updated } from "@sojourn/core/store";
import { isTombstone } from "@sojourn/core/store";
import { corrupt } from "./errors.ts";
import { Words } from "./words.ts";

/** What is at a reference, in a script's answer: a record, a tombstone or null. */
export function foundAt(ref: Ref, answer: unknown): Found {
  return typeof answer === "string" ? ordinary(ref, answer, null) : found(ref.kind, answer);
}

/** A record or a tombstone in a script's answer; null: nothing. */
export function found(kind: string, answer: unknown): Found {
  if (answer === null) return null;
  const fields = list(answer);
  return fields[0] === "t" ? tombstone(kind, fields) : record(kind, fields);
}

/** An alive record in a script's answer. */
export function recordIn(kind: string, answer: unknown): StoredRecord {
  const it = found(kind, answer);
  if (it === null || isTombstone(it)) throw corrupt("an answer without its record");
  return it;
}

/** A tombstone in a script's answer, or null. */
export function tombstoneIn(kind: string, answer: unknown): Tombstone | null {
  const it = found(kind, answer);
  if (it !== null && !isTombstone(it)) throw corrupt("an answer without its tombstone");
  return it;
}

/** The tombstones of evicted records. */
export function evictedIn(kind: string, answer: unknown): Tombstone[] {
  return list(answer).flatMap((each) => tombstoneIn(kind, each) ?? []);
}

/** The outcomes that an update and a replace share; null: another one. */
export function missIn(kind: string, [status, what]: readonly unknown[]): Miss | null {
  if (status === "gone") return { status, tombstone: tombstoneIn(kind, what) };
  if (status === "conflict" || status === "moved") return { status, record: recordIn(kind, what) };
  return null;
}

type Miss = Gone | { readonly status: "conflict" | "moved"; readonly record: StoredRecord };

/** The outcome of an update; the script does not send the payload back. */
export function updated(ref: Ref, answer: unknown, payload: string): Updated {
  if (typeof answer === "string")
    return { status: "updated", record: ordinary(ref, answer, payload) };
  const { kind } = ref;
  const miss = missIn(kind, list(answer));
  if (miss?.status === "gone") return miss;
  if (miss !== null) return { status: "conflict", record: miss.record };
  return { status: "updated", record: { ...recordIn(kind, list(answer)[1]), payload } };
}

/** A field of an answer as text. */
export function plain(field: unknown): string | null {
  if (field === null || typeof field === "string") return field;
  if (typeof field === "number") return String(field);
  throw corrupt("an answer with a field that is no text");
}

/** An answer that is a list. */
export function list(answer: unknown): readonly unknown[] {
  if (!Array.isArray(answer)) throw corrupt("an answer that is no list");
  return answer;
}

/**
 * A record as the ordinary case of a script tells it (`shown` in lua/ordinary.ts): version, four instants and the
 * handle with spaces between, then behind a NUL each the owner, or nothing, and the payload, unless it was just `written`.
 */
function ordinary(ref: Ref, answer: string, written: string | null): StoredRecord {
  const first = answer.indexOf("\0");
  const second = answer.indexOf("\0", first + 1);
  if (!("key" in ref) || second < 0) throw corrupt("an answer in no known form");
  const owner = answer.slice(first + 1, second);
  const read = recordOf(new Words(answer, first), {
    kind: ref.kind,
    key: ref.key,
    handle: null,
    owner: owner === "" ? null : owner,
    payload: written ?? answer.slice(second + 1),
  });
  if (read.handle === "") throw corrupt("an answer in no known form");
  return read;
}

/** What it is, then the fields that every record and tombstone has, then its own. */
type Fields = readonly unknown[];

function record(kind: string, fields: Fields): StoredRecord {
  return recordOf(new Words(text(fields[4])), {
    kind,
    key: text(fields[1]),
    handle: text(fields[2]),
    owner: plain(fields[3] ?? null),
    payload: text(fields[5]),
  });
}

interface Texts {
  readonly kind: string;
  readonly key: string;
  /** Null: it is behind the numbers. */
  readonly handle: string | null;
  readonly owner: string | null;
  readonly payload: string;
}

/** @param words the version, and four instants in the order of the fields */
function recordOf(words: Words, texts: Texts): StoredRecord {
  return {
    kind: texts.kind,
    key: texts.key as RecordKey,
    owner: texts.owner as OwnerKey | null,
    version: words.number(),
    createdAt: words.number(),
    seenAt: words.number(),
    expiresAt: words.number(),
    absoluteExpiresAt: words.number(),
    handle: (texts.handle ?? words.rest()) as Handle,
    payload: texts.payload,
  };
}

function tombstone(kind: string, fields: Fields): Tombstone {
  const words = new Words(text(fields[4]));
  return {
    kind,
    key: text(fields[1]) as RecordKey,
    handle: text(fields[2]) as Handle,
    owner: plain(fields[3] ?? null) as OwnerKey | null,
    createdAt: words.number(),
    expiresAt: words.number(),
    ending: parseEnding(text(fields[5])),
  };
}

/** An ending as it is kept. */
export function parseEnding(json: string): Ending {
  try {
    return JSON.parse(json) as Ending;
  } catch (cause) {
    throw corrupt("a tombstone whose ending is no JSON", cause);
  }
}

function text(field: unknown): string {
  const it = plain(field ?? null);
  if (it !== null) return it;
  throw corrupt("a record without all of its fields");
}
