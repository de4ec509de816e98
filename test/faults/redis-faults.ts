/** What breaks on Redis. */
import { setTimeout as pause } from "node:timers/promises";
import { startSentinels } from "../../packages/store-redis/test/support/sentinel.ts";
import { startCluster, until } from "../../packages/store-redis/test/support/server.ts";
import { AWAY, formsOf, partition } from "./fault.ts";
import type { Fault, Forms } from "./fault.ts";
import { Flood } from "./flood.ts";
import { Migration } from "./migration.ts";
import { cutReplicas, joinReplicas } from "./replicas.ts";
import { clustered, standalone, startDurable, watched } from "./sites.ts";

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
  partition({ name: "Redis", start: startDurable, site: standalone }),
  full,
];

/** The faults of each form, in the order of the report. */
export const REDIS: Forms = formsOf(ALL);
