/** What the acknowledgements and the answers of a run prove. */
import type { Entry } from "./control.ts";
import type { Known } from "./ledger.ts";
import { LIMIT } from "./words.ts";
import type { Losses } from "./words.ts";

/** What is known about the servers of a run. */
export interface Evidence {
  /** Another server took over. */
  readonly failover: boolean;
  /** When the fault began, and when it was certainly there. */
  readonly faultAt: number;
  readonly struckAt: number;
  /** The ids of the controls that are there at the end. */
  readonly survivors: ReadonlySet<string>;
}

/**
 * Whether the server itself lost what an entry stands for. Without a failover it never does; with one,
 * when the control behind it is gone too, or was not written before the first server died.
 */
export function lostByServer(entry: Entry, evidence: Evidence): boolean {
  const { failover, faultAt, struckAt, survivors } = evidence;
  if (!failover) return false;
  const { controlAt, startedAt, id } = entry;
  const proves = controlAt !== null && (startedAt > struckAt || controlAt < faultAt);
  return !proves || !survivors.has(id);
}

/** Losses, told apart. */
export function losses(entries: ReadonlyMap<Entry, string>, evidence: Evidence): Losses {
  const ours = [...entries].filter(([entry]) => !lostByServer(entry, evidence));
  return {
    server: entries.size - ours.length,
    ours: ours.length,
    examples: ours.slice(0, 5).map(([, what]) => what),
  };
}

/**
 * By how many a user's sessions that were certainly alive at one instant are more than the limit. A
 * session lives in one piece: from the answer to its login to the last request that found it alive.
 */
export function beyondLimit(sessions: readonly Known[], evidence: Evidence): number {
  const lives = sessions
    .filter(({ begun }) => !lostByServer(begun, evidence))
    .map(({ begun, aliveAt }) => ({ from: begun.ackedAt, to: aliveAt }));
  const most = Math.max(
    0,
    ...lives.map(({ from }) => lives.filter((life) => life.from <= from && from < life.to).length),
  );
  return Math.max(0, most - LIMIT);
}
