/** Cleans expired records out of a table now and then, without a pause that anyone notices. */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Counts, RecordTable } from "@sojourn/core/store";

/** Units of cleaning between two turns of the event loop: a few ms. */
const SLICE = 2_000;

/** Sweeps a table on an unref'd timer. */
export class Sweeper {
  readonly #timer: NodeJS.Timeout;
  readonly #table: RecordTable;
  #sweeping = false;
  #stopped = false;

  constructor(table: RecordTable, every: number) {
    this.#table = table;
    this.#timer = setInterval(() => void this.#sweep(), every);
    this.#timer.unref();
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
  }

  async #sweep(): Promise<void> {
    if (this.#sweeping) return;
    this.#sweeping = true;
    while (!this.#stopped && this.#table.purge(SLICE)) await nextTurn();
    this.#sweeping = false;
  }
}

/** The counts of a kind, after cleaning what would make counting slow. */
export async function countInSlices(table: RecordTable, kind: string): Promise<Counts> {
  while (table.overdue(kind) > SLICE) {
    table.purge(SLICE);
    await nextTurn();
  }
  return table.count(kind);
}
