/** Other processes with a file store: bundles the program once and runs it. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { onTestFinished } from "vitest";
import { bundle } from "../../../../test/support/bundle.ts";
import type { Bundle } from "../../../../test/support/bundle.ts";

/** Bundles `program.ts` into a directory of its own. */
export function bundleProgram(): Promise<Bundle> {
  return bundle(join(import.meta.dirname, "program.ts"));
}

/** A process running the program. */
export class Child {
  readonly process: ChildProcess;
  readonly lines: string[] = [];
  readonly exited: Promise<unknown>;
  #stderr = "";
  #onLine: () => void = () => {};

  constructor(command: string, args: readonly string[]) {
    this.process = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
    this.exited = once(this.process, "close");
    this.process.stderr?.on("data", (data: Buffer) => {
      this.#stderr += data.toString();
    });
    if (this.process.stdout) {
      createInterface({ input: this.process.stdout }).on("line", (line) => {
        this.lines.push(line);
        this.#onLine();
      });
    }
    onTestFinished(() => this.kill());
  }

  /** Resolves when it has printed `count` lines; rejects when it ends before. */
  async printed(count: number): Promise<readonly string[]> {
    const enough = new Promise<void>((resolve) => {
      this.#onLine = () => {
        if (this.lines.length >= count) resolve();
      };
      this.#onLine();
    });
    await Promise.race([enough, this.exited]);
    if (this.lines.length < count) throw new Error(`the child ended early: ${this.#stderr}`);
    return this.lines;
  }

  /** Ends it with SIGKILL; resolves when all of its output is here. */
  async kill(): Promise<void> {
    this.process.kill("SIGKILL");
    await this.exited;
  }
}

/** Runs the program: `node program.mjs <mode> <path> …`. */
export function run(script: string, ...args: string[]): Child {
  return new Child(process.execPath, [script, ...args]);
}
