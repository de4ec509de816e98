/**
 * The journal: appends lines to the file in batches, and never loses an acknowledged one.
 *
 * One batch is under way at a time and takes everything that waits. When it fails, the file is cut
 * back to its last good length and the lines go on waiting: memory is ahead of the disk by these
 * lines only, because nobody may add more before they are written ({@link Journal.ready}).
 */
import { dirname } from "node:path";
import { isSojournError } from "@sojourn/core/store";
import { writeFailed } from "./errors.ts";
import { syncDirectory, writeAll } from "./files.ts";
import type { JournalFile } from "./files.ts";
import { SEAL, encodeBatch } from "./line.ts";

const MOST_WAITING = 16 * 1024 * 1024;

/** `fsync`: durable against power cuts. `write`: against the end of the process only. */
export type Durability = "fsync" | "write";

/** A file with the length up to which its content is good. */
export interface GoodFile {
  readonly file: JournalFile;
  readonly length: number;
}

/** What a {@link Journal} needs. The good part of the file is on the disk. */
export interface JournalOptions extends GoodFile {
  readonly path: string;
  /** False for a file from before there were marks. */
  readonly marked: boolean;
  readonly durability: Durability;
  /** Rejects when the file is no longer ours to write. */
  readonly confirm: () => Promise<void>;
}

/** Appends to one file; the file may be replaced under it by a compaction. */
export class Journal {
  readonly #options: JournalOptions;
  #file: JournalFile;
  #length: number;
  #waiting: string[] = [];
  #waitingSize = 0;
  #appended = 0;
  #durable = 0;
  #busy: Promise<void> | null = null;
  #failed = false;
  #torn = false;
  #marked: boolean;
  #renameDurable = true;
  #collected: string[] | null = null;

  constructor(options: JournalOptions) {
    this.#options = options;
    this.#file = options.file;
    this.#length = options.length;
    this.#marked = options.marked;
  }

  /** Length of the file up to the end of the last durable batch, in bytes. */
  get length(): number {
    return this.#length;
  }

  /** Adds lines to the batch that waits. {@link settle} tells when they are durable. */
  append(lines: readonly string[]): void {
    for (const line of lines) {
      this.#waiting.push(line);
      this.#waitingSize += line.length;
      this.#collected?.push(line);
    }
    this.#appended += lines.length;
  }

  /**
   * Resolves when a change may be made: at once, unless a batch has failed or too much waits.
   * @throws SOJOURN_STORE_WRITE_FAILED while what waits still cannot be written.
   */
  async ready(): Promise<void> {
    while (this.#failed || this.#waitingSize > MOST_WAITING) await this.#writeBatch();
  }

  /**
   * Resolves when everything appended until now is durable.
   * @throws SOJOURN_STORE_WRITE_FAILED when it could not be written; it goes on waiting.
   */
  async settle(): Promise<void> {
    const target = this.#appended;
    while (this.#durable < target) await this.#writeBatch();
  }

  /**
   * As {@link settle}, and on the disk whatever the durability.
   * @throws SOJOURN_STORE_WRITE_FAILED
   */
  async flush(): Promise<void> {
    await this.settle();
    if (this.#options.durability === "fsync") return;
    await this.#alone(() => this.#file.sync()).catch((error: unknown) => {
      throw writeFailed(this.#options.path, error);
    });
  }

  /** From now on keeps the appended lines for {@link replace}, too; returns them as they grow. */
  collect(): string[] {
    this.#collected = [];
    return this.#collected;
  }

  /** Ends {@link collect}. */
  stopCollecting(): void {
    this.#collected = null;
  }

  /**
   * Goes on with another file. `finish` runs while nothing is written: it must put every collected
   * line into the new file, make it durable and rename it into place. What waited is in it, too.
   */
  replace(finish: () => Promise<GoodFile>): Promise<void> {
    return this.#alone(() => this.#replaceWith(finish));
  }

  /** Closes the file. What waits is not written: {@link settle} first. */
  close(): Promise<void> {
    return this.#file.close();
  }

  async #alone(work: () => Promise<void>): Promise<void> {
    while (this.#busy) await this.#busy.catch(() => {});
    const working = work();
    void this.#occupy(working.catch(() => {}));
    await working;
  }

  #writeBatch(): Promise<void> {
    return this.#busy ?? this.#occupy(this.#write());
  }

  #occupy(work: Promise<void>): Promise<void> {
    const busy = work.finally(() => {
      this.#busy = null;
    });
    this.#busy = busy;
    return busy;
  }

  async #write(): Promise<void> {
    const lines = this.#waiting.length;
    const text = encodeBatch(this.#waiting);
    try {
      const bytes = Buffer.from(text);
      await this.#append(bytes);
      this.#length += bytes.length;
    } catch (error) {
      this.#failed = true;
      throw isSojournError(error) ? error : writeFailed(this.#options.path, error);
    }
    this.#written(lines, text.length);
  }

  async #append(bytes: Buffer): Promise<void> {
    await this.#options.confirm();
    if (this.#torn) await this.#cut();
    try {
      if (!this.#marked) await this.#seal();
      await writeAll(this.#file, bytes, this.#length);
      if (this.#options.durability === "fsync") await this.#file.sync();
      if (!this.#renameDurable) await this.#syncRename();
    } catch (error) {
      this.#torn = true;
      await this.#cut().catch(() => {}); // tried again before the next batch
      throw error;
    }
  }

  /** Ends what is from before there were marks: a bad line in there stays corruption. */
  async #seal(): Promise<void> {
    const bytes = Buffer.from(SEAL);
    await writeAll(this.#file, bytes, this.#length);
    await this.#file.sync();
    this.#length += bytes.length;
    this.#marked = true;
  }

  async #cut(): Promise<void> {
    await this.#options.confirm();
    await this.#file.truncate(this.#length);
    this.#torn = false;
  }

  #written(lines: number, size: number): void {
    this.#waiting.splice(0, lines);
    this.#waitingSize -= size;
    this.#durable += lines;
    this.#failed = false;
  }

  async #replaceWith(finish: () => Promise<GoodFile>): Promise<void> {
    const lines = this.#waiting.length;
    const size = this.#waitingSize;
    this.#collected = null;
    const old = this.#file;
    const { file, length } = await finish();
    this.#file = file;
    this.#length = length;
    this.#torn = false;
    this.#marked = true;
    this.#renameDurable = false;
    await old.close().catch(() => {});
    await this.#syncRename();
    this.#written(lines, size);
  }

  async #syncRename(): Promise<void> {
    await syncDirectory(dirname(this.#options.path));
    this.#renameDurable = true;
  }
}
