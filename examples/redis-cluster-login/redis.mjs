/** A Redis of the example's own, for a machine where none runs: gone with the example. */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const PROGRAMS = ["redis-server", "valkey-server"];

/** Starts the first program that is installed; `url` holds a password that nobody is told. */
export async function startRedis() {
  const folder = mkdtempSync(join(tmpdir(), "sojourn-redis-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const port = await freePort();
  const password = randomBytes(24).toString("base64url");
  for (const program of PROGRAMS) {
    const child = await launch(program, configuration({ folder, port, password }));
    if (!child) continue;
    return {
      program,
      url: `redis://:${password}@127.0.0.1:${port}`,
      async stop() {
        if (child.kill()) await once(child, "exit");
      },
    };
  }
  throw new Error(
    `No REDIS_URL is set, and neither ${PROGRAMS.join(" nor ")} is installed. ` +
      "Set it, for example to redis://localhost:6379, or install one (Debian: apt-get install redis-server).",
  );
}

/** Reachable from this machine alone; a full memory is an error, not a lost session. */
const configuration = ({ folder, port, password }) => `
bind 127.0.0.1
port ${port}
requirepass ${password}
dir ${folder}
save ""
appendonly yes
maxmemory-policy noeviction
`;

/** Resolves when it takes connections; to null where the program is not installed. */
async function launch(program, config) {
  // A group of its own: Ctrl+C is for the example, which stops Redis last.
  const child = spawn(program, ["-"], { stdio: ["pipe", "pipe", "inherit"], detached: true });
  process.once("exit", () => child.kill()); // also where the end is not a graceful one
  try {
    await once(child, "spawn");
  } catch (error) {
    if (error.code === "ENOENT") return null;
    throw error;
  }
  child.stdin.end(config);
  const said = [];
  for await (const line of createInterface(child.stdout)) {
    if (line.includes("Ready to accept connections")) {
      child.stdout.resume();
      return child;
    }
    said.push(line);
  }
  throw new Error(`${program} did not start:\n${said.slice(-5).join("\n")}`);
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}
