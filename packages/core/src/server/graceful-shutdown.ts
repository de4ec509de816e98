/** `gracefulShutdown`: ends a server so that nobody notices but the operator. */
import type { Sessions } from "../manager/types.ts";
import {
  parseShutdownOptions,
  type ShutdownOptions,
  type ShutdownTarget,
} from "./shutdown-options.ts";
import { type ShutdownReport, ShutdownRun } from "./shutdown-run.ts";
import { tellError } from "./tell.ts";
import { UnderWay } from "./under-way.ts";

/** A shutdown that waits to happen. */
export interface GracefulShutdown {
  /** Shuts down; the same promise whoever calls, and however often. Never rejects. */
  start(cause?: string): Promise<ShutdownReport>;
  /** Resolves when it is over, whatever began it. Never rejects. */
  readonly done: Promise<ShutdownReport>;
  /** Takes the signal handlers and the watch over requests away. */
  dispose(): void;
}

/** `npm run` hands a Ctrl+C on to a process that has heard it already. */
const ECHO_MS = 1_000;
const NOT_YET = (): void => {};

/**
 * Ends a server when a signal comes, in this order: readiness says no (`notice`) → nothing more is
 * accepted → what is under way is finished, and cut at its deadline → `snapshot` → the server and the
 * sessions are closed → `beforeExit` → exit. A second signal ends the waiting, a third the process.
 * Call it before the server listens: only requests that began after it are waited for.
 * @throws SOJOURN_OPTIONS_INVALID with every problem
 */
export function gracefulShutdown(
  target: ShutdownTarget,
  sessions: Sessions,
  options: ShutdownOptions = {},
): GracefulShutdown {
  const settings = parseShutdownOptions(options);
  const { logger, signals } = settings;
  const server = "server" in target ? target.server : target;
  const underWay = new UnderWay(server, settings.route);
  const hurry = new AbortController();
  const parts = { target, server, sessions, settings, underWay, hurry: hurry.signal };
  let begin: (cause: string) => void = NOT_YET;
  let beganAt: number | undefined;
  const done = new Promise<string>((resolve) => {
    begin = resolve;
  }).then((cause) => new ShutdownRun(parts).run(cause));

  function start(cause = "start()"): Promise<ShutdownReport> {
    beganAt ??= performance.now();
    begin(cause);
    return done;
  }

  function heard(signal: NodeJS.Signals): void {
    if (beganAt === undefined) return void start(signal);
    if (performance.now() - beganAt < ECHO_MS) return;
    ignoreSignals();
    tellError(logger, { signal }, "a second signal: what is under way is cut");
    hurry.abort();
  }

  function ignoreSignals(): void {
    for (const signal of signals) process.off(signal, heard);
  }

  for (const signal of signals) process.on(signal, heard);
  void done.then(settings.exit ? exit : ignoreSignals);
  return {
    start,
    done,
    dispose() {
      ignoreSignals();
      underWay.forget();
    },
  };
}

/** A turn later: what was told is written by then. */
function exit({ clean }: ShutdownReport): void {
  setImmediate(() => process.exit(clean ? 0 : 1));
}
