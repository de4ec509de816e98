/** Records to the bytes of a snapshot, a segment at a time. */
import type { Sealing } from "../keys/sealing.ts";
import type { StoredRecord } from "../store/contract.ts";
import { Chain } from "./chain.ts";
import { contextOf, type Header, SEGMENT_CHARACTERS, SEGMENT_RECORDS, sealLine } from "./format.ts";
import { lineOf } from "./record.ts";

/** What a snapshot is written with. */
export interface Writing {
  readonly header: Header;
  /** Null: readable by anybody. */
  readonly sealing: Sealing | null;
  /** Told of each part that was handed on. */
  readonly wrote: (part: { readonly records: number; readonly bytes: number }) => void;
}

/** The parts of a snapshot; memory for one segment. */
export async function* snapshotOf(
  records: AsyncIterable<StoredRecord>,
  { header, sealing, wrote }: Writing,
): AsyncIterable<Uint8Array> {
  const writer = new SegmentWriter(sealing);
  const part = (text: string, count: number): Uint8Array => {
    const bytes = Buffer.from(text);
    wrote({ records: count, bytes: bytes.length });
    return bytes;
  };
  yield part(writer.plain(JSON.stringify(header)), 0);
  for await (const record of records) {
    writer.add(record);
    if (writer.isFull) yield part(...writer.segment());
  }
  if (writer.pending > 0) yield part(...writer.segment());
  yield part(writer.end(), 0);
}

/** Collects the lines of a segment and seals them. */
class SegmentWriter {
  readonly #sealing: Sealing | null;
  readonly #chain = new Chain();
  #lines: string[] = [];
  #characters = 0;
  #segments = 0;
  #records = 0;

  constructor(sealing: Sealing | null) {
    this.#sealing = sealing;
  }

  /** Records that wait for their segment. */
  get pending(): number {
    return this.#lines.length;
  }

  get isFull(): boolean {
    return this.pending >= SEGMENT_RECORDS || this.#characters >= SEGMENT_CHARACTERS;
  }

  /** A line as it is. */
  plain(line: string): string {
    this.#chain.add(line);
    return `${line}\n`;
  }

  add(record: StoredRecord): void {
    const line = lineOf(record);
    this.#lines.push(line);
    this.#characters += line.length;
  }

  /** The next segment, and how many records are in it. */
  segment(): [text: string, records: number] {
    const lines = this.#lines;
    this.#lines = [];
    this.#characters = 0;
    this.#segments += 1;
    this.#records += lines.length;
    const open = this.#sealing ? "" : lines.map((line) => this.plain(line)).join("");
    return [open + this.#seal(this.#segments, lines), lines.length];
  }

  end(): string {
    return this.#seal(null, []);
  }

  #seal(segment: number | null, lines: readonly string[]): string {
    const before = this.#chain.digest();
    const [segments, records] = [this.#segments, segment === null ? this.#records : lines.length];
    const context = contextOf({ segment, segments, records, before });
    const proof = this.#sealing?.seal(lines.join("\n"), context) ?? before;
    return this.plain(sealLine({ segment, segments, records, proof }, this.#sealing !== null));
  }
}
