/** A record in a line of a snapshot: whole, of the right form, and possible at all. */
import { SojournError } from "../errors.ts";
import { principalOf } from "../policy/principal.ts";
import { fieldsOf, type Fields } from "../shape.ts";
import { CLOCK_TOLERANCE, type Handle, type StoredRecord } from "../store/contract.ts";
import { tagOf } from "../token/tag.ts";
import { isDigestKey, parseHandle } from "../token/token.ts";
import { LONGEST_RECORD } from "./format.ts";
import type { SnapshotRecord } from "./types.ts";

/** What a record must be. */
export interface Expected {
  readonly kinds: readonly string[];
  readonly now: number;
}

/** A record, or what is wrong with it. */
export type Parsed =
  | { readonly record: StoredRecord }
  | { readonly reason: string; readonly handle: Handle | null };

/** Each field and what it must hold. */
const FIELDS: Record<keyof StoredRecord, (value: unknown) => boolean> = {
  kind: isText,
  key: (value) => isText(value) && isDigestKey(value),
  handle: (value) => isText(value) && parseHandle(value) !== null,
  owner: (value) => value === null || (isText(value) && value.length > 0 && value.length <= 1_024),
  version: (value) => isInstant(value) && value >= 1,
  createdAt: isInstant,
  seenAt: isInstant,
  expiresAt: isInstant,
  absoluteExpiresAt: isInstant,
  payload: isText,
};
const NAMES = Object.keys(FIELDS) as (keyof StoredRecord)[];

/** Takes a line apart; the reason never quotes it. */
export function parseRecord(line: string, expected: Expected): Parsed {
  if (line.length > LONGEST_RECORD) return { reason: "it is too large", handle: null };
  const value = parse(line);
  if (value === null) return { reason: "it is no JSON object", handle: null };
  const handle = isText(value["handle"]) ? parseHandle(value["handle"]) : null;
  const reason = misshapen(value) ?? impossible(value as unknown as StoredRecord, expected);
  if (reason !== null) return { reason, handle };
  return { record: value as unknown as StoredRecord };
}

/** The line of a record. @throws SOJOURN_DATA_TOO_LARGE for one that could not be imported again */
export function lineOf(record: StoredRecord): string {
  const { kind, key, handle, owner, version, createdAt, seenAt, payload } = record;
  const { expiresAt, absoluteExpiresAt } = record;
  const instants = { createdAt, seenAt, expiresAt, absoluteExpiresAt };
  const line = JSON.stringify({ kind, key, handle, owner, version, ...instants, payload });
  if (line.length <= LONGEST_RECORD) return line;
  throw new SojournError(
    "SOJOURN_DATA_TOO_LARGE",
    `session ${handle} has ${line.length} characters; a record of a snapshot has at most ${LONGEST_RECORD}. Leave it out with the option filter, or make it smaller`,
    { details: { handle } },
  );
}

/** What filters and validators are shown of a record. */
export function shownOf(record: StoredRecord): SnapshotRecord {
  const { kind, handle, createdAt, seenAt, expiresAt, absoluteExpiresAt } = record;
  const principal = principalOf(record);
  return { kind, handle, principal, createdAt, lastSeenAt: seenAt, expiresAt, absoluteExpiresAt };
}

function misshapen(value: Fields): string | null {
  const wrong = NAMES.find((name) => !Object.hasOwn(value, name) || !FIELDS[name](value[name]));
  if (wrong !== undefined) return `${wrong} is missing or of a wrong form`;
  const extra = Object.keys(value).length > NAMES.length;
  return extra ? "it has a field that no record has" : null;
}

/** By clocks that may differ a little. */
function impossible(record: StoredRecord, { kinds, now }: Expected): string | null {
  const { kind, key, handle, owner, createdAt, seenAt, expiresAt, absoluteExpiresAt } = record;
  if (!kinds.includes(kind)) return "it is of a kind that is not imported";
  const tag = tagOf(key);
  const belongs = tagOf(handle) === tag && (owner === null || tagOf(owner) === tag);
  if (!belongs) return "key, handle and owner do not belong together";
  const latest = now + CLOCK_TOLERANCE;
  if (createdAt > latest) return "createdAt is in the future";
  if (seenAt > latest) return "seenAt is in the future";
  if (seenAt < createdAt) return "seenAt is before createdAt";
  if (expiresAt > absoluteExpiresAt) return "expiresAt is after absoluteExpiresAt";
  return null;
}

function parse(line: string): Fields | null {
  try {
    const value: unknown = JSON.parse(line);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? fieldsOf(value) : null;
  } catch {
    return null;
  }
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isInstant(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
