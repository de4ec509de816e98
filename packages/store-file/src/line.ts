/**
 * The lines of the file.
 *
 *     header = {"format":"sojourn-file","version":1,"createdAt":<Unix ms>} LF
 *     line   = crc32(json) as 8 hex digits, SP, json, LF           json = array of effects
 *            / crc32("+" json) as 8 hex digits, "+", json, LF      the same, with a mark
 *
 * One operation is one line, and a line counts as a whole or not at all. A mark says that
 * everything before it was on the disk when it was written: the first line of every batch has it.
 */
import { crc32 } from "node:zlib";
import { z } from "zod";
import type { Effect, UnixMs } from "@sojourn/core/store";
import { effectsSchema } from "./effects.ts";

/** The format version that this store writes. */
export const FORMAT_VERSION = 1;
/** Longest line in bytes, LF included: 16 MiB. */
export const MAX_LINE_BYTES: number = 16 * 1024 * 1024;
const FORMAT = "sojourn-file";
const CRC_DIGITS = 8;
const FRAME_BYTES = CRC_DIGITS + " \n".length;
const SPACE = 0x20;
const MARK = 0x2b;

/** Where a line with a mark begins. No payload looks like it: a letter after `"` begins a key. */
const MARKED_LINE = /[0-9a-f]{8}\+\[(?:\{"[a-z]|\]$)/g;

/** What a line is found to be. */
export type Decoded =
  | { readonly status: "good"; readonly effects: readonly Effect[]; readonly marked: boolean }
  /** Not as it was written. */
  | { readonly status: "damaged" }
  /** As it was written, but not by a version that this one knows. */
  | { readonly status: "unknown" };

const headerSchema = z.strictObject({
  format: z.literal(FORMAT),
  version: z.literal(FORMAT_VERSION),
  createdAt: z.number(),
});
const anyHeaderSchema = z.looseObject({ format: z.literal(FORMAT), version: z.number() });

function checksum(json: string | Uint8Array): string {
  return crc32(json).toString(16).padStart(CRC_DIGITS, "0");
}

/** The first line of a file begun at `createdAt`. */
export function encodeHeader(createdAt: UnixMs): string {
  return `${JSON.stringify({ format: FORMAT, version: FORMAT_VERSION, createdAt })}\n`;
}

/** Reads the first line: its version, or null when it is not a header of this store. */
export function decodeHeader(bytes: Uint8Array): { readonly version: number } | null {
  const value = parseJson(bytes);
  const header = anyHeaderSchema.safeParse(value);
  if (!header.success) return null;
  const newer = header.data.version > FORMAT_VERSION;
  return newer || headerSchema.safeParse(value).success ? { version: header.data.version } : null;
}

/**
 * The effects of one operation as one line. Only an operation that would be longer than
 * {@link MAX_LINE_BYTES} (the ending of tens of thousands of records) takes several.
 */
export function encodeLines(effects: readonly Effect[]): readonly string[] {
  const json = JSON.stringify(effects);
  if (effects.length > 1 && byteLengthAbove(json, MAX_LINE_BYTES - FRAME_BYTES)) {
    const half = effects.length >> 1;
    return [...encodeLines(effects.slice(0, half)), ...encodeLines(effects.slice(half))];
  }
  return [`${checksum(json)} ${json}\n`];
}

/** Lines of {@link encodeLines} as one batch: the first gets the mark. The length stays the same. */
export function encodeBatch(lines: readonly string[]): string {
  return lines.map((line, index) => (index === 0 ? withMark(line) : line)).join("");
}

function withMark(line: string): string {
  const marked = `+${line.slice(CRC_DIGITS + 1, -1)}`;
  return `${checksum(marked)}${marked}\n`;
}

/**
 * A line with a mark and without effects. It ends what is put into place as a whole file, so that
 * no damage in there passes for an unfinished write.
 */
export const SEAL: string = encodeBatch(encodeLines([]));

/** Reads a line (without its LF). */
export function decodeLine(bytes: Uint8Array): Decoded {
  if (!isIntact(bytes)) return { status: "damaged" };
  const effects = effectsSchema.safeParse(parseJson(bytes.subarray(CRC_DIGITS + 1)));
  if (!effects.success) return { status: "unknown" };
  return { status: "good", effects: effects.data, marked: bytes[CRC_DIGITS] === MARK };
}

/**
 * True if these bytes are, or end in, an intact line with a mark: where a LF is lost, a line is
 * joined to the one before it.
 */
export function endsInMark(bytes: Uint8Array): boolean {
  let start = -1;
  for (const { index } of textOf(bytes, "latin1").matchAll(MARKED_LINE)) start = index;
  return start !== -1 && isIntact(bytes.subarray(start));
}

function isIntact(bytes: Uint8Array): boolean {
  const mark = bytes[CRC_DIGITS];
  if (mark !== SPACE && mark !== MARK) return false;
  const covered = bytes.subarray(mark === MARK ? CRC_DIGITS : CRC_DIGITS + 1);
  return textOf(bytes.subarray(0, CRC_DIGITS), "latin1") === checksum(covered);
}

function byteLengthAbove(text: string, limit: number): boolean {
  const worstCase = text.length * 3;
  return worstCase > limit && Buffer.byteLength(text) > limit;
}

function textOf(bytes: Uint8Array, encoding: "latin1" | "utf8"): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString(encoding);
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(textOf(bytes, "utf8"));
  } catch {
    return undefined;
  }
}
