/** Reads a file line by line, in constant memory, with the place of each line. */
import type { FileHandle } from "node:fs/promises";
import { MAX_LINE_BYTES } from "./line.ts";

const CHUNK_BYTES = 256 * 1024;
const LF = 0x0a;

/** One line of a file. */
export interface Line {
  /** From 1. */
  readonly number: number;
  /** Where it begins, in bytes. */
  readonly offset: number;
  /** Where the next one begins. */
  readonly end: number;
  /** Without its LF; valid until the next line is asked for. Null when longer than a line may be. */
  readonly bytes: Uint8Array | null;
  /** False for a last line without LF. */
  readonly complete: boolean;
}

/** Collects the bytes of one line that spans chunks. */
class Partial {
  #pieces: Uint8Array[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(piece: Uint8Array): void {
    this.#size += piece.length;
    if (this.#size <= MAX_LINE_BYTES) this.#pieces.push(Uint8Array.from(piece));
    else this.#pieces = [];
  }

  /** The line ending with `piece`. */
  take(piece: Uint8Array): { bytes: Uint8Array | null; size: number } {
    const size = this.#size + piece.length;
    const whole = this.#size === 0 ? piece : Buffer.concat([...this.#pieces, piece]);
    this.#pieces = [];
    this.#size = 0;
    return { bytes: size <= MAX_LINE_BYTES ? whole : null, size };
  }
}

/** The lines of a file from its beginning. */
export async function* linesOf(handle: FileHandle): AsyncGenerator<Line> {
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  const partial = new Partial();
  let position = 0;
  let offset = 0;
  let number = 0;
  for (;;) {
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, position);
    if (bytesRead === 0) break;
    position += bytesRead;
    const read = chunk.subarray(0, bytesRead);
    let from = 0;
    for (let at = read.indexOf(LF); at !== -1; at = read.indexOf(LF, from)) {
      const { bytes, size } = partial.take(read.subarray(from, at));
      number += 1;
      yield { number, offset, end: offset + size + 1, bytes, complete: true };
      offset += size + 1;
      from = at + 1;
    }
    if (from < bytesRead) partial.add(read.subarray(from));
  }
  if (partial.size === 0) return;
  const { bytes, size } = partial.take(new Uint8Array(0));
  yield { number: number + 1, offset, end: offset + size, bytes, complete: false };
}
