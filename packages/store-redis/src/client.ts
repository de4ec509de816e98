/** A client for a url: it reconnects for ever, and queues nothing meanwhile. */
import { Cluster, Redis } from "ioredis";
import type { ClusterOptions } from "ioredis";
import type { Address } from "./url.ts";

/** Waits between attempts to connect, in ms; for ever, but never long. */
const retryStrategy = (attempt: number): number => Math.min(50 * attempt, 1_000);
const CONNECT_WITHIN = 2_000;
/** A connection that owes an answer for so long, in ms, is given up: its server hangs, or the network does. */
const HUNG_AFTER = 5_000;
/** How often a server that loads its data is asked whether it has done so, in ms. */
const ASK_LOADING_EVERY = 1_000;

/** The client that an address asks for. Who calls this disconnects it. */
export function clientFor(address: Address): Redis | Cluster {
  return address.layout === "cluster" ? clusterFor(address) : redisFor(address);
}

function redisFor({ layout, hosts, tls, ...address }: Address): Redis {
  const common = {
    ...address.user,
    ...(tls ? { tls: {} } : {}),
    db: address.db,
    family: address.family,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    maxLoadingRetryTime: ASK_LOADING_EVERY,
    socketTimeout: HUNG_AFTER,
    retryStrategy,
  };
  if (layout !== "sentinel") return new Redis({ ...common, ...hosts[0] });
  const { username, password } = address.sentinelUser;
  return new Redis({
    ...common,
    sentinels: [...hosts],
    name: address.master,
    failoverDetector: true,
    ...(username === undefined ? {} : { sentinelUsername: username }),
    ...(password === undefined ? {} : { sentinelPassword: password }),
    ...(tls ? { sentinelTLS: {}, enableTLSForSentinelMode: true } : {}),
  });
}

function clusterFor({ hosts, tls, user, family }: Address): Cluster {
  const options = {
    clusterRetryStrategy: retryStrategy,
    enableOfflineQueue: false,
    slotsRefreshTimeout: CONNECT_WITHIN,
    redisOptions: {
      ...user,
      ...(tls ? { tls: {} } : {}),
      family,
      connectTimeout: CONNECT_WITHIN,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      maxLoadingRetryTime: ASK_LOADING_EVERY,
      socketTimeout: HUNG_AFTER,
    },
  };
  return new Cluster([...hosts], tls ? { ...options, dnsLookup: asNamed } : options);
}

/** Keeps host names, for a certificate names them and not their addresses. */
const asNamed: NonNullable<ClusterOptions["dnsLookup"]> = (host, callback) => callback(null, host);
