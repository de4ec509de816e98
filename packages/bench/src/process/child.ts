/** A contender in a process of its own, as the bench sees it. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Contender, Places } from "../contender.ts";
import { fileOf } from "../contenders/index.ts";
import type { Answers, Question, Sent } from "./messages.ts";

/** Built: Node 20 runs no TypeScript. */
const PROGRAM = fileURLToPath(new URL("../../dist/process/server.js", import.meta.url));

/** How a process is started. */
export interface ChildSettings {
  /** Put before `node`, for example valgrind and its options. */
  readonly under?: readonly string[];
}

/** Each with its directory. */
const running = new Map<ChildProcess, string>();
process.on("exit", () => {
  for (const [child, directory] of running) {
    child.kill("SIGKILL");
    rmSync(directory, { recursive: true, force: true });
  }
});

/** A process that listens. */
export class Child {
  readonly contender: Contender;
  readonly port: number;
  readonly #process: ChildProcess;
  readonly #directory: string;

  private constructor(contender: Contender, port: number, started: Started) {
    this.contender = contender;
    this.port = port;
    this.#process = started.process;
    this.#directory = started.directory;
  }

  /** Starts it; resolves when it listens. @throws Error when it ends before */
  static async start(
    contender: Contender,
    places: Omit<Places, "directory">,
    { under = [] }: ChildSettings = {},
  ): Promise<Child> {
    const directory = mkdtempSync(join(tmpdir(), "sojourn-bench-"));
    const node = [process.execPath, "--expose-gc", PROGRAM, fileOf(contender), contender.name];
    const [command, ...args] = [...under, ...node, JSON.stringify({ ...places, directory })];
    const child = spawn(command, args, {
      cwd: directory,
      env: { ...process.env, NODE_ENV: "production" },
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    running.set(child, directory);
    const errors = collected(child);
    const sent = await next(child, errors);
    if (!("port" in sent)) throw new Error(`${contender.name}: ${JSON.stringify(sent)}`);
    return new Child(contender, sent.port, { process: child, directory });
  }

  /** Its process. */
  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** One question at a time. */
  async ask<Q extends Question>(question: Q): Promise<Answers[Q["ask"]]> {
    const answer = next(this.#process);
    this.#process.send(question);
    const sent = await answer;
    if ("answer" in sent) return sent.answer as Answers[Q["ask"]];
    throw new Error(`${this.contender.name}, ${question.ask}: ${JSON.stringify(sent)}`);
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const ended = once(this.#process, "exit");
      this.#process.kill("SIGKILL");
      await ended;
    }
    running.delete(this.#process);
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

interface Started {
  readonly process: ChildProcess;
  readonly directory: string;
}

function collected({ stderr }: ChildProcess): () => string {
  let text = "";
  stderr?.on("data", (chunk) => {
    if (text.length < 10_000) text += String(chunk);
  });
  return () => text;
}

async function next(child: ChildProcess, errors: () => string = () => ""): Promise<Sent> {
  const over = new AbortController();
  try {
    return await Promise.race([
      once(child, "message", { signal: over.signal }).then(([sent]) => sent as Sent),
      once(child, "exit", { signal: over.signal }).then(([code]): never => {
        throw new Error(`a contender ended with ${String(code)}: ${errors()}`);
      }),
    ]);
  } finally {
    over.abort();
  }
}
