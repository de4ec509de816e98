/** One shutdown, step by step, each within its share of the budget. */
import type { Server } from "node:http";
import { setImmediate as nextTurn, setTimeout as pause } from "node:timers/promises";
import type { Sessions } from "../manager/types.ts";
import type { ShutdownSettings, ShutdownTarget } from "./shutdown-options.ts";
import { enterStage } from "./stage.ts";
import { tell, tellError } from "./tell.ts";
import type { CutConnection, UnderWay } from "./under-way.ts";
import { within } from "./within.ts";

/** A step that failed, or was not over in time. */
export interface ShutdownFailure {
  readonly step: "onDrain" | "snapshot" | "close" | "beforeExit";
  readonly error: unknown;
}

/** How a shutdown went. */
export interface ShutdownReport {
  /** The signal, or what `start` was given. */
  readonly cause: string;
  /** Requests and upgraded connections that ended by themselves after nothing more was accepted. */
  readonly drained: number;
  /** Requests that came on open connections after that, and were answered 503. */
  readonly refused: number;
  /** What was still open at its deadline. */
  readonly cut: readonly CutConnection[];
  /** Sessions in the snapshot; null: none was wanted, or it failed. */
  readonly exported: number | null;
  readonly failures: readonly ShutdownFailure[];
  readonly tookMs: number;
  /** Nothing was cut, nothing failed. */
  readonly clean: boolean;
}

/** What a shutdown works on. */
interface Parts {
  readonly target: ShutdownTarget;
  readonly server: Server;
  readonly sessions: Sessions;
  readonly settings: ShutdownSettings;
  readonly underWay: UnderWay;
  /** Ends the waiting. */
  readonly hurry: AbortSignal;
}

/** Runs once. */
export class ShutdownRun {
  readonly #parts: Parts;
  readonly #beganAt = performance.now();
  readonly #failures: ShutdownFailure[] = [];

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Never rejects. */
  async run(cause: string): Promise<ShutdownReport> {
    const { settings } = this.#parts;
    tell(settings.logger, { cause, budgetMs: settings.budget }, "shutting down");
    await this.#notice();
    const { drained, cut } = await this.#drain();
    const exported = await this.#export();
    await this.#close();
    const report: ShutdownReport = {
      cause,
      drained,
      refused: this.#parts.underWay.refused,
      cut,
      exported,
      failures: this.#failures,
      tookMs: Math.round(performance.now() - this.#beganAt),
      clean: cut.length === 0 && this.#failures.length === 0,
    };
    const { failures: _told, ...facts } = report;
    tell(settings.logger, facts, report.clean ? "shut down" : "shut down, not cleanly");
    return report;
  }

  /** Readiness says no, and answers ask clients to connect anew, elsewhere. */
  async #notice(): Promise<void> {
    const { sessions, settings, underWay, hurry } = this.#parts;
    enterStage(sessions, "stopping");
    underWay.windDown();
    if (settings.notice > 0)
      await pause(settings.notice, undefined, { signal: hurry }).catch(() => {});
  }

  async #drain(): Promise<{ drained: number; cut: CutConnection[] }> {
    const { server, settings, underWay, hurry } = this.#parts;
    const { onDrain, logger, reserve } = settings;
    this.#checkAddresses();
    underWay.refuse();
    server.close();
    const begun = underWay.size;
    const open = underWay.list();
    const ms = this.#leftMs(reserve);
    await Promise.all([
      onDrain && this.#step("onDrain", ms, async () => onDrain(open)),
      underWay.settled(ms, hurry),
    ]);
    const cut = underWay.cut();
    for (const each of cut) tellError(logger, { cut: each }, "cut at its deadline by the shutdown");
    server.closeAllConnections();
    await nextTurn(); // what handlers changed after their answers is committed by then
    return { drained: begun - cut.length, cut };
  }

  async #export(): Promise<number | null> {
    const { sessions, settings } = this.#parts;
    const { snapshot, reserve } = settings;
    if (!snapshot) return null;
    const save = typeof snapshot === "function" ? snapshot : snapshot.save.bind(snapshot);
    const result = await this.#step("snapshot", this.#leftMs(reserve / 2), (signal) =>
      save(sessions, { signal }),
    );
    return result?.exported ?? null;
  }

  /** Hooks come last: a store may need until then what they close. */
  async #close(): Promise<void> {
    const { target, sessions, settings } = this.#parts;
    const closing = async (close: () => PromiseLike<unknown>): Promise<void> => {
      await this.#step("close", this.#leftMs(settings.reserve / 4), async () => close());
    };
    if ("server" in target) await closing(() => target.close());
    await closing(() => sessions.close());
    for (const hook of settings.beforeExit) {
      await this.#step("beforeExit", this.#leftMs(0), async () => hook());
    }
  }

  /** What is left of the budget when `keptMs` of it are kept back. */
  #leftMs(keptMs: number): number {
    return this.#beganAt + this.#parts.settings.budget - keptMs - performance.now();
  }

  /** Null: it failed, or took too long; then it is told, and the next step comes. */
  async #step<T>(
    step: ShutdownFailure["step"],
    ms: number,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T | null> {
    try {
      return await within(ms, work);
    } catch (error) {
      this.#failures.push({ step, error });
      tellError(this.#parts.settings.logger, { step, err: error }, "a step of the shutdown failed");
      return null;
    }
  }

  #checkAddresses(): void {
    const { target, settings } = this.#parts;
    const addresses = "addresses" in target ? (target.addresses?.().length ?? 0) : 0;
    if (addresses <= 1) return;
    tellError(
      settings.logger,
      { addresses },
      "Fastify listens on several addresses, and requests of the first are waited for: give listen() one host",
    );
  }
}
