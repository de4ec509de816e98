/** The look at everything when the load is over: every cookie once, every list once. */
import type { Known, Ledger } from "./ledger.ts";
import { USERS } from "./load.ts";
import type { Load } from "./load.ts";
import { LIMIT } from "./words.ts";

const AT_ONCE = 16;

/** What is wrong at the end. */
export interface Findings {
  /** Sessions beyond the limit, in lists or by their cookies. */
  readonly excess: number;
  /** Alive sessions that the list of their user does not have. */
  readonly unlisted: number;
}

/** Uses every cookie that was ever given, and lists every user. Nothing else may be under way. */
export async function lookAtAll(load: Load, ledger: Ledger): Promise<Findings> {
  const alive = await stillAlive(load, ledger.sessions);
  let [excess, unlisted] = [0, 0];
  for (const user of USERS) {
    const own = alive.filter((known) => known.user === user);
    const listed = (await load.list(user)) ?? [];
    unlisted += own.filter(({ handle }) => !listed.includes(handle)).length;
    if (user.onLimit === null) continue;
    excess += Math.max(0, own.length - LIMIT, listed.length - LIMIT);
  }
  return { excess, unlisted };
}

async function stillAlive(load: Load, sessions: readonly Known[]): Promise<Known[]> {
  const alive: Known[] = [];
  const left = [...sessions];
  const worker = async (): Promise<void> => {
    for (let known = left.pop(); known; known = left.pop()) {
      const answer = await load.look(known);
      if (answer?.handle === known.handle) alive.push(known);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return alive;
}
