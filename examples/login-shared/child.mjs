/** An example's server as a child process. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** What the examples read from the environment: a check decides that for itself. */
const SETTINGS = /^(SESSION_\w+|REDIS_URL|TRUST_PROXY|NODE_ENV|PORT|HOST)$/;
const inherited = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !SETTINGS.test(name)),
);

export class Server {
  #child;
  url;
  /** What it printed until it listened. */
  output;

  constructor(child, { url, output }) {
    this.#child = child;
    this.url = url;
    this.output = output;
  }

  /** Starts it, and rejects with what it said if it ends before it listens. */
  static async start(file, environment) {
    const child = spawn(process.execPath, [file], { env: { ...inherited, ...environment } });
    let complaints = "";
    let output = "";
    child.stderr.on("data", (chunk) => (complaints += chunk));
    for await (const line of createInterface(child.stdout)) {
      output += `${line}\n`;
      const url = /http:\/\/[\d.]+:\d+/.exec(line)?.[0];
      if (url) return new Server(child, { url, output });
    }
    throw new Error(`the server did not start: ${complaints}`);
  }

  /** SIGKILL, unless it has ended. */
  async crash() {
    if (this.#hasEnded()) return;
    this.#child.kill("SIGKILL");
    await once(this.#child, "exit");
  }

  /** SIGTERM, which must end it well. */
  async stop() {
    assert.equal(await this.end(), 0);
  }

  /** SIGTERM, unless it has ended; resolves to its exit code. */
  async end() {
    if (this.#hasEnded()) return this.#child.exitCode;
    this.#child.kill("SIGTERM");
    const [code] = await once(this.#child, "exit");
    return code;
  }

  #hasEnded() {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }
}
