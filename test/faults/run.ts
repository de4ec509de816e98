/** One run: a load on four processes, a fault in the middle, and what it came to. */
import { setTimeout as pause } from "node:timers/promises";
import { lookAtAll } from "./check.ts";
import { Control } from "./control.ts";
import type { Fault, Scene } from "./fault.ts";
import { beyondLimit, losses } from "./judge.ts";
import type { Evidence } from "./judge.ts";
import { Ledger } from "./ledger.ts";
import { Load, USERS } from "./load.ts";
import { startProcesses } from "./processes.ts";
import { Tally } from "./tally.ts";
import type { Report } from "./words.ts";

/** A run is over when the store has made no error for so long, in ms. */
const QUIET = 1_000;
/** For that it goes on so much longer, in ms. */
const PATIENCE = 25_000;

/** Runs a fault under load for so many seconds, longer where it has not recovered by then. */
export async function runFault(fault: Fault, script: string, seconds: number): Promise<Report> {
  const scene = await fault.start();
  try {
    const processes = await startProcesses(script, scene.places);
    try {
      return await underLoad(fault, scene, { ports: processes.ports, seconds });
    } finally {
      await processes.stop();
    }
  } finally {
    await scene.stop();
  }
}

async function underLoad(
  fault: Fault,
  scene: Scene,
  { ports, seconds }: { ports: readonly number[]; seconds: number },
): Promise<Report> {
  const tally = new Tally(ports);
  const control = new Control(scene.client);
  const ledger = new Ledger(control);
  const load = new Load(tally, ledger);
  const startedAt = performance.now();
  load.start();
  await pause(seconds * 250);
  const times = await suffer(fault, scene);
  await pause(Math.max(0, startedAt + seconds * 1_000 - performance.now()));
  const recoveredInTime = await quiet(tally);
  await load.stop();
  const lasted = performance.now() - startedAt;
  const [recovered, errorsBefore] = [tally.recoveredAt, sum(tally.storeErrors)];
  const { excess, unlisted } = await lookAtAll(load, ledger);
  ledger.repeated();
  const survivors = await control.survivors();
  const evidence = { failover: fault.failover ?? false, ...times, survivors };
  return {
    fault: fault.name,
    seconds: Math.round(lasted / 1_000),
    answered: tally.answered,
    unanswered: tally.unanswered,
    errors: tally.errors,
    storeErrors: tally.storeErrors,
    longestMs: Math.round(tally.longestMs),
    lost: losses(ledger.lost, evidence),
    undead: losses(ledger.undead, evidence),
    beyondLimit: load.tooLong + excess + together(ledger, evidence),
    unlisted,
    checked: checked(ledger, load),
    recoveredInTime,
    recoveredMs: recovered === null ? null : Math.round(recovered - times.faultAt),
    healedMs: recovered === null ? null : Math.max(0, Math.round(recovered - times.healedAt)),
    errorsAtEnd: sum(tally.storeErrors) - errorsBefore,
  };
}

interface Times {
  readonly faultAt: number;
  readonly struckAt: number;
  readonly healedAt: number;
}

async function suffer(fault: Fault, scene: Scene): Promise<Times> {
  await scene.prepare?.();
  const faultAt = performance.now();
  await scene.strike();
  const struckAt = performance.now();
  await pause(fault.lastsMs);
  await scene.heal();
  return { faultAt, struckAt, healedAt: performance.now() };
}

/** Waits until the store makes no errors any more; false: it made some as long as patience lasted. */
async function quiet(tally: Tally): Promise<boolean> {
  const until = performance.now() + PATIENCE;
  while (performance.now() - tally.lastErrorAt < QUIET) {
    if (performance.now() > until) return false;
    await pause(50);
  }
  return true;
}

function together(ledger: Ledger, evidence: Evidence): number {
  const limited = USERS.filter(({ onLimit }) => onLimit !== null);
  return sum(
    limited.map((user) => {
      const own = ledger.sessions.filter((known) => known.user === user);
      return beyondLimit(own, evidence);
    }),
  );
}

function checked(ledger: Ledger, load: Load): Report["checked"] {
  const { logins, lists, refusals, reuses } = load;
  const commits = sum(ledger.sessions.map(({ counts }) => counts.length));
  return { commits, endings: ledger.graveyard.length, reuses, logins, refusals, lists };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
