/** The processes of the application. */
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { Place } from "./words.ts";

/** Running processes, and where each listens. */
export interface Processes {
  readonly ports: readonly number[];
  stop(): Promise<void>;
}

/** Starts one process for each place. */
export async function startProcesses(script: string, places: readonly Place[]): Promise<Processes> {
  const children = places.map((place) =>
    fork(script, [JSON.stringify(place)], { execArgv: [], env: plain(process.env) }),
  );
  const stop = async (): Promise<void> => void (await Promise.all(children.map(kill)));
  try {
    return { ports: await Promise.all(children.map(portOf)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function portOf(child: ChildProcess): Promise<number> {
  const ended = once(child, "exit").then(() => {
    throw new Error("a process of the application ended before it listened");
  });
  const [{ port }] = (await Promise.race([once(child, "message"), ended])) as [{ port: number }];
  return port;
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

/** Without what a test runner sets. */
function plain({
  NODE_OPTIONS: _options,
  NODE_ENV: _env,
  ...env
}: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return env;
}
