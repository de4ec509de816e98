/** Says what operators must hear: to the log, else as a process warning. */
import type { Logger } from "../events.ts";

/** False: silence, also for errors. */
export type LoggerOption = Logger | false | undefined;

/** What went wrong, and what was done about it. */
export function tellError(logger: LoggerOption, facts: object, message: string): void {
  if (logger) logger.error(facts, message);
  else if (logger === undefined) process.emitWarning(withCause(facts, message), "SojournWarning");
}

/** What goes its way; only a log hears it. */
export function tell(logger: LoggerOption, facts: object, message: string): void {
  if (logger) logger.info(facts, message);
}

function withCause(facts: object, message: string): string {
  const { err, ...others }: { err?: unknown } = facts;
  const known = Object.keys(others).length === 0 ? "" : ` ${JSON.stringify(others)}`;
  const cause = err instanceof Error ? `: ${err.message}` : "";
  return `${message}${known}${cause}`;
}
