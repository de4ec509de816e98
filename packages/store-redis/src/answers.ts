/** What the scripts answer, as the store hands it out. */
import type { Ending, Gone, Handle, OwnerKey, RecordKey } from "@sojourn/core/store";
import type { StoredRecord, Tombstone, Updated } from "@sojourn/core/store";
import { isTombstone } from "@sojourn/core/store";
import { corrupt } from "./errors.ts";

/** A record or a tombstone in a script's answer; null: nothing. */
export function found(kind: string, answer: unknown): StoredRecord | Tombstone | null {
  if (answer === null) return null;
  const [what, ...fields] = list(answer).map(plain);
  return what === "t" ? tombstone(kind, fields) : record(kind, fields);
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
export function updated(kind: string, answer: unknown, payload: string): Updated {
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

type Fields = readonly (string | null | undefined)[];

function record(kind: string, [key, handle, owner, numbers, payload]: Fields): StoredRecord {
  const [version, createdAt, seenAt, expiresAt, absoluteExpiresAt] = numbersIn(numbers);
  return {
    kind,
    key: text(key) as RecordKey,
    handle: text(handle) as Handle,
    owner: (owner ?? null) as OwnerKey | null,
    version,
    createdAt,
    seenAt,
    expiresAt,
    absoluteExpiresAt,
    payload: text(payload),
  };
}

function tombstone(kind: string, [key, handle, owner, numbers, ending]: Fields): Tombstone {
  const [createdAt, expiresAt] = numbersIn(numbers);
  return {
    kind,
    key: text(key) as RecordKey,
    handle: text(handle) as Handle,
    owner: (owner ?? null) as OwnerKey | null,
    createdAt,
    expiresAt,
    ending: parseEnding(text(ending)),
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

function numbersIn(field: string | null | undefined): Numbers {
  const [first = NaN, second = NaN, third = NaN, fourth = NaN, fifth = NaN] = text(field)
    .split(" ")
    .map(Number);
  return [first, second, third, fourth, fifth];
}

type Numbers = readonly [number, number, number, number, number];

function text(field: string | null | undefined): string {
  if (typeof field === "string") return field;
  throw corrupt("a record without all of its fields");
}
