/** A short piece of a time queue: keys with their instants, sorted. */
import type { UnixMs } from "../../clock.ts";
import type { RecordKey } from "../contract.ts";
import { countLeading } from "./bisect.ts";

/** Keys by instant, those of one instant by code units. */
export class TimeRun<K extends string = RecordKey> {
  readonly #keys: K[];
  readonly #instants: UnixMs[];

  /** @param keys sorted, each with its instant at the same index; the run's own from now on */
  constructor(keys: K[] = [], instants: UnixMs[] = []) {
    this.#keys = keys;
    this.#instants = instants;
  }

  get length(): number {
    return this.#keys.length;
  }

  /** The first instant; Infinity when empty. */
  get first(): UnixMs {
    return this.#instants[0] ?? Infinity;
  }

  /** True if the run begins with this key at this instant, or with something before it. */
  beginsBy(key: K, at: UnixMs): boolean {
    return this.first < at || (this.first === at && (this.#keys[0] ?? key) <= key);
  }

  /** How many keys are of this instant or earlier. */
  countUntil(at: UnixMs): number {
    if ((this.#instants.at(-1) ?? -Infinity) <= at) return this.length;
    return countLeading(this.length, (index) => (this.#instants[index] ?? Infinity) <= at);
  }

  /** Up to `max` of the keys of this instant or earlier, the earliest first. */
  take(at: UnixMs, max: number): K[] {
    return this.#keys.slice(0, Math.min(max, this.countUntil(at)));
  }

  /** Puts a key at its place; returns the place. */
  insert(key: K, at: UnixMs): number {
    const index = this.#placeOf(key, at);
    if (index === this.length) {
      this.#keys.push(key);
      this.#instants.push(at);
    } else {
      this.#keys.splice(index, 0, key);
      this.#instants.splice(index, 0, at);
    }
    return index;
  }

  /** Takes a key out; true if it was there. */
  delete(key: K, at: UnixMs): boolean {
    const index = this.#placeOf(key, at);
    if (this.#keys[index] !== key) return false;
    if (index === 0) {
      this.#keys.shift();
      this.#instants.shift();
    } else {
      this.#keys.splice(index, 1);
      this.#instants.splice(index, 1);
    }
    return true;
  }

  /** Takes out what begins at an index, as a run of its own. */
  cut(index: number): TimeRun<K> {
    return new TimeRun(this.#keys.splice(index), this.#instants.splice(index));
  }

  /** Puts a later run behind this one. */
  append(later: TimeRun<K>): void {
    this.#keys.push(...later.#keys);
    this.#instants.push(...later.#instants);
  }

  /** Where a key at an instant is, or belongs. */
  #placeOf(key: K, at: UnixMs): number {
    return countLeading(this.length, (index) => this.#isBefore(index, key, at));
  }

  #isBefore(index: number, key: K, at: UnixMs): boolean {
    const instant = this.#instants[index] ?? Infinity;
    return instant < at || (instant === at && (this.#keys[index] ?? key) < key);
  }
}
