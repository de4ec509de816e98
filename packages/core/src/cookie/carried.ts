/**
 * The cookies of a record that travels with the browser: `<name>.<mark>.<number>`, as many as it takes. The mark is of the
 * token that the record belongs to: an answer to a request from before a login, when it comes late, then does not put
 * the earlier session's record in the place of the later one's. The first begins with how many there are.
 */
import type { CarriedStore, RecordKey } from "../store/contract.ts";
import { readCookie } from "./read.ts";
import { serializeCookie } from "./serialize.ts";
import { type CookieSpec, LONGEST_SECONDS } from "./spec.ts";

/** What a request brought of such a record. */
export interface Carried {
  readonly store: CarriedStore;
  /** Names of the cookies that it came in, those of earlier tokens among them. */
  readonly names: readonly string[];
}

/** The most cookies for one record; Node takes 16 KiB of headers from a request, unless told otherwise. */
const MOST_CHUNKS = 8;
/** The longest `Set-Cookie` that every browser takes, in bytes (RFC 6265 6.1). */
const LONGEST_SET_COOKIE = 4_096;
/** Of those that belong to no present token, so many are looked at. */
const MOST_NAMES = 32;
const MARK_LENGTH = 6;
const MARK = new RegExp(String.raw`^[\w-]{${MARK_LENGTH}}\.[0-${MOST_CHUNKS - 1}]$`);

/** Name of the cookie for one part of the record of a key. */
export function chunkName(name: string, key: RecordKey, index: number): string {
  const digest = key.slice(key.indexOf(".") + 1);
  return `${name}.${digest.slice(0, MARK_LENGTH)}.${index}`;
}

/** How many characters go into one such cookie. */
export function chunkSize({ name, attributes }: CookieSpec, persistent: boolean): number {
  const longest = persistent ? { ...attributes, maxAge: LONGEST_SECONDS } : attributes;
  const mark = `${"m".repeat(MARK_LENGTH)}.0`;
  return LONGEST_SET_COOKIE - serializeCookie(`${name}.${mark}`, "", longest).length;
}

/** How many characters of text go into so many cookies. */
export function roomIn(chunks: number, size: number): number {
  return chunks * size - 1;
}

/** A text in as many parts as it takes. */
export function splitCarried(text: string, size: number): readonly string[] {
  const count = Math.ceil((text.length + 1) / size);
  const whole = `${count}${text}`;
  return Array.from({ length: count }, (_, index) => whole.slice(index * size, (index + 1) * size));
}

/** The text that the header carries for a key; null where a part is missing, or is there twice. */
export function readCarried(
  header: string | undefined,
  name: string,
  key: RecordKey,
): string | null {
  const part = (index: number): string | null => {
    const [value, another] = readCookie(header, chunkName(name, key, index));
    return another === undefined ? (value ?? null) : null;
  };
  const first = part(0) ?? "";
  const count = /^[1-8]/.test(first) ? Number(first[0]) : 0;
  const parts = Array.from({ length: count }, (_, index) => part(index));
  return count === 0 || parts.includes(null) ? null : parts.join("").slice(1);
}

/** Names of all cookies of this form in the header, those of earlier tokens among them. */
export function carriedNames(header: string | undefined, name: string): readonly string[] {
  const names = (header ?? "").split(";").map((pair) => (pair.split("=", 1)[0] ?? "").trim());
  const isOurs = (each: string): boolean =>
    each.startsWith(`${name}.`) && MARK.test(each.slice(name.length + 1));
  return [...new Set(names.filter(isOurs))].slice(0, MOST_NAMES);
}
