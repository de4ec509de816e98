/**
 * The lines of a snapshot, NDJSON, version 1:
 *
 *     {"snapshot":"sojourn","version":1,"id":…,"createdAt":…,"encrypted":…,"newestFirst":…,"kinds":[…]}
 *     {"segment":1,"records":500,"sealed":"<key id><AES-256-GCM of 500 records, a line each>"}
 *     …
 *     {"end":true,"segments":9,"records":4321,"sealed":…}
 *
 * Not encrypted, the records stand before the line of their segment, and `digest` in place of `sealed`.
 * Both are bound to a digest of all lines before them: nothing can be left out, moved or taken from another
 * snapshot, and the end cannot be missing unnoticed.
 */
import { fieldsOf } from "../shape.ts";

/** The version that is written. Older ones are read, newer ones refused. */
export const VERSION = 1;
/** Records of one segment, at most. */
export const SEGMENT_RECORDS = 500;
/** Characters from which a segment is full. */
export const SEGMENT_CHARACTERS = 262_144;
/** The longest record, in characters of its line. */
export const LONGEST_RECORD = 4_194_304;
/**
 * The longest line and, where they stand open, the longest lines of one segment, in characters. A character
 * may be three bytes, and three bytes encrypted are four characters.
 */
export const LONGEST_SEGMENT: number = 4 * (SEGMENT_CHARACTERS + LONGEST_RECORD) + 65_536;

/** The id of a snapshot: 128 random bits; what else stands there must not come into a log. */
const ID = /^[\w-]{22}$/;

/** First line. */
export interface Header {
  readonly snapshot: "sojourn";
  readonly version: number;
  readonly id: string;
  readonly createdAt: number;
  readonly encrypted: boolean;
  readonly newestFirst: boolean;
  readonly kinds: readonly string[];
}

/** Line of a segment, or of the end (`segment: null`): `proof` is what was encrypted, or the digest. */
export interface Seal {
  readonly segment: number | null;
  readonly segments: number;
  readonly records: number;
  readonly proof: string;
}

/** What a seal is bound to. */
export interface Sealed {
  readonly segment: number | null;
  readonly segments: number;
  readonly records: number;
  /** Digest of all lines before. */
  readonly before: string;
}

/** What the encryption of a segment or of the end is bound to, as text. */
export function contextOf({ segment, segments, records, before }: Sealed): string {
  return [segment === null ? "end" : "segment", segments, records, before].join("\0");
}

/** The line of a seal. */
export function sealLine({ segment, segments, records, proof }: Seal, encrypted: boolean): string {
  const what = segment === null ? { end: true, segments } : { segment };
  return JSON.stringify({ ...what, records, [encrypted ? "sealed" : "digest"]: proof });
}

/** Whether a line is a seal; the others are records. */
export function isSeal(line: string): boolean {
  return line.startsWith('{"segment":') || line.startsWith('{"end":');
}

/** The seal in a line, or null: each has one form only. */
export function parseSeal(line: string, encrypted: boolean): Seal | null {
  const { end, segment, segments, records, sealed, digest } = fieldsOf(parse(line));
  const proof = encrypted ? sealed : digest;
  const isEnd = end === true;
  const number = isEnd ? segments : segment;
  if (!isCount(number) || !isCount(records) || typeof proof !== "string") return null;
  const seal = { segment: isEnd ? null : number, segments: number, records, proof };
  return sealLine(seal, encrypted) === line ? seal : null;
}

/** The header in a line, or why it is none that can be read. */
export function parseHeader(line: string): Header | "not-a-snapshot" | "newer-version" {
  const header = fieldsOf(parse(line));
  const { snapshot, version, id, createdAt, encrypted, newestFirst, kinds } = header;
  if (snapshot !== "sojourn" || !isCount(version) || version < 1) return "not-a-snapshot";
  if (version > VERSION) return "newer-version";
  const isWhole =
    typeof id === "string" &&
    ID.test(id) &&
    Number.isFinite(createdAt) &&
    typeof encrypted === "boolean" &&
    typeof newestFirst === "boolean" &&
    Array.isArray(kinds) &&
    kinds.every((kind) => typeof kind === "string");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- checked field by field
  return isWhole ? (header as unknown as Header) : "not-a-snapshot";
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
