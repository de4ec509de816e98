/** Other processes with a file store: bundles the program once and runs it. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { onTestFinished } from "vitest";

interface Bundler {
  build(options: object): Promise<unknown>;
}

/** Bundles `program.ts` into a directory of its own; Node 20 runs no TypeScript. */
export async function bundleProgram(): Promise<{ script: string; remove: () => void }> {
  const directory = mkdtempSync(join(tmpdir(), "sojourn-program-"));
  const ofVitest = createRequire(import.meta.resolve("vitest"));
  const vite = (await import(pathToFileURL(ofVitest.resolve("vite")).href)) as Bundler;
  await vite.build({
    configFile: false,
    logLevel: "error",
    root: import.meta.dirname,
    ssr: { noExternal: true },
    resolve: { conditions: ["@sojourn/source", "node", "import", "default"] },
    build: {
      ssr: join(import.meta.dirname, "program.ts"),
      outDir: directory,
      emptyOutDir: false,
      rollupOptions: { output: { entryFileNames: "program.mjs" } },
    },
  });
  const remove = (): void => rmSync(directory, { recursive: true, force: true });
  return { script: join(directory, "program.mjs"), remove };
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
