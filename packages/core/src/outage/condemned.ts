/** Endings that the store could not be told: in force in this process at once, repeated until it knows. */
import { isSojournError } from "../errors.ts";
import { isAway, type GuardedOperation } from "../store/guard.ts";
import type { Ending, Store, StoredRecord, Tombstone } from "../store/contract.ts";

/** One ending that waits for the store. */
export interface Condemnation {
  readonly operation: GuardedOperation;
  readonly ending: Ending;
  /** Whom it means, whenever they began. */
  readonly matches: (record: StoredRecord) => boolean;
  readonly carryOut: Tell;
}

type Tell = (store: Store) => Promise<unknown>;

/** See the top of the file. */
export class Condemned {
  readonly #waiting = new Set<Condemnation>();
  readonly #listeners = new Set<() => void>();
  readonly #forget: (where: (record: StoredRecord) => boolean) => void;

  /** `forget` is told which records the store now knows to be over. */
  constructor(forget: (where: (record: StoredRecord) => boolean) => void) {
    this.#forget = forget;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** Calls `listener` after each ending that has come into force. */
  onAdded(listener: () => void): void {
    this.#listeners.add(listener);
  }

  add(condemnation: Condemnation): void {
    this.#waiting.add(condemnation);
    for (const listener of this.#listeners) listener();
  }

  /** How a record has ended, or null. */
  tombstone(record: StoredRecord): Tombstone | null {
    for (const condemnation of this.#waiting) {
      const { ending } = condemnation;
      if (!isMeant(condemnation, record)) continue;
      const { kind, key, handle, owner, createdAt, absoluteExpiresAt } = record;
      return { kind, key, handle, owner, createdAt, expiresAt: absoluteExpiresAt, ending };
    }
    return null;
  }

  /**
   * Tells the store, through `run`, in the order in which it happened. What the store refuses stays in
   * force here. @throws the first error; that of a store that is away at once
   */
  async carryOut(
    run: (operation: GuardedOperation, tell: Tell) => Promise<unknown>,
    which: (condemnation: Condemnation) => boolean = () => true,
  ): Promise<void> {
    const refusals: unknown[] = [];
    for (const condemnation of this.#waiting) {
      if (!which(condemnation)) continue;
      try {
        await run(condemnation.operation, condemnation.carryOut);
        this.#forget((record) => isMeant(condemnation, record));
        this.#waiting.delete(condemnation);
      } catch (error) {
        if (!isSojournError(error) || isAway(error)) throw error;
        refusals.push(error);
      }
    }
    if (refusals.length > 0) throw refusals[0];
  }
}

function isMeant({ matches, ending }: Condemnation, record: StoredRecord): boolean {
  return record.createdAt <= ending.at && matches(record);
}
