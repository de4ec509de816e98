/** Assertions in the words of the contract. */
import assert from "node:assert/strict";
import { isSojournError, isTombstone } from "@sojourn/core/store";
import type { Ending, Found, Store, StoredRecord, Tombstone } from "@sojourn/core/store";

/** Asserts an alive record; returns it. */
export function alive(found: Found): StoredRecord {
  assert.ok(found !== null, "expected an alive record, found nothing");
  assert.ok(!isTombstone(found), "expected an alive record, found a tombstone");
  return found;
}

/** Asserts a tombstone whose ending has these fields; returns it. */
export function ended(found: Found, expected: Partial<Ending>): Tombstone {
  assert.ok(found !== null, "expected a tombstone, found nothing");
  assert.ok(isTombstone(found), "expected a tombstone, found an alive record");
  assert.deepEqual({ ...found.ending, ...expected }, found.ending);
  return found;
}

/** Asserts that a promise rejects with a `SojournError` of this code. */
export async function rejects(promise: unknown, code: string): Promise<void> {
  assert.ok(promise instanceof Promise, "expected a promise that rejects");
  await assert.rejects(promise, (error) => {
    assert.ok(isSojournError(error), `expected a SojournError, got ${String(error)}`);
    assert.equal(error.code, code);
    return true;
  });
}

/** Asserts the outcome's `status`; returns the outcome of that status. */
export function status<T extends { readonly status: string }, S extends T["status"]>(
  outcome: T,
  expected: S,
): Extract<T, { readonly status: S }> {
  assert.equal(outcome.status, expected);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- asserted in the line above
  return outcome as Extract<T, { readonly status: S }>;
}

/** Creates records at once, without limits. */
export async function createAll(store: Store, records: readonly StoredRecord[]): Promise<void> {
  const outcomes = await Promise.all(records.map((record) => store.create(record)));
  for (const outcome of outcomes) assert.deepEqual(outcome, { status: "created", evicted: [] });
}

/** All that a scan yields. */
export async function scanned(store: Store, kind: string): Promise<StoredRecord[]> {
  const records: StoredRecord[] = [];
  for await (const record of store.scan(kind)) records.push(record);
  return records;
}

/** Lets everything else run for a random number of turns of the event loop, 0 to 3. */
export async function jitter(): Promise<void> {
  for (let turns = Math.floor(Math.random() * 4); turns > 0; turns -= 1) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

/** Starts each task after a random delay; resolves to all results. */
export async function scattered<T>(tasks: readonly (() => Promise<T>)[]): Promise<T[]> {
  return Promise.all(
    tasks.map(async (task) => {
      await jitter();
      return task();
    }),
  );
}
