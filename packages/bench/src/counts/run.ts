/** All that is counted, in order. */
import type { Contender, Route } from "../contender.ts";
import type { CountSettings } from "../options.ts";
import type { Progress } from "../progress.ts";
import type { TimeByOwner } from "../process/profile.ts";
import type { Servers } from "../servers.ts";
import { allocationsOf } from "./allocation.ts";
import type { Allocations } from "./allocation.ts";
import { expireAll } from "./expiry.ts";
import type { Expired } from "./expiry.ts";
import { readCpuBySessions } from "./growth.ts";
import { canCount, instructionsOf } from "./instructions.ts";
import { bytesPerSession, keepsSessions } from "./memory.ts";
import { memoryLogin, redisLogin } from "./one-user.ts";
import { profileOf } from "./profile.ts";
import { costsOf } from "./traffic.ts";
import type { Costs } from "./traffic.ts";

/** Whose reads are counted with few sessions and with many: others keep them in memory, too, or none at all. */
const GROWING = /^(?:bare-fastify|ours-fastify-(?:memory|redis)|fastify-session-fastify-memory)$/;

/** A figure by contender. */
export type By<Figure> = ReadonlyMap<Contender, Figure>;

/** µs a request by whose code it was, of each route. */
export type Profiles = By<Partial<Record<Route, TimeByOwner>>>;

/** What was counted; null: it could not be, here. */
export interface Counts {
  readonly costs: By<Costs>;
  readonly allocations: By<Allocations>;
  readonly instructions: By<Partial<Record<Route, number>>> | null;
  /** Null: not asked for. */
  readonly profiles: Profiles | null;
  /** Bytes a session, of so many. */
  readonly memory: { readonly sizes: readonly number[]; readonly bytes: By<readonly number[]> };
  readonly expired: Expired;
  /** CPU µs of `/read` at each of {@link SIZES}. */
  readonly growth: By<readonly number[]>;
  /** µs of a login at each of {@link ONE_USER}. */
  readonly oneUser: {
    readonly memory: readonly number[];
    readonly redis: readonly number[] | null;
  };
}

/** Sessions in the store. */
export const SIZES: readonly number[] = [1, 1_000, 100_000];
/** Sessions of one user. */
export const ONE_USER: readonly number[] = [1, 10, 100, 1_000];

/** Who is looked at closely, and on which routes: each takes about a minute. */
const LOOKED_AT = /^(?:bare-|floor-|ours-.*-redis(?:-near)?$|.*-session-.*redis)/;
/** Their routes. */
export const CLOSE_ROUTES: readonly Route[] = ["read", "write"];

/** What a run is made of. */
export interface CountRun {
  readonly contenders: readonly Contender[];
  readonly settings: CountSettings;
  readonly servers: Servers;
  readonly progress: Progress;
}

/** Counts everything. */
export async function runCounts(run: CountRun): Promise<Counts> {
  const { contenders, settings, servers, progress } = run;
  const each = <Figure>(
    what: string,
    whose: readonly Contender[],
    count: (contender: Contender) => Promise<Figure>,
  ): Promise<By<Figure>> => forEach(what, { whose, progress }, count);

  const costs = await each("commands", contenders, (one) => costsOf(one, servers));
  const allocating = { ...settings, warmUp: settings.requests };
  const allocations = await each("allocation", contenders, (one) =>
    allocationsOf(one, allocating, servers),
  );
  const few = contenders.filter(({ name }) => LOOKED_AT.test(name));
  const profiles = settings.closely
    ? await each("profile", few, (one) => closely(one, run, profileOf))
    : null;
  const instructions =
    settings.closely && canCount()
      ? await each("instructions", few, (one) => closely(one, run, instructionsOf))
      : null;
  const keepers = contenders.filter((one) => keepsSessions(one) !== null);
  const memorySizes = [settings.sessions, 2 * settings.sessions];
  const bytes = await each("memory", keepers, (one) =>
    inTurn(memorySizes, (sessions) => bytesPerSession(one, sessions)),
  );
  const memory = { sizes: memorySizes, bytes };
  progress(`expiry of ${settings.expiring} sessions`);
  const expired = await expireAll(settings.expiring);
  const growing = contenders.filter(({ name }) => GROWING.test(name));
  const sizes = SIZES.filter((size) => size <= settings.sessions);
  const growth = await each("growth", growing, (one) => readCpuBySessions(one, sizes, servers));
  progress("sessions of one user");
  const oneUser = {
    memory: await inTurn(ONE_USER, memoryLogin),
    redis: await redisLogins(servers),
  };
  return { costs, allocations, profiles, instructions, memory, expired, growth, oneUser };
}

async function forEach<Figure>(
  what: string,
  { whose, progress }: { readonly whose: readonly Contender[]; readonly progress: Progress },
  count: (contender: Contender) => Promise<Figure>,
): Promise<By<Figure>> {
  const figures = new Map<Contender, Figure>();
  for (const contender of whose) {
    progress(`${what}: ${contender.name}`);
    try {
      figures.set(contender, await count(contender));
    } catch (error) {
      progress(`${contender.name} failed: ${String(error)}`);
    }
  }
  return figures;
}

async function closely<Figure>(
  contender: Contender,
  { settings: { routes }, servers }: CountRun,
  look: (contender: Contender, route: Route, servers: Servers) => Promise<Figure>,
): Promise<Partial<Record<Route, Figure>>> {
  const own = contender.routes ?? routes;
  const seen: [Route, Figure][] = [];
  for (const route of CLOSE_ROUTES.filter((one) => routes.includes(one) && own.includes(one)))
    seen.push([route, await look(contender, route, servers)]);
  return Object.fromEntries(seen);
}

async function redisLogins(servers: Servers): Promise<readonly number[] | null> {
  const { redis } = servers.places();
  return redis === "" ? null : inTurn(ONE_USER, (sessions) => redisLogin(redis, sessions));
}

async function inTurn(
  sizes: readonly number[],
  count: (sessions: number) => Promise<number>,
): Promise<number[]> {
  const figures: number[] = [];
  for (const sessions of sizes) figures.push(await count(sessions));
  return figures;
}
