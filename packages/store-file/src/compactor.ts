/** Decides when to compact, keeps it to one at a time, and survives its failures. */
import { compact } from "./compact.ts";
import type { Opened, Wrap } from "./open.ts";
import type { ParsedOptions } from "./options.ts";

/** Compacts the file of one open store. */
export class Compactor {
  readonly #opened: Opened;
  readonly #options: ParsedOptions;
  readonly #wrap: Wrap;
  readonly #stop = new AbortController();
  #running: Promise<void> | null = null;
  #dueAt: number;

  constructor(opened: Opened, options: ParsedOptions, wrap: Wrap) {
    this.#opened = opened;
    this.#options = options;
    this.#wrap = wrap;
    this.#dueAt = options.compactAfter;
  }

  /** Starts a compaction when the file has grown enough. Never rejects, nobody waits for it. */
  startIfDue(): void {
    if (this.#running || this.#stop.signal.aborted) return;
    if (this.#opened.journal.length <= this.#dueAt) return;
    this.#running = this.#run().finally(() => {
      this.#running = null;
    });
  }

  /** Stops a compaction that is under way, for good. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { journal, lock, table } = this.#opened;
    const { path, clock, compactAfter, onWarning } = this.#options;
    const confirm = (): Promise<void> => lock.confirm();
    const { signal } = this.#stop;
    try {
      const now = clock.now();
      await compact({ path, table, journal, now, wrap: this.#wrap, confirm, signal });
      this.#dueAt = Math.max(compactAfter, 2 * journal.length);
    } catch (error) {
      if (signal.aborted) return;
      this.#dueAt = journal.length + compactAfter / 4;
      onWarning(
        `Compacting the session file ${path} failed: ${String(error)}. ` +
          "The file stays in use as it is, and grows; it is tried again later",
      );
    }
  }
}
