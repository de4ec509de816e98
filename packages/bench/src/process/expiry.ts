/** The process of `expireAll`: `node --expose-gc expiry.js <sessions>` prints what it saw as JSON. */
import { setTimeout as wait } from "node:timers/promises";
import { memoryStore } from "@sojourn/core";
import { RecordTable } from "@sojourn/core/store";
import type { Store } from "@sojourn/core/store";
import type { Expired } from "../counts/expiry.ts";
import { ownerOf, recordOf } from "../records.ts";
import { IDLE } from "../session-data.ts";

const sessions = Number(process.argv[2]);
let now = Date.now();

/** Looks at every turn of the event loop; the returned function tells the longest, in ms, and the most records cleaned up in one. */
function watchLoop(): () => Pick<Expired, "longestBlock" | "largestSlice"> {
  const most = { longestBlock: 0, largestSlice: 0 };
  let last = performance.now();
  let slice = 0;
  // oxlint-disable-next-line typescript/unbound-method -- they are bound at each call
  const { purge, tryCount } = RecordTable.prototype;
  const watch = <Result>(table: RecordTable, clean: () => Result): Result => {
    const before = table.overdue("session");
    const result = clean();
    slice += before - table.overdue("session");
    return result;
  };
  RecordTable.prototype.purge = function watched(...args) {
    return watch(this, () => Reflect.apply(purge, this, args));
  };
  RecordTable.prototype.tryCount = function watched(...args) {
    return watch(this, () => Reflect.apply(tryCount, this, args));
  };
  const turn = (): void => {
    const time = performance.now();
    most.longestBlock = Math.max(most.longestBlock, time - last);
    most.largestSlice = Math.max(most.largestSlice, slice);
    [last, slice] = [time, 0];
  };
  let watching = setImmediate(function next() {
    turn();
    watching = setImmediate(next);
  });
  return () => {
    clearImmediate(watching);
    turn();
    return most;
  };
}

async function fill(store: Store): Promise<void> {
  for (let index = 0; index < sessions; index += 1)
    await store.create(recordOf(index, ownerOf(index), now));
}

/** Later than the filling takes on the slowest machine: `count` is to clean up alone. */
const sweepEvery = 86_400_000;
const store = memoryStore({ clock: { now: () => now }, maxRecords: 2 * sessions, sweepEvery });
await fill(store);
const { active: alive } = await store.count("session");
if (alive !== sessions) throw new Error(`${alive} of ${sessions} sessions are there`);
globalThis.gc?.();
// The collector goes on in the background.
await wait(1_000);
now += IDLE + 1_000;
const seen = watchLoop();
const from = performance.now();
const { active } = await store.count("session");
const expired: Expired = { ...seen(), took: performance.now() - from, left: active };
console.log(JSON.stringify(expired));
