/** The store in this process's memory: bounded, without pauses, gone with the process. */
import type { Clock } from "../../clock.ts";
import { systemClock } from "../../clock.ts";
import { SojournError } from "../../errors.ts";
import type { Store } from "../contract.ts";
import { SLICE, Sweeper } from "./sweeper.ts";
import { RecordTable } from "./table.ts";

/** Options of {@link memoryStore}. */
export interface MemoryStoreOptions {
  /** Default: the machine's clock. */
  readonly clock?: Clock;
  /**
   * The most records and tombstones kept; default 1,000,000. Beyond it the oldest tombstones go,
   * then the oldest anonymous sessions; then `create` rejects with SOJOURN_STORE_FULL.
   */
  readonly maxRecords?: number;
  /** How often expired records are cleaned up, in ms; default 60,000. They are dead before. */
  readonly sweepEvery?: number;
}

const LONGEST_TIMER = 2 ** 31 - 1;

/**
 * A store in memory, for one process and for tests. Sessions do not survive a restart.
 * @throws SOJOURN_OPTIONS_INVALID
 */
export function memoryStore(options: MemoryStoreOptions = {}): Store {
  const { clock = systemClock, maxRecords = 1_000_000, sweepEvery = 60_000 } = options;
  checkOptions(maxRecords, sweepEvery);
  const records = new RecordTable({ clock, maxRecords });
  const sweeper = new Sweeper(records, sweepEvery);
  let closed = false;
  const table = (): RecordTable => {
    if (closed) throw storeClosed();
    return records;
  };

  return {
    name: "memory",
    clock,
    read: (ref) => (closed ? Promise.reject(storeClosed()) : records.read(ref)),
    create: async (record, admission) => table().create(record, admission),
    adopt: async (record, admission) => table().adopt(record, admission),
    update: async (ref, change, version) => table().update(ref, change, version),
    touch: async (ref, seenAt, expiresAt) => table().touch(ref, seenAt, expiresAt),
    replace: async (ref, record, replacement) => table().replace(ref, record, replacement),
    end: async (ref, ending) => table().end(ref, ending),
    endOwner: async (kind, owner, ending, except) => table().endOwner(kind, owner, ending, except),
    endAll: async (kind, ending) => table().endAll(kind, ending),
    consume: async (ref) => table().consume(ref),
    listOwner: async (kind, owner) => table().listOwner(kind, owner),
    async *scan(kind) {
      for await (const record of table().scan(kind)) {
        table();
        yield record;
      }
    },
    async count(kind) {
      let counts = table().tryCount(kind, SLICE);
      while (counts === null) {
        await sweeper.nextSlice();
        counts = table().tryCount(kind, SLICE);
      }
      return counts;
    },
    owners: async (kind, cursor, limit) => table().owners(kind, cursor, limit),
    flush: async () => void table(),
    async close() {
      closed = true;
      sweeper.stop();
    },
  };
}

function checkOptions(maxRecords: number, sweepEvery: number): void {
  const problems: string[] = [];
  if (!Number.isSafeInteger(maxRecords) || maxRecords < 1) {
    problems.push("maxRecords must be a whole number of at least 1");
  }
  if (!(sweepEvery >= 1_000 && sweepEvery <= LONGEST_TIMER)) {
    problems.push(
      `sweepEvery must be 1,000 to ${LONGEST_TIMER} ms (a smaller one looks like seconds)`,
    );
  }
  if (problems.length === 0) return;
  throw new SojournError("SOJOURN_OPTIONS_INVALID", `memoryStore(): ${problems.join("; ")}.`);
}

function storeClosed(): SojournError {
  return new SojournError(
    "SOJOURN_STORE_CLOSED",
    "The memory store was closed: open another one, or close it after the last request.",
  );
}
