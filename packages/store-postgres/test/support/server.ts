/** A real Postgres on a free loopback port: started for a test file, stopped and killed by it. */
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { appendFileSync, chownSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import pg from "pg";
import { findServer } from "../../../../test/servers.mjs";
import { freePort } from "../../../../test/support/ports.ts";
import { eventually } from "../../../../test/support/waiting.ts";

/** For tests that nothing survives: no waiting for disks. */
const CARELESS = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"];
const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const each of running) each.kill("SIGKILL");
});

/** One server and its directory. */
export class Server {
  readonly port: number;
  readonly directory: string;
  readonly #settings: readonly string[];
  readonly #user = whoMayRun();
  #process: ChildProcess | null = null;

  constructor(port: number, settings: readonly string[]) {
    this.port = port;
    this.#settings = settings;
    this.directory = mkdtempSync(join(tmpdir(), "postgres-"));
    if (this.#user) chownSync(this.directory, this.#user.uid, this.#user.gid);
  }

  get url(): string {
    return `postgres://sojourn:secret@127.0.0.1:${this.port}/postgres`;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** A pool with a few connections. Who makes it ends it. */
  pool(options: pg.PoolConfig = {}): pg.Pool {
    return poolAt(this.url, options);
  }

  /** Runs a statement on a connection of its own. */
  async query(text: string, values?: unknown[]): Promise<Record<string, unknown>[]> {
    const client = new pg.Client({ connectionString: this.url });
    client.on("error", () => {});
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(text, values)).rows;
    } finally {
      await client.end();
    }
  }

  /** Empties the schema that stores are in by default. */
  async clear(): Promise<void> {
    await this.query("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
  }

  /** Makes the database; once. */
  create(): void {
    const options = ["--username=sojourn", "--auth=trust", "--encoding=UTF8", "--locale=C"];
    this.#run("initdb", ["-D", this.directory, "--no-sync", ...options]);
  }

  /** Takes a copy of a running server, and follows it. */
  follow(primary: Server): void {
    const from = ["-h", "127.0.0.1", "-p", String(primary.port), "-U", "sojourn"];
    this.#run("pg_basebackup", ["-D", this.directory, "-R", "-c", "fast", "--no-sync", ...from]);
  }

  /** Adds a line to the settings; in force after a start. */
  set(line: string): void {
    appendFileSync(join(this.directory, "postgresql.conf"), `\n${line}\n`);
  }

  async start(): Promise<void> {
    const place = ["-D", this.directory, "-p", String(this.port), "-h", "127.0.0.1", "-k", ""];
    const settings = this.#settings.flatMap((each) => ["-c", each]);
    const started = spawn(program("postgres"), [...place, ...settings], {
      stdio: "ignore",
      ...this.#user,
    });
    this.#process = started;
    running.add(started);
    let over = false;
    started.once("exit", () => {
      over = true;
      running.delete(started);
    });
    await eventually(async () => {
      if (over) throw new Error(`the server on port ${this.port} ended`);
      return this.query("SELECT 1").then(
        () => true,
        () => false,
      );
    }, 30_000);
  }

  /** SIGINT ends the sessions of all clients, SIGTERM waits for them, SIGKILL is a crash, SIGSTOP hangs. */
  signal(name: NodeJS.Signals): void {
    this.#process?.kill(name);
  }

  /** Stops it by a signal, and waits for its end. */
  async end(by: "SIGINT" | "SIGKILL" | "SIGQUIT"): Promise<void> {
    const ending = this.#process;
    this.#process = null;
    if (ending === null || ending.exitCode !== null || ending.signalCode !== null) return;
    await new Promise((resolve) => {
      ending.once("exit", resolve);
      ending.kill("SIGCONT");
      ending.kill(by);
    });
  }

  async stop(): Promise<void> {
    await this.end("SIGQUIT");
    rmSync(this.directory, { recursive: true, force: true });
  }

  #run(name: string, args: readonly string[]): void {
    const { status, stderr } = spawnSync(program(name), args, { encoding: "utf8", ...this.#user });
    if (status !== 0) throw new Error(`${name}: ${stderr}`);
  }
}

/** A pool with a few connections to a url. Who makes it ends it. */
export function poolAt(connectionString: string, options: pg.PoolConfig = {}): pg.Pool {
  const pool = new pg.Pool({ connectionString, max: 8, ...options });
  pool.on("error", () => {});
  return pool;
}

/** Starts a server that loses everything in a crash, fast; further settings as `name=value`. */
export function startServer(...settings: string[]): Promise<Server> {
  return start([...CARELESS, ...settings]);
}

/** Starts a server that keeps what it acknowledged. */
export function startDurableServer(...settings: string[]): Promise<Server> {
  return start(settings);
}

/** Starts a server that follows another one. */
export async function startReplica(primary: Server): Promise<Server> {
  const server = new Server(await freePort(), CARELESS);
  server.follow(primary);
  await server.start();
  return server;
}

async function start(settings: readonly string[]): Promise<Server> {
  const server = new Server(await freePort(), settings);
  server.create();
  await server.start();
  return server;
}

/** Programs of Postgres are in one folder. */
function program(name: string): string {
  const postgres = findServer("postgres");
  if (postgres === null) throw new Error("no postgres: see test/servers.mjs");
  return join(dirname(postgres), name);
}

/** Postgres refuses to run as root: its package has made a user for it. */
function whoMayRun(): { readonly uid: number; readonly gid: number } | null {
  if (process.getuid?.() !== 0) return null;
  const id = (flag: string): number =>
    Number(spawnSync("id", [flag, "postgres"], { encoding: "utf8" }).stdout);
  return { uid: id("-u"), gid: id("-g") };
}
