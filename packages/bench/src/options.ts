/** The options of the command line. */
import { parseArgs } from "node:util";
import type { Contender, Route } from "./contender.ts";
import { ROUTES } from "./contender.ts";
import { bareOf, CONTENDERS } from "./contenders/index.ts";
import type { RoundSettings } from "./load/rounds.ts";

/** What is to be done. */
export interface Options {
  readonly contenders: readonly Contender[];
  /** Rounds of throughput; null: none. */
  readonly rounds: RoundSettings | null;
  /** The figures that are counted; null: none. */
  readonly counts: CountSettings | null;
  /** Whether this is all of it, so that docs/benchmarks.md may be written. */
  readonly isComplete: boolean;
}

/** How much is counted. */
export interface CountSettings {
  readonly routes: readonly Route[];
  /** Of which allocation is measured. */
  readonly requests: number;
  /** Kept at once where the memory of a session is measured. */
  readonly sessions: number;
  /** That expire at once. */
  readonly expiring: number;
  /** Whether V8 samples where the time goes and valgrind counts instructions: that takes minutes. */
  readonly closely: boolean;
}

/** What `--help` prints. */
const HELP = `npm run bench                       everything, about an hour; writes docs/benchmarks.md
npm run bench -- --quick            less than 5 minutes: fewer contenders, rounds and sessions
npm run bench -- --counts           only what is counted, not timed
npm run bench -- --rounds 3         rounds of throughput (default 6), --window 2 seconds each
npm run bench -- --only 'ours-*,floor-*' --routes read,write
npm run bench -- --sessions 100000  sessions that each contender has (default 1000)
npm run bench -- --list             the names of the contenders`;

const QUICK =
  "bare-*,floor-*,ours-*-memory,ours-*-redis*,fastify-session-fastify-redis*,express-session-express-node-redis";

const ARGUMENTS = {
  quick: { type: "boolean", default: false },
  counts: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
  list: { type: "boolean", default: false },
  only: { type: "string" },
  routes: { type: "string" },
  rounds: { type: "string" },
  window: { type: "string" },
  sessions: { type: "string" },
} as const;

/** Reads them; text: to be printed, and nothing done. @throws Error for what it does not know */
export function readOptions(args: readonly string[]): Options | string {
  const { values } = parseArgs({ args: [...args], options: ARGUMENTS });
  if (values.help) return HELP;
  if (values.list) return CONTENDERS.map(({ name }) => name).join("\n");
  const { quick, counts, only = quick ? QUICK : "*" } = values;
  const timed = routesIn(values.routes ?? (quick ? "read,write" : "read,write,login"));
  const counted = routesIn(values.routes ?? (quick ? "read,write" : ROUTES.join()));
  return {
    contenders: chosen(only),
    rounds: counts
      ? null
      : {
          rounds: number(values.rounds, quick ? 2 : 6),
          windowMs: number(values.window, quick ? 1 : 2) * 1_000,
          connections: 50,
          sessions: number(values.sessions, 1_000),
          routes: timed,
        },
    counts: isTimedOnly(values)
      ? null
      : {
          routes: counted,
          requests: quick ? 3_000 : 10_000,
          sessions: quick ? 10_000 : 100_000,
          expiring: quick ? 100_000 : 1_000_000,
          closely: !quick,
        },
    isComplete: Object.keys(values).every((name) => !NARROWING.has(name) || !isGiven(values, name)),
  };
}

/** Options that make less of it. */
const NARROWING = new Set(["quick", "counts", "only", "routes", "rounds", "window", "sessions"]);

/** Whoever chooses rounds, windows or sessions wants to know of time. */
function isTimedOnly({ counts, rounds, window, sessions }: Record<string, unknown>): boolean {
  return !counts && [rounds, window, sessions].some((value) => value !== undefined);
}

function isGiven(values: Record<string, unknown>, name: string): boolean {
  return values[name] !== undefined && values[name] !== false;
}

/** The contenders that match, and the bare ones that they are compared with. */
function chosen(only: string): Contender[] {
  const patterns = only.split(",").map(patternOf);
  const matching = CONTENDERS.filter(({ name }) => patterns.some((pattern) => pattern.test(name)));
  if (matching.length === 0) throw new Error(`no contender matches ${only}: see --list`);
  const wanted = new Set([...matching.map(({ framework }) => bareOf(framework)), ...matching]);
  return CONTENDERS.filter((contender) => wanted.has(contender));
}

function patternOf(glob: string): RegExp {
  return new RegExp(`^${glob.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*")}$`);
}

function routesIn(text: string): Route[] {
  const wanted = text.split(",");
  const unknown = wanted.filter((name) => !ROUTES.some((route) => route === name));
  if (unknown.length > 0) throw new Error(`no route ${unknown.join()}: there are ${ROUTES.join()}`);
  return ROUTES.filter((route) => wanted.includes(route));
}

function number(text: string | undefined, usual: number): number {
  const value = text === undefined ? usual : Number(text);
  if (!(value > 0)) throw new Error(`${text} is no number above 0`);
  return value;
}
