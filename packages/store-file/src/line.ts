/**
 * The lines of the file.
 *
 *     header = {"format":"sojourn-file","version":1,"createdAt":<Unix ms>} LF
 *     line   = crc32(json) as 8 hex digits, SP, json, LF       json = array of effects
 *
 * One operation is one line, and a line counts as a whole or not at all.
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

/** The effects of a line (without its LF), or null when the line is not one that was written. */
export function decodeLine(bytes: Uint8Array): readonly Effect[] | null {
  if (bytes.length <= CRC_DIGITS || bytes[CRC_DIGITS] !== SPACE) return null;
  const json = bytes.subarray(CRC_DIGITS + 1);
  const found = Buffer.from(bytes.buffer, bytes.byteOffset, CRC_DIGITS).toString("latin1");
  if (found !== checksum(json)) return null;
  const effects = effectsSchema.safeParse(parseJson(json));
  return effects.success ? effects.data : null;
}

function byteLengthAbove(text: string, limit: number): boolean {
  const worstCase = text.length * 3;
  return worstCase > limit && Buffer.byteLength(text) > limit;
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8"));
  } catch {
    return undefined;
  }
}
