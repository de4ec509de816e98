/** The faults: what breaks in the middle of a run, how long, and what that may mean for an answer. */
import { setTimeout as pause } from "node:timers/promises";
import { startSentinels } from "../../packages/store-redis/test/support/sentinel.ts";
import { startCluster, until } from "../../packages/store-redis/test/support/server.ts";
import { Flood } from "./flood.ts";
import { Migration } from "./migration.ts";
import { Proxy } from "./proxy.ts";
import { cutReplicas, joinReplicas } from "./replicas.ts";
import { clustered, standalone, startDurable, watched } from "./sites.ts";
import type { Site } from "./sites.ts";
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

/** Answers that are right without any fault. */
export const USUAL: readonly string[] = ["409 SOJOURN_SESSION_ENDED", "409 SOJOURN_LIMIT_REACHED"];
/** The last: an increment that others were before, where its next try is after the deadline. */
const AWAY = [
  "503 SOJOURN_STORE_UNAVAILABLE",
  "503 SOJOURN_STORE_TIMEOUT",
  "503 SOJOURN_UPDATE_CONFLICT",
];
/** A server that was replaced comes back so long after that, in ms. */
const BACK_AFTER = 1_500;
const BEHIND = ", its replicas behind";

const stopped: Fault = {
  name: "SIGSTOP of Redis",
  lastsMs: 5_000,
  answers: AWAY,
  mark: /TIMEOUT/,
  start: async () => {
    const server = await startDurable();
    return {
      ...standalone(server),
      strike: async () => server.signal("SIGSTOP"),
      heal: async () => server.signal("SIGCONT"),
    };
  },
};

const killed: Fault = {
  name: "kill -9 of Redis, then a restart",
  lastsMs: 1_000,
  answers: AWAY,
  mark: /UNAVAILABLE/,
  start: async () => {
    const server = await startDurable();
    return {
      ...standalone(server),
      strike: () => server.kill(),
      heal: () => server.start(),
    };
  },
};

/** @param lag - cut the replicas off shortly before: then Redis loses what it acknowledged */
const failover = (lag: boolean): Fault => ({
  name: `Sentinel failover${lag ? BEHIND : ""}`,
  long: !lag,
  lastsMs: 0,
  failover: true,
  answers: AWAY,
  mark: /UNAVAILABLE/,
  start: async () => {
    const sentinels = await startSentinels();
    const { master, replicas } = sentinels;
    return {
      ...watched(sentinels),
      ...(lag ? { prepare: () => cutReplicas(master, replicas) } : {}),
      strike: () => master.kill(),
      heal: async () => {
        while ((await sentinels.current()) === master) await pause(50);
        await joinReplicas(replicas);
        await pause(BACK_AFTER);
        await master.start();
      },
    };
  },
});

/** @param lag - as with Sentinel */
const masterKilled = (lag: boolean): Fault => ({
  name: `a cluster master killed${lag ? BEHIND : ""}`,
  long: !lag,
  lastsMs: 0,
  failover: true,
  answers: AWAY,
  mark: /UNAVAILABLE|TIMEOUT/,
  start: async () => {
    const cluster = await startCluster({ replicas: 1 });
    const [master, replica] = [cluster.servers[0], cluster.replicas[0]];
    if (!master || !replica) throw new Error("a cluster without a master and its replica");
    return {
      ...clustered(cluster),
      ...(lag ? { prepare: () => cutReplicas(master, [replica]) } : {}),
      strike: () => master.kill(),
      heal: async () => {
        await until(replica, ["ROLE"], /^master/);
        await joinReplicas([replica]);
        await pause(BACK_AFTER);
        await master.start();
      },
    };
  },
});

const migration: Fault = {
  name: "slots with live sessions migrating",
  lastsMs: 5_000,
  answers: AWAY,
  mark: null,
  start: async () => {
    const cluster = await startCluster();
    const moves = new Migration(cluster.servers);
    return {
      ...clustered(cluster),
      strike: () => moves.start(),
      heal: () => moves.stop(),
    };
  },
};

const partition: Fault = {
  name: "1 process of 4 cut off from Redis",
  lastsMs: 5_000,
  only: PROCESSES - 1,
  answers: AWAY,
  mark: /TIMEOUT/,
  start: async () => {
    const server = await startDurable();
    const proxy = await Proxy.to(server.port);
    const site = standalone(server, { process: PROCESSES - 1, port: proxy.port });
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

const full: Fault = {
  name: "maxmemory reached, noeviction",
  lastsMs: 3_000,
  answers: ["503 SOJOURN_STORE_FULL", ...AWAY],
  mark: /FULL/,
  start: async () => {
    const server = await startDurable();
    const flood = new Flood(server);
    return {
      ...standalone(server),
      strike: () => flood.rise(),
      heal: () => flood.fall(),
    };
  },
};

const ALL: readonly Fault[] = [
  stopped,
  killed,
  failover(false),
  failover(true),
  masterKilled(false),
  masterKilled(true),
  migration,
  partition,
  full,
];

const SHORT = ALL.filter(({ long }) => long !== true).map((fault) => ({
  ...fault,
  lastsMs: Math.min(fault.lastsMs, 3_000),
}));

/** The faults of each form, in the order of the report. */
export const FAULTS: { readonly long: readonly Fault[]; readonly short: readonly Fault[] } = {
  long: ALL,
  short: SHORT,
};
