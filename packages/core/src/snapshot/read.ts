/** The bytes of a snapshot to its records' lines: nothing of a segment is handed on before its seal has proved good. */
import type { KeyRing } from "../keys/key-ring.ts";
import { Sealing } from "../keys/sealing.ts";
import { Chain } from "./chain.ts";
import {
  contextOf,
  type Header,
  isSeal,
  LONGEST_SEGMENT,
  parseHeader,
  parseSeal,
  type Seal,
} from "./format.ts";
import { linesOf } from "./lines.ts";
import { refused } from "./refused.ts";
import type { SnapshotSource } from "./types.ts";

/** The purpose that the keys of snapshots are derived for. */
export const PURPOSE = "snapshot";

/** How a snapshot is read. */
export interface Reading {
  readonly ring: KeyRing;
  readonly acceptPlain: boolean;
  /** Told how many bytes came. */
  readonly read: (bytes: number) => void;
}

/** A segment that proved good; its records, a line each. */
export interface Segment {
  readonly header: Header;
  readonly lines: readonly string[];
}

/**
 * The segments of a snapshot in order, and one without records for its header. Complete when it ends
 * without an error. @throws SOJOURN_SNAPSHOT_INVALID
 */
export async function* segmentsOf(
  source: SnapshotSource,
  reading: Reading,
): AsyncIterable<Segment> {
  const reader = new SegmentReader(reading);
  for await (const lines of linesOf(source, reading.read)) {
    for (const line of lines) {
      const segment = reader.take(line);
      if (segment) yield segment;
    }
  }
  reader.finish();
}

/** Takes a snapshot line by line. */
class SegmentReader {
  readonly #reading: Reading;
  readonly #chain = new Chain();
  readonly #sealing: Sealing;
  #header: Header | null = null;
  /** Records that stand open and wait for their seal. */
  #open: string[] = [];
  #openCharacters = 0;
  #line = 0;
  #segments = 0;
  #records = 0;
  #isComplete = false;

  constructor(reading: Reading) {
    this.#reading = reading;
    this.#sealing = new Sealing({ ring: reading.ring, purpose: PURPOSE, compressFrom: null });
  }

  take(line: string): Segment | null {
    this.#line += 1;
    if (this.#isComplete) throw this.#refused("damaged");
    if (line.length > LONGEST_SEGMENT) throw this.#refused("too-large");
    if (this.#header === null) return { header: this.#begin(line), lines: [] };
    const { encrypted } = this.#header;
    if (!encrypted && !isSeal(line)) {
      this.#keep(line);
      return null;
    }
    const seal = parseSeal(line, encrypted);
    if (seal === null) throw this.#refused("damaged");
    const lines = this.#opened(seal, encrypted);
    this.#chain.add(line);
    if (seal.segment === null) this.#isComplete = true;
    return seal.segment === null ? null : { header: this.#header, lines };
  }

  finish(): void {
    if (this.#header === null) throw this.#refused("not-a-snapshot");
    if (!this.#isComplete) throw this.#refused("truncated", 1);
  }

  #begin(line: string): Header {
    const header = parseHeader(line);
    if (typeof header === "string") throw this.#refused(header);
    if (!header.encrypted && !this.#reading.acceptPlain) throw this.#refused("plain");
    this.#header = header;
    this.#chain.add(line);
    return header;
  }

  #keep(line: string): void {
    this.#openCharacters += line.length;
    if (this.#openCharacters > LONGEST_SEGMENT) throw this.#refused("too-large");
    this.#chain.add(line);
    this.#open.push(line);
  }

  /** The records of a seal that is the next one, and good. */
  #opened(seal: Seal, encrypted: boolean): readonly string[] {
    const before = this.#chain.digest();
    const lines = encrypted ? this.#unsealed(seal, before) : this.#kept(seal, before);
    const isEnd = seal.segment === null;
    if (!isEnd) this.#segments += 1;
    const records = isEnd ? this.#records : lines.length;
    this.#records += lines.length;
    if (seal.segments !== this.#segments || seal.records !== records || (isEnd && lines.length > 0))
      throw this.#refused("damaged");
    return lines;
  }

  #unsealed(seal: Seal, before: string): readonly string[] {
    const opened = this.#sealing.open(seal.proof, contextOf({ ...seal, before }));
    if (opened.status !== "open")
      throw this.#refused(opened.status === "unknown-key" ? "unknown-key" : "damaged");
    return opened.text === "" ? [] : opened.text.split("\n");
  }

  #kept(seal: Seal, before: string): readonly string[] {
    if (seal.proof !== before) throw this.#refused("damaged");
    const lines = this.#open;
    this.#open = [];
    this.#openCharacters = 0;
    return lines;
  }

  #refused(reason: Parameters<typeof refused>[0], after = 0): ReturnType<typeof refused> {
    return refused(reason, Math.max(1, this.#line + after));
  }
}
