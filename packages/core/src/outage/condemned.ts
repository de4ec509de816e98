/** Endings that the store could not be told: in force in this process at once, repeated until it knows. */
import { isAway, type GuardedOperation, type StoreCaller } from "../store/guard.ts";
import type { Ending, Store, StoredRecord, Tombstone } from "../store/contract.ts";

/** One ending that waits for the store. */
export interface Condemnation {
  readonly operation: GuardedOperation;
  readonly ending: Ending;
  matches(record: StoredRecord): boolean;
  carryOut(store: Store): Promise<unknown>;
}

/** See the top of the file. */
export class Condemned {
  readonly #waiting = new Set<Condemnation>();

  get size(): number {
    return this.#waiting.size;
  }

  add(condemnation: Condemnation): void {
    this.#waiting.add(condemnation);
  }

  /** How a record has ended, or null. */
  tombstone(record: StoredRecord): Tombstone | null {
    for (const condemnation of this.#waiting) {
      const { ending } = condemnation;
      if (!condemnation.matches(record) || record.createdAt > ending.at) continue;
      const { kind, key, handle, owner, createdAt, absoluteExpiresAt } = record;
      return { kind, key, handle, owner, createdAt, expiresAt: absoluteExpiresAt, ending };
    }
    return null;
  }

  /** Tells the store, in the order in which it happened. @throws the error of a store that is away */
  async carryOut(caller: StoreCaller): Promise<void> {
    for (const condemnation of this.#waiting) {
      try {
        await caller.call(condemnation.operation, (store) => condemnation.carryOut(store));
      } catch (error) {
        if (isAway(error)) throw error;
      }
      this.#waiting.delete(condemnation);
    }
  }
}
