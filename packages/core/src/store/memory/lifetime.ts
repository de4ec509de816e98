/** Counts what happened to the records of a kind since the table was made. */
import type { UnixMs } from "../../clock.ts";
import type { Lifetime } from "../contract.ts";

/** Running figures of one kind. */
export class LifetimeCounter {
  readonly #since: UnixMs;
  #created = 0;
  #ended = 0;
  #peak = 0;
  #durationMs = 0;

  constructor(since: UnixMs) {
    this.#since = since;
  }

  /** The most records alive at once so far. */
  get peak(): number {
    return this.#peak;
  }

  created(): void {
    this.#created += 1;
  }

  /** Endings from before the table was made (a replayed journal) do not count. */
  ended(createdAt: UnixMs, endedAt: UnixMs): void {
    if (endedAt < this.#since) return;
    this.#ended += 1;
    this.#durationMs += endedAt - createdAt;
  }

  sawAlive(count: number): void {
    this.#peak = Math.max(this.#peak, count);
  }

  /** The figures, with endings that are not converted yet added on top. */
  figures(pending: { readonly ended: number; readonly durationMs: number }): Lifetime {
    return {
      since: this.#since,
      created: this.#created,
      ended: this.#ended + pending.ended,
      peak: this.#peak,
      durationMs: this.#durationMs + pending.durationMs,
    };
  }
}
