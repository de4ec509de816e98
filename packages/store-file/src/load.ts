/** Reads a file into a table: every good line replayed, a torn tail found, anything else refused. */
import type { FileHandle } from "node:fs/promises";
import type { Effect, RecordTable, UnixMs } from "@sojourn/core/store";
import { corrupt, newerFormat } from "./errors.ts";
import { FORMAT_VERSION, decodeHeader, decodeLine } from "./line.ts";
import { linesOf } from "./lines-of.ts";
import type { Line } from "./lines-of.ts";

/** What was found in a file. */
export type Loaded =
  | {
      readonly status: "loaded";
      /** Length up to the end of the last good line. */
      readonly length: number;
      /** Bytes after it, of a write that was cut short. */
      readonly tornBytes: number;
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
 * @throws SOJOURN_STORE_CORRUPT for a bad line with anything after it;
 * SOJOURN_STORE_NEWER_FORMAT for a later version. The file is only read.
 */
export async function load(
  handle: FileHandle,
  path: string,
  table: RecordTable,
  now: UnixMs,
): Promise<Loaded> {
  const expired = new ExpiredKeys(now);
  let length = 0;
  let bad: Line | null = null;
  for await (const line of linesOf(handle)) {
    if (bad) throw badLine(path, bad);
    if (line.number === 1) {
      if (!isHeader(line, path)) return { status: "foreign" };
    } else {
      const effects = line.complete && line.bytes ? decodeLine(line.bytes) : null;
      if (!effects) {
        bad = line;
        continue;
      }
      table.apply(effects);
      for (const effect of effects) expired.note(effect);
    }
    length = line.end;
  }
  if (length === 0) return { status: "foreign" };
  const tornBytes = bad ? bad.end - bad.offset : 0;
  return { status: "loaded", length, tornBytes, dropped: expired.size, kinds: expired.kinds };
}

function isHeader(line: Line, path: string): boolean {
  const header = line.complete && line.bytes ? decodeHeader(line.bytes) : null;
  if (header && header.version > FORMAT_VERSION) {
    throw newerFormat(path, header.version, FORMAT_VERSION);
  }
  return header !== null;
}

function badLine(path: string, line: Line): Error {
  return corrupt(path, line.number, line.offset, "its checksum or its content is wrong");
}
