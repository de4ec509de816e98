/** What this process has on its heap, and how much it puts there. */
import { GCProfiler, getHeapSpaceStatistics, getHeapStatistics } from "node:v8";

/** What came to the heap, in bytes. */
export interface HeapUse {
  /** Buffers outside of the heap are not in it. */
  readonly allocated: number;
  /** Was there still at the second collection of what is young, and so came to the old space. */
  readonly promoted: number;
}

/** Collects all that is garbage. The process must run with `--expose-gc`. */
function collect(): void {
  globalThis.gc?.();
  globalThis.gc?.();
}

/** Bytes in use after a collection. */
export function heapUsed(): number {
  collect();
  return getHeapStatistics().used_heap_size;
}

function oldSpace(): number {
  const spaces = getHeapSpaceStatistics();
  return spaces.find(({ space_name: name }) => name === "old_space")?.space_used_size ?? 0;
}

/** Counts bytes: allocated is what each collection finds more than the one before has left. */
export class AllocationCounter {
  #profiler: GCProfiler | undefined;
  #from = 0;
  #oldFrom = 0;

  start(): void {
    collect();
    this.#profiler = new GCProfiler();
    this.#profiler.start();
    this.#from = getHeapStatistics().used_heap_size;
    this.#oldFrom = oldSpace();
  }

  /** Since {@link start}. */
  stop(): HeapUse {
    const end = getHeapStatistics().used_heap_size;
    const collections = this.#profiler?.stop().statistics ?? [];
    let allocated = 0;
    let left = this.#from;
    for (const { beforeGC, afterGC } of collections) {
      allocated += beforeGC.heapStatistics.usedHeapSize - left;
      left = afterGC.heapStatistics.usedHeapSize;
    }
    return { allocated: allocated + end - left, promoted: oldSpace() - this.#oldFrom };
  }
}
