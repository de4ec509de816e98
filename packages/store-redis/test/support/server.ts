/** Real servers on free loopback ports: started for a test file, killed and restarted by it. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Cluster, Redis } from "ioredis";
import { findServer } from "../../../../test/servers.mjs";

/** One redis-server and its directory. */
export class Server {
  readonly port: number;
  readonly #directory: string;
  readonly #options: readonly string[];
  #process: ChildProcess | null = null;

  constructor(port: number, options: readonly string[]) {
    this.port = port;
    this.#options = options;
    this.#directory = mkdtempSync(join(tmpdir(), "redis-"));
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** A client that gives up at once. */
  client(): Redis {
    return new Redis(this.port, "127.0.0.1", {
      retryStrategy: () => 50,
      maxRetriesPerRequest: null,
    });
  }

  async start(): Promise<void> {
    const program = findServer("redis");
    if (program === null) throw new Error("no redis-server: see test/servers.mjs");
    const args = ["--port", String(this.port), "--bind", "127.0.0.1", "--dir", this.#directory];
    this.#process = spawn(program, [...args, "--save", "", ...this.#options], { stdio: "ignore" });
    await this.answering();
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
    const running = this.#process;
    this.#process = null;
    if (running === null) return;
    await new Promise((resolve) => {
      running.once("exit", resolve);
      running.kill("SIGKILL");
    });
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** Starts a standalone server. */
export async function startServer(...options: string[]): Promise<Server> {
  const server = new Server(await freePort(), options);
  await server.start();
  return server;
}

/** Three masters with all slots. */
export interface ClusterOfThree {
  readonly servers: readonly Server[];
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  stop(): Promise<void>;
}

/** Starts a cluster of three masters. */
export async function startCluster(): Promise<ClusterOfThree> {
  const servers: Server[] = [];
  let firstBus = "";
  for (let index = 0; index < 3; index += 1) {
    const bus = String(await freePort());
    const options = ["--cluster-enabled", "yes", "--cluster-port", bus];
    servers.push(await startServer(...options, "--cluster-node-timeout", "2000"));
    const client = servers[index]?.client();
    const [from, to] = [Math.ceil((16_384 / 3) * index), Math.ceil((16_384 / 3) * (index + 1)) - 1];
    await client?.call("CLUSTER", "ADDSLOTSRANGE", from, to);
    if (index === 0) firstBus = bus;
    else await client?.call("CLUSTER", "MEET", "127.0.0.1", servers[0]?.port ?? 0, firstBus);
    client?.disconnect();
  }
  const nodes = servers.map(({ port }) => ({ host: "127.0.0.1", port }));
  await Promise.all(servers.map(covered));
  return {
    servers,
    nodes,
    stop: async () => void (await Promise.all(servers.map((s) => s.stop()))),
  };
}

/** A client of a cluster. */
export function clusterClient({ nodes }: ClusterOfThree): Cluster {
  return new Cluster([...nodes]);
}

async function covered(server: Server): Promise<void> {
  const client = server.client();
  for (;;) {
    const info = String(await client.call("CLUSTER", "INFO"));
    if (info.includes("cluster_state:ok") && info.includes("cluster_known_nodes:3")) break;
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
  }
  client.disconnect();
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return port;
}
