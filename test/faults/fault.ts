/** A fault: what breaks in the middle of a run, how long, and what that may mean for an answer. */
import { Proxy } from "./proxy.ts";
import type { Detour, Site } from "./sites.ts";
import { PROCESSES } from "./words.ts";

/** Servers, and the fault that they can have. */
export interface Scene extends Site {
  /** What goes before the fault, while every request is still well served. */
  prepare?(): Promise<void>;
  /** Resolves when the fault is there. */
  strike(): Promise<void>;
  /** Resolves when its cause is gone. */
  heal(): Promise<void>;
}

/** One fault. */
export interface Fault {
  readonly name: string;
  /** How long it lasts in ms, where it does not end by itself. In the short form at most 3 s. */
  readonly lastsMs: number;
  /** Part of the long form only. */
  readonly long?: boolean;
  /** Another server takes over, which may not have all that the first one had. */
  readonly failover?: boolean;
  /** The only process that it reaches. */
  readonly only?: number;
  /** Answers that the fault explains. */
  readonly answers: readonly string[];
  /** An answer that there must have been, or else there was no fault; null: there may be none. */
  readonly mark: RegExp | null;
  start(): Promise<Scene>;
}

/** The faults of each form. */
export interface Forms {
  readonly long: readonly Fault[];
  readonly short: readonly Fault[];
}

/** Answers that are right without any fault. */
export const USUAL: readonly string[] = ["409 SOJOURN_SESSION_ENDED", "409 SOJOURN_LIMIT_REACHED"];
/** Of a store that is away; the last: an increment that others were before, where its next try is after the deadline. */
export const AWAY: readonly string[] = [
  "503 SOJOURN_STORE_UNAVAILABLE",
  "503 SOJOURN_STORE_TIMEOUT",
  "503 SOJOURN_UPDATE_CONFLICT",
];
/** In the short form, in ms. */
const SHORTLY = 3_000;

/** The faults of each form, from all of them. */
export function formsOf(all: readonly Fault[]): Forms {
  const short = all
    .filter(({ long }) => long !== true)
    .map((fault) => ({ ...fault, lastsMs: Math.min(fault.lastsMs, SHORTLY) }));
  return { long: all, short };
}

/** What a partition needs to know of a kind of server. */
export interface Reached<Server> {
  readonly name: string;
  start(): Promise<Server>;
  /** The server as its processes find it, one of them by the detour. */
  site(server: Server, detour: Detour): Site;
}

/** One process is cut off from a server that the others still reach. */
export function partition<Server extends { readonly port: number }>(
  reached: Reached<Server>,
): Fault {
  const only = PROCESSES - 1;
  return {
    name: `1 process of 4 cut off from ${reached.name}`,
    lastsMs: 5_000,
    only,
    answers: AWAY,
    mark: /TIMEOUT/,
    start: async () => {
      const server = await reached.start();
      const proxy = await Proxy.to(server.port);
      const site = reached.site(server, { process: only, port: proxy.port });
      return {
        ...site,
        strike: async () => proxy.cut(),
        heal: async () => proxy.heal(),
        stop: async () => {
          await proxy.close();
          await site.stop();
        },
      };
    },
  };
}
