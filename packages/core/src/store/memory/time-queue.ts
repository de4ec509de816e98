/** Keys by an instant: buckets of time, found through a min-heap of their numbers. */
import type { UnixMs } from "../../clock.ts";
import type { RecordKey } from "../contract.ts";
import { first } from "./first.ts";
import { MinHeap } from "./heap.ts";
import { MultiMap } from "./multimap.ts";

/** How many numbers of empty buckets may wait beyond those of full ones. */
const SPARE_BUCKETS = 1_000;

/**
 * Keys by the instant they belong to or fall due at. Adding and removing are O(1) but for a new bucket, and nothing
 * stale stays behind: who removes a key names the instant that it was added with.
 */
export class TimeQueue {
  readonly #width: number;
  readonly #buckets = new MultiMap<number, RecordKey>();
  readonly #waiting = new MinHeap();
  /** Numbers of buckets that have passed as a whole; some may be empty by now. */
  readonly #passed: number[] = [];
  #horizon = -Infinity;
  #overdue = 0;
  #size = 0;

  /** @param width of a bucket in ms */
  constructor(width: number) {
    this.#width = width;
  }

  /** How many keys there are. */
  get size(): number {
    return this.#size;
  }

  add(key: RecordKey, at: UnixMs): void {
    const bucket = this.#bucketOf(at);
    const isFirst = this.#buckets.add(bucket, key);
    this.#size += 1;
    if (bucket >= this.#horizon) {
      this.#waiting.push(bucket);
      return;
    }
    this.#overdue += 1;
    if (isFirst) this.#passed.push(bucket);
  }

  remove(key: RecordKey, at: UnixMs): void {
    const bucket = this.#bucketOf(at);
    if (!this.#buckets.remove(bucket, key)) return;
    this.#size -= 1;
    if (bucket < this.#horizon) this.#overdue -= 1;
    if (this.#waiting.size > 2 * this.#buckets.size + SPARE_BUCKETS) this.#dropEmptyBuckets();
  }

  /** Moves a key from one instant to another. */
  move(key: RecordKey, from: UnixMs, to: UnixMs): void {
    if (this.#bucketOf(from) === this.#bucketOf(to)) return;
    this.remove(key, from);
    this.add(key, to);
  }

  /** How many keys are in buckets that have passed as a whole. */
  overdue(now: UnixMs): number {
    const horizon = this.#bucketOf(now);
    while (this.#waiting.min < horizon) {
      const bucket = this.#waiting.pop();
      const count = this.#buckets.count(bucket);
      if (count > 0) this.#passed.push(bucket);
      this.#overdue += count;
    }
    this.#horizon = Math.max(this.#horizon, horizon);
    return this.#overdue;
  }

  /** Up to `max` overdue keys. The caller removes each. */
  take(now: UnixMs, max: number): RecordKey[] {
    this.overdue(now);
    while (this.#passed.length > 0 && this.#buckets.count(this.#passed.at(-1) ?? 0) === 0) {
      this.#passed.pop();
    }
    const keys: RecordKey[] = [];
    for (let index = this.#passed.length - 1; index >= 0 && keys.length < max; index -= 1) {
      for (const key of this.#buckets.get(this.#passed[index] ?? 0)) {
        if (keys.push(key) >= max) break;
      }
    }
    return keys;
  }

  /** Up to `max` keys of the earliest bucket, in order of insertion. For a queue without `take`. */
  earliest(max: number): RecordKey[] {
    while (this.#size > 0 && this.#buckets.count(this.#waiting.min) === 0) this.#waiting.pop();
    return first(this.#buckets.get(this.#waiting.min), max);
  }

  /** The keys of the bucket that `now` is in: due in part. */
  passing(now: UnixMs): Iterable<RecordKey> {
    return this.#buckets.get(this.#bucketOf(now));
  }

  #dropEmptyBuckets(): void {
    this.#waiting.clear();
    for (const bucket of this.#buckets.keys()) {
      if (bucket >= this.#horizon) this.#waiting.push(bucket);
    }
  }

  #bucketOf(at: UnixMs): number {
    return Math.floor(at / this.#width);
  }
}
