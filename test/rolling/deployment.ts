/** The example behind its proxy: processes that are started as the recipes start them, and restarted. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { freePort } from "../support/ports.ts";
import { ROOT } from "../support/workspace.ts";

/** Folder of the example. */
export const EXAMPLE: string = join(ROOT, "examples/rolling-deploy");
/** What is run in it; the recipes say the same. */
export const COMMANDS = {
  app: ["node", "server.mjs"],
  proxy: ["node", "proxy.mjs"],
  preStop: ["node", "pre-stop.mjs"],
} as const;

/** A process that is not ready by then is not coming, in ms. */
const PATIENCE = 20_000;

/** Variables of one process. */
export type Environment = Readonly<Record<string, string>>;

/** How a process ends: asked to, or killed. */
export type How = "SIGTERM" | "SIGKILL";

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const each of running) each.kill("SIGKILL");
});

/** A program of the example that runs. */
export class Program {
  readonly #command: readonly string[];
  readonly #environment: Environment;
  #child: ChildProcess | undefined;
  #said = "";

  constructor(command: readonly string[], environment: Environment) {
    this.#command = command;
    this.#environment = environment;
  }

  /** What it wrote, of all its lives. */
  get said(): string {
    return this.#said;
  }

  start(): void {
    const [, ...args] = this.#command;
    const { PATH = "", HOME = "" } = process.env;
    const env = { PATH, HOME, ...this.#environment };
    const child = spawn(process.execPath, args, { cwd: EXAMPLE, env });
    running.add(child);
    child.once("exit", () => running.delete(child));
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => (this.#said += chunk.toString()));
    this.#child = child;
  }

  /** Resolves to its exit code; null: killed. */
  async end(how: How): Promise<number | null> {
    const child = this.#child;
    if (!child || this.hasEnded) return null;
    const ended = once(child, "exit") as Promise<[number | null]>;
    child.kill(how);
    return (await ended)[0];
  }

  /** Resolves to its exit code when it ends by itself. */
  async over(): Promise<number | null> {
    if (!this.#child) return null;
    const [code] = (await once(this.#child, "exit")) as [number | null];
    return code;
  }

  get hasEnded(): boolean {
    return !this.#child || this.#child.exitCode !== null || this.#child.signalCode !== null;
  }
}

/** One process of the application, and where it listens. */
export class AppProcess extends Program {
  readonly port: number;
  readonly #environment: Environment;

  constructor(port: number, given: Environment) {
    const environment = { ...given, PORT: String(port) };
    super(COMMANDS.app, environment);
    this.port = port;
    this.#environment = environment;
  }

  /** Starts it, and waits until it is ready. */
  async serve(): Promise<void> {
    this.start();
    const until = performance.now() + PATIENCE;
    while (!(await this.isReady())) {
      if (this.hasEnded || performance.now() > until)
        throw new Error(`the process is not ready:\n${this.said}`);
      await pause(20);
    }
  }

  /** Has its sessions exported. */
  async preStop(): Promise<void> {
    if (!this.#environment["EXPORT_SECRET"]) return;
    const hook = new Program(COMMANDS.preStop, this.#environment);
    hook.start();
    if ((await hook.over()) !== 0 || !hook.said.startsWith("export: 200 "))
      throw new Error(`the preStop hook failed: ${hook.said}`);
  }

  async isReady(): Promise<boolean> {
    const probed = fetch(`http://127.0.0.1:${this.port}/readyz`);
    return probed.then(
      ({ ok }) => ok,
      () => false,
    );
  }
}

/** Processes behind the proxy. */
export interface Deployment {
  /** Of the proxy. */
  readonly port: number;
  readonly processes: readonly AppProcess[];
  /**
   * Ends one and starts it again; resolves to its exit code when the new one is ready. Before a SIGTERM
   * the preStop hook is run where there is a secret for it, as Kubernetes does.
   */
  restart(index: number, how: How): Promise<number | null>;
  stop(): Promise<void>;
}

/** Starts so many processes of the application, then the proxy. */
export async function deploy(
  count: number,
  environment: Environment,
  ofProxy: Environment = {},
): Promise<Deployment> {
  const ports: number[] = [];
  while (ports.length < count + 1) ports.push(await freePort());
  const [port = 0, ...others] = ports;
  const processes = others.map((each) => new AppProcess(each, environment));
  await Promise.all(processes.map((each) => each.serve()));
  const proxy = new Program(COMMANDS.proxy, {
    ...ofProxy,
    PORT: String(port),
    TARGETS: others.map((each) => `127.0.0.1:${each}`).join(","),
  });
  proxy.start();
  while (!proxy.said.includes("http://")) await pause(20);
  return {
    port,
    processes,
    async restart(index, how) {
      const each = processes[index];
      if (!each) throw new Error(`no process ${index}`);
      if (how === "SIGTERM") await each.preStop();
      const code = await each.end(how);
      await each.serve();
      return code;
    },
    async stop() {
      await proxy.end("SIGTERM");
      await Promise.all(processes.map((each) => each.end("SIGKILL")));
    },
  };
}
