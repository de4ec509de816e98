/** An example under test: its server process and its data, both gone at the end. */
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const SERVE = fileURLToPath(new URL("serve.mjs", import.meta.url));

/** The folders of examples/ that tell the login story. */
export type ExampleName = "login-fastify" | "login-express";

/** A running example. */
export class Example {
  readonly #name: ExampleName;
  readonly #dataDir: string;
  #child: ChildProcess | undefined;
  #ahead = 0;
  /** Where it listens; the same after a restart. */
  url = "";

  private constructor(name: ExampleName, dataDir: string) {
    this.#name = name;
    this.#dataDir = dataDir;
  }

  static async start(name: ExampleName): Promise<Example> {
    const example = new Example(name, await mkdtemp(join(tmpdir(), `sojourn-${name}-`)));
    await example.#spawn(0);
    return example;
  }

  /** Lets time pass for the server. */
  async pass(ms: number): Promise<void> {
    this.#ahead += ms;
    const heard = once(this.#process, "message");
    this.#process.send(ms);
    await heard;
  }

  /** SIGKILL, then a new process on the same data and the same port. */
  async crashAndRestart(): Promise<void> {
    await this.#kill();
    await this.#spawn(Number(new URL(this.url).port));
  }

  async close(): Promise<void> {
    await this.#kill();
    await rm(this.#dataDir, { recursive: true, force: true });
  }

  get #process(): ChildProcess {
    if (!this.#child) throw new Error("the example does not run");
    return this.#child;
  }

  async #spawn(port: number): Promise<void> {
    const { NODE_OPTIONS: _vitest, NODE_ENV: _test, ...env } = process.env;
    const args = [this.#name, this.#dataDir, String(this.#ahead), String(port)];
    this.#child = fork(SERVE, args, { execArgv: [], env });
    const ended = once(this.#child, "exit").then(() => {
      throw new Error(`${this.#name} ended before it listened`);
    });
    const [message] = (await Promise.race([once(this.#child, "message"), ended])) as [
      { url: string },
    ];
    this.url = message.url;
    ended.catch(() => {});
  }

  async #kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    await once(this.#process, "exit");
  }
}
