/** Instructions of the processor that a request takes, counted by valgrind: the same on every day. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Contender, Route } from "../contender.ts";
import { Load } from "../load/load.ts";
import { Child } from "../process/child.ts";
import type { Servers } from "../servers.ts";
import { medianOf } from "../statistics.ts";

const SESSIONS = 50;
const CONNECTIONS = 5;
/** Until the compiler has done its work, which is not counted. In many runs: the end of connections is work for it too. */
const WARM_UP = { runs: 10, requests: 4_000 };
/** Counted apart, for the compiler and the garbage collector still have their turns; the middle one is the count. */
const COUNTS = { runs: 7, requests: 1_000 };

/** True where valgrind is installed. */
export function canCount(): boolean {
  return spawnSync("callgrind_control", ["--version"]).status === 0;
}

/** Instructions a request, of the user's part of the process. */
export async function instructionsOf(
  contender: Contender,
  route: Route,
  servers: Servers,
): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), "sojourn-callgrind-"));
  const callgrind = ["--tool=callgrind", "--instr-atstart=no", "--smc-check=all-non-file"];
  const out = `--callgrind-out-file=${join(directory, "out")}`;
  const under = ["valgrind", "-q", ...callgrind, out];
  const child = await Child.start(contender, servers.places(), { under });
  try {
    const seeding = { ask: "seed", from: 0, count: SESSIONS, perUser: 1, forget: false } as const;
    const cookies = await child.ask(seeding);
    const load = new Load({ port: child.port, route, cookies, connections: CONNECTIONS });
    for (let run = 0; run < WARM_UP.runs; run += 1) await load.run(WARM_UP.requests);
    control(child.pid, "--instr=on");
    for (let run = 0; run < COUNTS.runs; run += 1) {
      await load.run(COUNTS.requests);
      control(child.pid, "--dump");
    }
    load.stop();
    return medianOf(counted(directory)) / COUNTS.requests;
  } finally {
    await child.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

function control(pid: number, what: string): void {
  const { status, stderr } = spawnSync("callgrind_control", [what, String(pid)], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`callgrind_control ${what}: ${stderr}`);
}

/** Of each run, the instructions. @throws where there are more or fewer */
function counted(directory: string): number[] {
  const texts = readdirSync(directory).map((name) => readFileSync(join(directory, name), "utf8"));
  const totals = texts.map((text) => /^(?:totals|summary): (\d+)/m.exec(text)?.[1]);
  const counts = totals.filter((total) => total !== undefined).map(Number);
  if (counts.length !== COUNTS.runs) throw new Error(`${counts.length} counts of callgrind`);
  return counts;
}
