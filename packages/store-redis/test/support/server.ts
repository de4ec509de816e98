/** Real servers on free loopback ports: started for a test file, killed and restarted by it. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Cluster, Redis } from "ioredis";
import { findServer } from "../../../../test/servers.mjs";
import { freePort } from "../../../../test/support/ports.ts";

/** Which server program. */
export type Program = "redis" | "valkey";

/** What a server is started with. */
export interface ServerSettings {
  readonly program?: Program;
  /** Options of the command line. */
  readonly options?: readonly string[];
  /** Text of a configuration file that the server may rewrite, as a sentinel does. */
  readonly file?: string;
}

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const each of running) each.kill("SIGKILL");
});

/** One server and its directory. */
export class Server {
  readonly port: number;
  readonly #directory: string;
  readonly #program: Program;
  readonly #arguments: readonly string[];
  #process: ChildProcess | null = null;

  constructor(port: number, { program = "redis", options = [], file }: ServerSettings) {
    this.port = port;
    this.#program = program;
    this.#directory = mkdtempSync(join(tmpdir(), `${program}-`));
    const place = ["--port", String(port), "--bind", "127.0.0.1", "--dir", this.#directory];
    const config = join(this.#directory, "server.conf");
    if (file !== undefined) writeFileSync(config, file);
    this.#arguments = [...(file === undefined ? [] : [config]), ...place, ...options];
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Of its process; undefined: it does not run. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** A client that tries again and again. */
  client(): Redis {
    return new Redis(this.port, "127.0.0.1", {
      retryStrategy: () => 50,
      maxRetriesPerRequest: null,
    });
  }

  /** Nothing, where it runs already. */
  async start(): Promise<void> {
    if (this.#process !== null && running.has(this.#process)) return;
    const path = findServer(this.#program);
    if (path === null) throw new Error(`no ${this.#program}-server: see test/servers.mjs`);
    const started = spawn(path, this.#arguments, { stdio: "ignore" });
    this.#process = started;
    running.add(started);
    started.once("exit", () => running.delete(started));
    const ended = new Promise<never>((_resolve, reject) => {
      started.once("exit", () => reject(new Error(`the server on port ${this.port} ended`)));
    });
    await Promise.race([this.answering(), ended]);
  }

  /** Waits until it answers a PING. */
  async answering(): Promise<void> {
    const client = new Redis(this.port, "127.0.0.1", {
      retryStrategy: () => 20,
      maxRetriesPerRequest: null,
    });
    client.on("error", () => {});
    await client.ping();
    client.disconnect();
  }

  signal(name: NodeJS.Signals): void {
    this.#process?.kill(name);
  }

  /** `kill -9`. */
  async kill(): Promise<void> {
    const killed = this.#process;
    this.#process = null;
    if (killed === null || killed.exitCode !== null) return;
    await new Promise((resolve) => {
      killed.once("exit", resolve);
      killed.kill("SIGKILL");
    });
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** Starts a standalone Redis. */
export function startServer(...options: string[]): Promise<Server> {
  return startOne({ options: ["--save", "", ...options] });
}

/** Starts a standalone Valkey. */
export function startValkey(...options: string[]): Promise<Server> {
  return startOne({ program: "valkey", options: ["--save", "", ...options] });
}

/** Starts a server on a free port. */
export async function startOne(settings: ServerSettings): Promise<Server> {
  const server = new Server(await freePort(), settings);
  await server.start();
  return server;
}

/** What a cluster is started with. */
export interface ClusterSettings {
  /** Of each master. Default 0. */
  readonly replicas?: 0 | 1;
  /** `cluster-node-timeout`, in ms: a failover takes about twice as long. Default 2,000. */
  readonly nodeTimeout?: number;
  /** Further options of each node's command line. */
  readonly options?: readonly string[];
}

/** Three masters with all slots. */
export interface ClusterOfThree {
  /** The masters. */
  readonly servers: readonly Server[];
  /** The replica of each master at its index, or none at all. */
  readonly replicas: readonly Server[];
  /** All of them, as a client takes them. */
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  stop(): Promise<void>;
}

/** Starts a cluster of three masters, each with a replica that is up to date where there are any. */
export async function startCluster(settings: ClusterSettings = {}): Promise<ClusterOfThree> {
  const { replicas: each = 0, nodeTimeout = 2_000, options = [] } = settings;
  const timing = ["--cluster-node-timeout", String(nodeTimeout), "--repl-diskless-sync-delay", "0"];
  const all = await Promise.all(
    Array.from({ length: 3 + 3 * each }, () => startNode([...timing, ...options])),
  );
  const [servers, replicas] = [all.slice(0, 3), all.slice(3)];
  const [first] = servers;
  for (const [index, server] of all.entries()) {
    const [from, to] = [Math.ceil((16_384 / 3) * index), Math.ceil((16_384 / 3) * (index + 1)) - 1];
    await ask(server, "SET-CONFIG-EPOCH", index + 1);
    if (index < 3) await ask(server, "ADDSLOTSRANGE", from, to);
    if (first && index > 0) await ask(server, "MEET", "127.0.0.1", first.port, busOf(first));
  }
  await Promise.all(all.map((server) => covered(server, all.length)));
  await Promise.all(replicas.map((replica, index) => follow(replica, servers[index])));
  return {
    servers,
    replicas,
    nodes: all.map(({ port }) => ({ host: "127.0.0.1", port })),
    stop: async () => void (await Promise.all(all.map((server) => server.stop()))),
  };
}

/** A client of a cluster. */
export function clusterClient({ nodes }: ClusterOfThree): Cluster {
  return new Cluster([...nodes]);
}

/** Waits until a replica has all that its master has. */
export async function replicated(replica: Server): Promise<void> {
  await until(replica, ["INFO", "replication"], /master_link_status:up/);
}

/** Waits until what a server answers matches. */
export async function until(
  server: Server,
  [command, ...args]: readonly [string, ...string[]],
  wanted: RegExp,
): Promise<void> {
  const client = server.client();
  client.on("error", () => {});
  while (!wanted.test(String(await client.call(command, ...args)))) {
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
  }
  client.disconnect();
}

const busOf = ({ port }: Server): number => port + 1;

async function startNode(options: readonly string[]): Promise<Server> {
  const port = await freePort(2);
  const cluster = ["--cluster-enabled", "yes", "--cluster-port", String(port + 1)];
  const server = new Server(port, { options: ["--save", "", ...cluster, ...options] });
  await server.start();
  return server;
}

async function ask(server: Server, ...args: readonly (string | number)[]): Promise<string> {
  const client = server.client();
  const answer = await client.call("CLUSTER", ...args);
  client.disconnect();
  return String(answer);
}

async function covered(server: Server, nodes: number): Promise<void> {
  await until(server, ["CLUSTER", "INFO"], new RegExp(`cluster_known_nodes:${nodes}\r\n`));
  await until(server, ["CLUSTER", "INFO"], /cluster_state:ok/);
}

async function follow(replica: Server, master: Server | undefined): Promise<void> {
  if (!master) return;
  await ask(replica, "REPLICATE", await ask(master, "MYID"));
  await replicated(replica);
}
