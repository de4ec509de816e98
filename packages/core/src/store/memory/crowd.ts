/** The sessions of one user who has many of them. */
import type { UnixMs } from "../../clock.ts";
import type { RecordKey } from "../contract.ts";
import { TimeQueue } from "./time-queue.ts";

/** Digits of a number of insertion, in base 36: enough for 10^12. */
const DIGITS = 8;

/** Keys by `createdAt`, those of one instant in order of insertion. Adding and removing look at a logarithm of them. */
export class Crowd {
  readonly #queue = new TimeQueue<string>();
  /** What a key is called in the queue: its number of insertion, and the key. */
  readonly #names = new Map<RecordKey, string>();
  #added = 0;

  add(key: RecordKey, createdAt: UnixMs): void {
    const name = this.#added.toString(36).padStart(DIGITS, "0") + key;
    this.#added += 1;
    this.#names.set(key, name);
    this.#queue.add(name, createdAt);
  }

  remove(key: RecordKey, createdAt: UnixMs): void {
    const name = this.#names.get(key);
    if (name === undefined) return;
    this.#names.delete(key);
    this.#queue.remove(name, createdAt);
  }

  /** Up to `max` keys, the oldest first. */
  oldest(max: number): RecordKey[] {
    return this.#queue.earliest(max).map((name) => name.slice(DIGITS) as RecordKey);
  }
}
