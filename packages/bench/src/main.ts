/** `npm run bench`: measures, and tells. Results go to stdout, progress to stderr. */
import type { Contender } from "./contender.ts";
import { runCounts } from "./counts/run.ts";
import { runRounds } from "./load/rounds.ts";
import type { RoundSettings } from "./load/rounds.ts";
import { readOptions } from "./options.ts";
import type { Options } from "./options.ts";
import { progressOn } from "./progress.ts";
import type { Progress } from "./progress.ts";
import { chartOf } from "./report/chart.ts";
import { countTables } from "./report/counts.ts";
import { environment } from "./report/environment.ts";
import { writePage } from "./report/page.ts";
import { throughputTables } from "./report/throughput.ts";
import { Servers } from "./servers.ts";
import { isThere } from "./services.ts";

/** Does what the arguments say. @throws Error for arguments that it does not know */
export async function main(args: readonly string[]): Promise<void> {
  const options = readOptions(args);
  if (typeof options === "string") return console.log(options);
  const progress = progressOn(process.stderr);
  const contenders = options.contenders.filter((contender) => canRun(contender, progress));
  process.once("SIGINT", () => process.exit(130)); // what runs is stopped at the exit
  const servers = await Servers.start(contenders.flatMap(({ needs }) => needs));
  try {
    await run({ ...options, contenders }, { servers, progress });
  } finally {
    await servers.stop();
  }
}

/** What is told early is not lost when something later fails. */
async function run(
  { contenders, rounds, counts: settings, isComplete }: Options,
  { servers, progress }: { readonly servers: Servers; readonly progress: Progress },
): Promise<void> {
  const told: string[] = [];
  const tell = (...sections: string[]): void => {
    told.push(...sections);
    console.log(`${sections.join("\n\n")}\n`);
  };
  tell(listOf(environment(new Date())));
  const samples = rounds && (await runRounds(contenders, rounds, { servers, progress }));
  if (rounds && samples) tell(described(rounds), ...throughputTables(samples));
  if (settings) tell(...countTables(await runCounts({ contenders, settings, servers, progress })));
  if (samples && isComplete) writePage([CHART, ...told].join("\n\n"), chartOf(samples));
}

const CHART = "![Throughput of a route that reads the session](images/benchmarks.svg)";

const listOf = (lines: readonly string[]): string => lines.map((line) => `- ${line}`).join("\n");

function described({ rounds, windowMs, connections, sessions }: RoundSettings): string {
  return `Throughput: ${rounds} rounds of ${windowMs / 1_000} s, ${connections} connections, ${sessions} sessions.`;
}

/** Says who is left out. */
function canRun({ name, needs }: Contender, progress: Progress): boolean {
  const missing = needs.filter((service) => !isThere(service));
  if (missing.length > 0) progress(`without ${name}: no ${missing.join()} here`);
  return missing.length === 0;
}
