/** Reads a file into a table: every good line replayed, a torn tail found, anything else refused. */
import type { FileHandle } from "node:fs/promises";
import type { Effect, RecordTable, UnixMs } from "@sojourn/core/store";
import { corrupt, newerFormat } from "./errors.ts";
import { FORMAT_VERSION, decodeHeader, decodeLine } from "./line.ts";
import type { Decoded } from "./line.ts";
import { linesOf } from "./lines-of.ts";
import type { Line } from "./lines-of.ts";
import { TornTail } from "./torn.ts";

/** What was found in a file. */
export type Loaded =
  | {
      readonly status: "loaded";
      /** Length up to the end of the last good line. */
      readonly length: number;
      /** Bytes after it, of a write that was cut short. */
      readonly tornBytes: number;
      /** False for a file from before there were marks. */
      readonly marked: boolean;
      /** Records that had expired. */
      readonly dropped: number;
      readonly kinds: ReadonlySet<string>;
    }
  /** The first line is no header of this store. */
  | { readonly status: "foreign" };

/** Keeps which keys hold a record that is dead by its own expiry. */
class ExpiredKeys {
  readonly kinds: Set<string> = new Set<string>();
  readonly #now: UnixMs;
  readonly #keys = new Map<string, Set<string>>();

  constructor(now: UnixMs) {
    this.#now = now;
  }

  get size(): number {
    let size = 0;
    for (const keys of this.#keys.values()) size += keys.size;
    return size;
  }

  note(effect: Effect): void {
    if ("put" in effect) this.#set(effect.put, effect.put.expiresAt);
    else if ("touch" in effect) this.#set(effect.touch, effect.touch.expiresAt);
    else if ("end" in effect) this.#set(effect.end, Infinity);
    else if ("drop" in effect) this.#set(effect.drop, Infinity);
    else this.#keys.delete(effect.endAll.kind);
  }

  #set({ kind, key }: { kind: string; key: string }, expiresAt: UnixMs): void {
    this.kinds.add(kind);
    if (expiresAt > this.#now) {
      this.#keys.get(kind)?.delete(key);
      return;
    }
    const keys = this.#keys.get(kind);
    if (keys) keys.add(key);
    else this.#keys.set(kind, new Set([key]));
  }
}

/**
 * Replays a file.
 * @throws SOJOURN_STORE_CORRUPT for a bad line in what was acknowledged, see {@link TornTail}, and
 * for an intact one with unknown content; SOJOURN_STORE_NEWER_FORMAT for a later version.
 * The file is only read.
 */
export async function load(
  handle: FileHandle,
  path: string,
  table: RecordTable,
  now: UnixMs,
): Promise<Loaded> {
  const expired = new ExpiredKeys(now);
  let length = 0;
  let marked = false;
  let torn: TornTail | null = null;
  for await (const line of linesOf(handle)) {
    if (line.number === 1) {
      if (!isHeader(line, path)) return { status: "foreign" };
      length = line.end;
      continue;
    }
    const found: Decoded = torn ? { status: "damaged" } : decode(line, path);
    if (found.status === "good") {
      table.apply(found.effects);
      for (const effect of found.effects) expired.note(effect);
      marked ||= found.marked;
      length = line.end;
    } else {
      torn ??= new TornTail(path, line, marked);
      torn.add(line);
    }
  }
  if (length === 0) return { status: "foreign" };
  const { size: dropped, kinds } = expired;
  return { status: "loaded", length, tornBytes: torn?.bytes ?? 0, marked, dropped, kinds };
}

function isHeader(line: Line, path: string): boolean {
  const header = line.complete && line.bytes ? decodeHeader(line.bytes) : null;
  if (header && header.version > FORMAT_VERSION) {
    throw newerFormat(path, header.version, FORMAT_VERSION);
  }
  return header !== null;
}

function decode(line: Line, path: string): Decoded {
  if (!line.complete || !line.bytes) return { status: "damaged" };
  const found = decodeLine(line.bytes);
  if (found.status !== "unknown") return found;
  throw corrupt(path, line.number, line.offset, "its checksum is right, its content is unknown");
}
