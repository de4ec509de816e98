/** The workspace as its users see it: built packages, programs in folders of their own. */
import { execFile, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { onTestFinished } from "vitest";

/** The root of the workspace. */
export const ROOT: string = fileURLToPath(new URL("../..", import.meta.url));

/** A process that ended, well or not. */
export interface Ended {
  readonly code: number;
  readonly output: string;
}

/** Runs a program to its end, at most two minutes. */
export async function run(command: string, args: readonly string[], cwd: string): Promise<Ended> {
  const limits = { timeout: 120_000, maxBuffer: 16 * 1024 * 1024 };
  try {
    const { stdout, stderr } = await promisify(execFile)(command, args, {
      cwd,
      env: plainEnvironment(),
      ...limits,
    });
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as {
      code?: number | string;
      stdout?: string;
      stderr?: string;
    };
    return {
      code: typeof code === "number" ? code : 1,
      output: `${stdout}${stderr}${String(error)}`,
    };
  }
}

/** {@link run}, where only success will do. */
export async function must(command: string, args: readonly string[], cwd: string): Promise<string> {
  const { code, output } = await run(command, args, cwd);
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${code}:\n${output}`);
  return output;
}

/** Builds what changed. */
export async function build(): Promise<void> {
  await must(process.execPath, [join(ROOT, "node_modules/typescript/bin/tsc"), "-b"], ROOT);
}

/** A folder that goes when `cleanUp` runs what it is given. */
export async function folder(cleanUp: (remove: () => Promise<void>) => void): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "sojourn-consumer-"));
  cleanUp(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** Starts a server program of that folder; resolves to its port when it listens. */
export async function serve(file: string, cwd: string): Promise<number> {
  const port = await freePort();
  const env = { ...plainEnvironment(), PORT: String(port) };
  const child = spawn(process.execPath, [file], { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk) => (output += String(chunk)));
  onTestFinished(() => stop(child));
  while (!(await listens(port))) {
    if (child.exitCode !== null)
      throw new Error(`${file} ended with ${child.exitCode}:\n${output}`);
    await pause(20);
  }
  return port;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, "localhost");
  const isOpen = await Promise.race([
    once(socket, "connect").then(() => true),
    once(socket, "error").then(() => false),
  ]).catch(() => false);
  socket.destroy();
  return isOpen;
}

/** Without what a test runner sets. */
function plainEnvironment(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _options, NODE_ENV: _env, SESSION_SECRET: _secret, ...env } = process.env;
  return env;
}
