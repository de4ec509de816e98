/** Cleans a table now and then, and for those who wait for it: never more than a slice in a turn of the event loop. */
import type { RecordTable } from "./table.ts";

/** Units of cleaning in a slice: about 1 ms. */
export const SLICE = 250;

/** Purges a table slice by slice. All who wait share one immediate; by itself it keeps no process alive. */
export class Sweeper {
  readonly #table: RecordTable;
  readonly #timer: NodeJS.Timeout;
  #planned: NodeJS.Immediate | undefined;
  readonly #waiting: (() => void)[] = [];

  /** @param every how often a sweep begins, in ms */
  constructor(table: RecordTable, every: number) {
    this.#table = table;
    this.#timer = setInterval(() => this.#plan(), every).unref();
  }

  /** Waits for the next slice, and keeps the process alive until then. */
  async nextSlice(): Promise<void> {
    this.#plan().ref();
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  /** Cleans no more. Who waits goes on at once. */
  stop(): void {
    clearInterval(this.#timer);
    clearImmediate(this.#planned);
    this.#release();
  }

  #plan(): NodeJS.Immediate {
    this.#planned ??= setImmediate(() => this.#sweep()).unref();
    return this.#planned;
  }

  #sweep(): void {
    this.#planned = undefined;
    if (this.#table.purge(SLICE)) this.#plan();
    this.#release();
  }

  #release(): void {
    for (const resume of this.#waiting.splice(0)) resume();
  }
}
