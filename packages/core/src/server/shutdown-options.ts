/** The options of `gracefulShutdown`: their meaning, their defaults, and one error for all their problems. */
import type { IncomingMessage, Server } from "node:http";
import { constants } from "node:os";
import { z } from "zod";
import type { Logger } from "../events.ts";
import type { Duration } from "../options/duration.ts";
import { checked, duration, has, loggerOption } from "./options.ts";
import type { SaveSnapshot, SnapshotFile } from "./snapshot-file.ts";
import type { OpenConnection } from "./under-way.ts";

/**
 * What is shut down: a `node:http` server, as Express' `listen` returns it, or a Fastify instance. That
 * should listen on one address: for `localhost` it makes several servers, and gives out one of them.
 */
export type ShutdownTarget =
  | Server
  | { readonly server: Server; close(): PromiseLike<unknown>; addresses?(): readonly unknown[] };

/** Options of {@link gracefulShutdown}. */
export interface ShutdownOptions {
  /**
   * Everything must be over by then. Default `'30s'`; less than what the platform grants
   * (`terminationGracePeriodSeconds`, `stop_grace_period`).
   */
  readonly budget?: Duration;
  /** What is kept back of it for snapshot, closing and hooks. Default: a fifth. */
  readonly reserve?: Duration;
  /**
   * How long requests are still served after readiness says no, so that load balancers can hear of it.
   * Each answer of that time is the last one of its connection. Default `'0s'`.
   */
  readonly notice?: Duration;
  /** Default SIGTERM and SIGINT; none: only by `start()`. */
  readonly signals?: readonly NodeJS.Signals[];
  /** Where the sessions go when nothing changes them any more: a {@link snapshotFile}, or a function. */
  readonly snapshot?: SnapshotFile | SaveSnapshot;
  /** Told once what is still open when nothing more is accepted: to end event streams and WebSockets. */
  readonly onDrain?: (open: readonly OpenConnection[]) => unknown;
  /** Run one after the other when the sessions are closed: pools of databases, log files. */
  readonly beforeExit?: readonly (() => unknown)[];
  /** Names a request in the report, where its path would tell too much. */
  readonly route?: (request: IncomingMessage) => string;
  /** Default: errors become process warnings. False: silence. */
  readonly logger?: Logger | false;
  /** Whether the process exits at the end, with 0 if the report is clean, else 1. Default true. */
  readonly exit?: boolean;
}

/** {@link ShutdownOptions}, checked and complete; durations in ms. */
export interface ShutdownSettings {
  readonly budget: number;
  readonly reserve: number;
  readonly notice: number;
  readonly signals: readonly NodeJS.Signals[];
  readonly snapshot?: SnapshotFile | SaveSnapshot | undefined;
  readonly onDrain?: ShutdownOptions["onDrain"] | undefined;
  readonly beforeExit: readonly (() => unknown)[];
  readonly route?: ShutdownOptions["route"] | undefined;
  readonly logger?: Logger | false | undefined;
  readonly exit: boolean;
}

const UNCATCHABLE: ReadonlySet<string> = new Set(["SIGKILL", "SIGSTOP"]);
const signal = z.custom<NodeJS.Signals>(
  (name) => typeof name === "string" && name in constants.signals && !UNCATCHABLE.has(name),
  "must be a signal that a process can catch, such as SIGTERM",
);

const optionsSchema = z
  .strictObject({
    budget: duration.refine((ms) => ms > 0, "must be longer than 0").default(30_000),
    reserve: duration.optional(),
    notice: duration.default(0),
    signals: z.array(signal).default(["SIGTERM", "SIGINT"]),
    snapshot: has<SnapshotFile | SaveSnapshot>("a snapshotFile() or a function", [
      "save",
    ]).optional(),
    onDrain: has<NonNullable<ShutdownOptions["onDrain"]>>("a function").optional(),
    beforeExit: z.array(has<() => unknown>("a function")).default([]),
    route: has<NonNullable<ShutdownOptions["route"]>>("a function").optional(),
    logger: loggerOption.optional(),
    exit: z.boolean().default(true),
  })
  .transform(({ budget, reserve = budget / 5, ...rest }) => ({ budget, reserve, ...rest }))
  .refine(({ budget, reserve, notice }) => notice + reserve < budget, {
    path: ["budget"],
    message: "must be longer than notice and reserve together",
  });

/** @throws SOJOURN_OPTIONS_INVALID with every problem */
export function parseShutdownOptions(options: ShutdownOptions): ShutdownSettings {
  return checked("gracefulShutdown()", optionsSchema, options);
}
