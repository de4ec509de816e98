/** Keys by the instant they belong to, in order: many short runs, so that no operation is ever a long one. */
import type { UnixMs } from "../../clock.ts";
import type { RecordKey } from "../contract.ts";
import { countLeading } from "./bisect.ts";
import { TimeRun } from "./time-run.ts";

/** The most keys in a run. */
export const LONGEST_RUN = 512;

/**
 * A sorted list of keys. Adding and removing look at a logarithm of it and move the rest of one run, also where all keys
 * are of one instant: unlike in a hash table, nothing is ever built anew. Who removes a key names its instant.
 */
export class TimeQueue<K extends string = RecordKey> {
  /** In order, none empty. */
  readonly #runs: TimeRun<K>[] = [];
  #size = 0;

  /** How many keys there are. */
  get size(): number {
    return this.#size;
  }

  add(key: K, at: UnixMs): void {
    const index = this.#indexOf(key, at);
    const run = (this.#runs[index] ??= new TimeRun());
    const place = run.insert(key, at);
    this.#size += 1;
    if (run.length <= LONGEST_RUN) return;
    // What is added in order fills one run after the other.
    this.#runs.splice(index + 1, 0, run.cut(place === LONGEST_RUN ? place : LONGEST_RUN / 2));
  }

  remove(key: K, at: UnixMs): void {
    const index = this.#indexOf(key, at);
    const run = this.#runs[index];
    if (!run?.delete(key, at)) return;
    this.#size -= 1;
    if (run.length === 0) this.#runs.splice(index, 1);
    else if (!this.#join(index)) this.#join(index - 1);
  }

  /** Moves a key from one instant to another. */
  move(key: K, from: UnixMs, to: UnixMs): void {
    if (from === to) return;
    this.remove(key, from);
    this.add(key, to);
  }

  /** How many keys are overdue: of this instant or earlier. Counts no further than `enough`, to the end of that run. */
  overdue(now: UnixMs, enough: number = Infinity): number {
    let count = 0;
    for (const run of this.#runs) {
      if (run.first > now || count >= enough) break;
      count += run.countUntil(now);
    }
    return count;
  }

  /** Up to `max` overdue keys, the earliest first. They stay in the queue. */
  take(now: UnixMs, max: number): K[] {
    const keys: K[] = [];
    for (const run of this.#runs) {
      if (run.first > now || keys.length >= max) break;
      keys.push(...run.take(now, max - keys.length));
    }
    return keys;
  }

  /** Up to `max` keys, the earliest first. */
  earliest(max: number): K[] {
    return this.take(Infinity, max);
  }

  /** The last run that begins by a key at an instant: where it is, or belongs. */
  #indexOf(key: K, at: UnixMs): number {
    const beginsBy = (index: number): boolean => this.#runs[index]?.beginsBy(key, at) ?? false;
    return Math.max(0, countLeading(this.#runs.length, beginsBy) - 1);
  }

  /** Joins a run and the next where they are half a run together; true if so. */
  #join(index: number): boolean {
    const [run, next] = [this.#runs[index], this.#runs[index + 1]];
    if (run === undefined || next === undefined) return false;
    if (run.length + next.length > LONGEST_RUN / 2) return false;
    run.append(next);
    this.#runs.splice(index + 1, 1);
    return true;
  }
}
