/** What this process has on its heap, and how much it puts there. */
import { GCProfiler, getHeapStatistics } from "node:v8";

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

type Collection = ReturnType<GCProfiler["stop"]>["statistics"][number];

function oldSpace({ heapSpaceStatistics }: Collection["beforeGC"]): number {
  return heapSpaceStatistics.find(({ spaceName }) => spaceName === "old_space")?.spaceUsedSize ?? 0;
}

/** What a collection of the young space has moved to the old one. */
function movedBy({ gcType, beforeGC, afterGC }: Collection): number {
  return gcType === "Scavenge" ? oldSpace(afterGC) - oldSpace(beforeGC) : 0;
}

/** Counts bytes: allocated is what each collection finds more than the one before has left. */
export class AllocationCounter {
  #profiler: GCProfiler | undefined;
  #from = 0;

  start(): void {
    collect();
    this.#profiler = new GCProfiler();
    this.#profiler.start();
    this.#from = getHeapStatistics().used_heap_size;
  }

  /** Since {@link start}. */
  stop(): HeapUse {
    const end = getHeapStatistics().used_heap_size;
    const collections = this.#profiler?.stop().statistics ?? [];
    let allocated = 0;
    let promoted = 0;
    let left = this.#from;
    for (const collection of collections) {
      const { beforeGC, afterGC } = collection;
      allocated += beforeGC.heapStatistics.usedHeapSize - left;
      promoted += movedBy(collection);
      left = afterGC.heapStatistics.usedHeapSize;
    }
    return { allocated: allocated + end - left, promoted };
  }
}
