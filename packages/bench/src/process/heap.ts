/** What this process has on its heap, and how much it puts there. */
import { GCProfiler, getHeapStatistics } from "node:v8";

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

/**
 * Counts allocated bytes: what each collection finds more than the one before has left. Buffers outside
 * of the heap are not in it.
 */
export class AllocationCounter {
  #profiler: GCProfiler | undefined;
  #from = 0;

  start(): void {
    collect();
    this.#profiler = new GCProfiler();
    this.#profiler.start();
    this.#from = getHeapStatistics().used_heap_size;
  }

  /** Bytes since {@link start}. */
  stop(): number {
    const end = getHeapStatistics().used_heap_size;
    const collections = this.#profiler?.stop().statistics ?? [];
    let allocated = 0;
    let left = this.#from;
    for (const { beforeGC, afterGC } of collections) {
      allocated += beforeGC.heapStatistics.usedHeapSize - left;
      left = afterGC.heapStatistics.usedHeapSize;
    }
    return allocated + end - left;
  }
}
