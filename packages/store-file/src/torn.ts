/** A torn tail: the unfinished last batch of a process or a machine that died while writing. */
import type { FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { corrupt } from "./errors.ts";
import { asideName, createPrivateFile, syncDirectory } from "./files.ts";
import { endsInMark } from "./line.ts";
import type { Line } from "./lines-of.ts";
import type { ParsedOptions } from "./options.ts";

const CHUNK_BYTES = 1024 * 1024;

/**
 * The first bad line of a file and everything after it. After a power cut any page of the batch
 * under way may be missing, so good lines may follow. But a batch is begun only when the one before
 * it is on the disk: a mark after the bad line shows that the bad line was acknowledged.
 */
export class TornTail {
  readonly #path: string;
  readonly #number: number;
  readonly #offset: number;
  readonly #marked: boolean;
  #end: number;

  /** `marked`: a mark was seen before; in a file from before there were marks nothing may follow. */
  constructor(path: string, first: Line, marked: boolean) {
    this.#path = path;
    this.#number = first.number;
    this.#offset = first.offset;
    this.#marked = marked;
    this.#end = first.offset;
  }

  get bytes(): number {
    return this.#end - this.#offset;
  }

  /**
   * Takes the next line; the first bad one, too.
   * @throws SOJOURN_STORE_CORRUPT naming the first bad line, when it was acknowledged
   */
  add({ number, bytes, end }: Line): void {
    const isFirst = number === this.#number;
    const later = isFirst ? bytes?.subarray(1) : bytes; // the mark of a batch is not after itself
    if ((!isFirst && !this.#marked) || (later && endsInMark(later))) {
      const problem = "its checksum is wrong";
      throw corrupt(this.#path, this.#number, this.#offset, problem);
    }
    this.#end = end;
  }
}

/**
 * Keeps the bytes from `length` on in `<path>.torn-<time>`, then cuts them off. No operation that
 * was acknowledged is in them, see {@link TornTail}.
 */
export async function setTornTailAside(
  handle: FileHandle,
  length: number,
  tornBytes: number,
  { path, clock, onWarning }: ParsedOptions,
): Promise<void> {
  const aside = await asideName(path, "torn", clock.now());
  await copyTail(handle, length, aside);
  await syncDirectory(dirname(path));
  await handle.truncate(length);
  await handle.sync();
  onWarning(
    `The session file ${path} ended in ${tornBytes} bytes of an unfinished write; ` +
      `they are now in ${aside}, which may be deleted`,
  );
}

async function copyTail(from: FileHandle, start: number, path: string): Promise<void> {
  const to = await createPrivateFile(path);
  try {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    for (let at = start; ;) {
      const { bytesRead } = await from.read(chunk, 0, chunk.length, at);
      if (bytesRead === 0) break;
      await to.writeFile(chunk.subarray(0, bytesRead));
      at += bytesRead;
    }
    await to.sync();
  } finally {
    await to.close();
  }
}
