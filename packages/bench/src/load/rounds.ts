/** Throughput and CPU time, in interleaved rounds: everyone in turn, and again, so that a slow minute hits all alike. */
import type { Contender, Route } from "../contender.ts";
import { ROUTES } from "../contender.ts";
import { Child } from "../process/child.ts";
import type { Progress } from "../progress.ts";
import type { Servers } from "../servers.ts";
import { Load } from "./load.ts";

/** How long and how often is measured. */
export interface RoundSettings {
  readonly rounds: number;
  /** Of one measurement, in ms. */
  readonly windowMs: number;
  readonly connections: number;
  /** That each contender has. */
  readonly sessions: number;
  readonly routes: readonly Route[];
}

/** One measurement. */
export interface Sample {
  /** Requests a second. */
  readonly rate: number;
  /** CPU time of the server, user and system, in µs a request. */
  readonly cpu: number;
}

/** Each contender's measurements of a route, one a round; none for a route that it does not serve. */
export type Samples = ReadonlyMap<Contender, Partial<Record<Route, readonly Sample[]>>>;

/** Asked without being measured before each measurement, in ms: caches fill. */
const RUN_UP = 300;

interface Lane {
  readonly child: Child;
  readonly cookies: readonly string[];
  readonly samples: Partial<Record<Route, Sample[]>>;
}

/** Measures all contenders on all routes; the first round of each route warms up, and is not told. */
export async function runRounds(
  contenders: readonly Contender[],
  settings: RoundSettings,
  { servers, progress }: { readonly servers: Servers; readonly progress: Progress },
): Promise<Samples> {
  const lanes: Lane[] = [];
  try {
    for (const contender of contenders) {
      progress(`seeding ${contender.name}`);
      lanes.push(await laneOf(contender, settings, servers));
    }
    for (const route of settings.routes) {
      for (let round = 0; round <= settings.rounds; round += 1) {
        progress(
          `/${route}: ${round === 0 ? "warming up" : `round ${round} of ${settings.rounds}`}`,
        );
        await runRound(lanes, { route, counts: round > 0, settings, progress });
      }
    }
    return new Map(lanes.map(({ child, samples }) => [child.contender, samples]));
  } finally {
    for (const { child } of lanes) await child.stop();
  }
}

async function laneOf(
  contender: Contender,
  { sessions: count }: RoundSettings,
  servers: Servers,
): Promise<Lane> {
  const child = await Child.start(contender, servers.places());
  const cookies = await child.ask({ ask: "seed", from: 0, count, perUser: 1, forget: false });
  return { child, cookies, samples: {} };
}

interface Round {
  readonly route: Route;
  /** False: it warms up. */
  readonly counts: boolean;
  readonly settings: RoundSettings;
  readonly progress: Progress;
}

/** A contender that fails is told, and has no sample of this round. */
async function runRound(
  lanes: readonly Lane[],
  { route, counts, settings, progress }: Round,
): Promise<void> {
  for (const { child, cookies, samples } of lanes) {
    if (!(child.contender.routes ?? ROUTES).includes(route)) continue;
    try {
      const sample = await measure(child, { ...settings, route, cookies });
      if (counts) (samples[route] ??= []).push(sample);
    } catch (error) {
      progress(`${child.contender.name} failed in /${route}: ${String(error)}`);
    }
  }
}

/** What one measurement needs to know. */
export interface Measuring {
  readonly route: Route;
  readonly cookies: readonly string[];
  readonly connections: number;
  readonly windowMs: number;
}

/** Measures a contender once. */
export async function measure(
  child: Child,
  { windowMs, route, cookies, connections }: Measuring,
): Promise<Sample> {
  const running = new Load({ port: child.port, route, cookies, connections });
  try {
    await running.runFor(RUN_UP);
    const [before, cpuBefore] = [running.answered, await child.ask({ ask: "cpu" })];
    const ms = await running.runFor(windowMs);
    const requests = running.answered - before;
    const cpu = (await child.ask({ ask: "cpu" })) - cpuBefore;
    return { rate: (requests * 1_000) / ms, cpu: cpu / requests };
  } finally {
    running.stop();
  }
}
