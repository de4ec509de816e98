/** Clears away what is over, in the background; whether something is alive never depends on it. */
import type { Clock } from "@sojourn/core/store";
import type { Connection } from "./connection.ts";
import type { Statement } from "./statements.ts";

/** Rows that one transaction looks at. */
const BATCH = 500;
/** What is due is left alone for so long, in ms: the clocks of other processes may be behind this one's. */
const SLACK = 60_000;
/** Parts of the time between two rounds by which they are spread at random, so that processes take turns. */
const SPREAD = 0.5;

/** Runs rounds from `start` until `stop`. */
export class Reaper {
  readonly #connection: Connection;
  readonly #statement: Statement;
  readonly #clock: Clock;
  readonly #every: number;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(
    connection: Connection,
    { statement, clock, every }: { statement: Statement; clock: Clock; every: number },
  ) {
    this.#connection = connection;
    this.#statement = statement;
    this.#clock = clock;
    this.#every = every;
  }

  /** Idempotent. The timer keeps no process alive. */
  start(): void {
    if (this.#timer || this.#stopped) return;
    const wait = this.#every * (1 - SPREAD / 2 + Math.random() * SPREAD);
    this.#timer = setTimeout(() => void this.#next(), wait).unref();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  /** One round, batch after batch until nothing is due; answers how many rows it looked at. */
  async round(): Promise<number> {
    let all = 0;
    for (;;) {
      const values = [this.#clock.now() - SLACK, BATCH];
      const [row] = await this.#connection.ask("reap", this.#statement, values);
      const looked = Number((row as { readonly looked: string | number }).looked);
      all += looked;
      if (looked < BATCH || this.#stopped) return all;
    }
  }

  async #next(): Promise<void> {
    await this.round().catch(() => {}); // the next round finds what this one left
    this.#timer = undefined;
    this.start();
  }
}
