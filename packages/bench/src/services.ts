/** The servers beside Node: each started empty, on a port of its own, and stopped at the end. */
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chownSync, mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { findServer } from "../../../test/servers.mjs";
import type { Service } from "./contender.ts";

/** A server that runs. */
export interface Running {
  readonly port: number;
  stop(): Promise<void>;
}

/** Databases of one Redis: each contender has its own. */
const DATABASES = 64;
/** As an installation that trusts its disk: what is acknowledged is kept. */
const POSTGRES = ["-c", "max_connections=200", "-c", "shared_buffers=256MB"];

const running = new Set<ChildProcess>();
const directories = new Set<string>();
process.on("exit", () => {
  for (const each of running) each.kill("SIGKILL");
  for (const each of directories) rmSync(each, { recursive: true, force: true });
});

/** True where its program is installed. */
export const isThere = (service: Service): boolean => findServer(service) !== null;

/** Starts a server. @throws Error when its program is not there, or ends at once */
export async function startService(service: Service): Promise<Running> {
  const path = findServer(service);
  if (path === null) throw new Error(`no ${service}: see test/servers.mjs`);
  return service === "redis" ? startRedis(path) : startPostgres(path);
}

/** What a server calls itself, such as `7.0.15`. */
export function versionOf(service: Service): string {
  const path = findServer(service);
  if (path === null) return "none";
  const { stdout } = spawnSync(path, ["--version"], { encoding: "utf8" });
  return /\d+(?:\.\d+)+/.exec(stdout)?.[0] ?? "unknown";
}

async function startRedis(path: string): Promise<Running> {
  const port = await freePort();
  const place = ["--port", String(port), "--bind", "127.0.0.1", "--databases", String(DATABASES)];
  return listening(spawn(path, [...place, "--save", "", "--appendonly", "no"], QUIET), port);
}

async function startPostgres(path: string): Promise<Running> {
  const port = await freePort();
  const user = whoMayRun();
  const directory = mkdtempSync(join(tmpdir(), "sojourn-bench-postgres-"));
  directories.add(directory);
  if (user) chownSync(directory, user.uid, user.gid);
  const initdb = ["-D", directory, "--username=sojourn", "--auth=trust", "--locale=C"];
  const made = spawnSync(join(dirname(path), "initdb"), initdb, { encoding: "utf8", ...user });
  if (made.status !== 0) throw new Error(`initdb: ${made.stderr}`);
  const place = ["-D", directory, "-p", String(port), "-h", "127.0.0.1", "-k", ""];
  const server = await listening(
    spawn(path, [...place, ...POSTGRES], { ...QUIET, ...user }),
    port,
    "SIGINT",
  );
  return {
    port,
    async stop() {
      await server.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

const QUIET = { stdio: "ignore" } as const;

async function listening(
  child: ChildProcess,
  port: number,
  stopBy: NodeJS.Signals = "SIGTERM",
): Promise<Running> {
  running.add(child);
  child.once("exit", () => running.delete(child));
  while (!(await answers(port))) {
    if (child.exitCode !== null) throw new Error(`${child.spawnfile} ended with ${child.exitCode}`);
    await pause(20);
  }
  return {
    port,
    async stop() {
      if (child.exitCode !== null) return;
      const ended = once(child, "exit");
      child.kill(stopBy);
      await ended;
    },
  };
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  const isOpen = await once(socket, "connect").then(
    () => true,
    () => false,
  );
  socket.destroy();
  return isOpen;
}

/** Postgres refuses to run as root: its package has made a user for it. */
function whoMayRun(): { readonly uid: number; readonly gid: number } | null {
  if (process.getuid?.() !== 0) return null;
  return { uid: idOfPostgres("-u"), gid: idOfPostgres("-g") };
}

function idOfPostgres(flag: "-u" | "-g"): number {
  return Number(spawnSync("id", [flag, "postgres"], { encoding: "utf8" }).stdout);
}

/** A port that nothing listens on. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
