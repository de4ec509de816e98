/** The pages of the docs that the long form writes: what is said about each server. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { findServer } from "../servers.mjs";

/** One page. */
export interface Page {
  readonly server: "Redis" | "Postgres";
  /** Path in the repository. */
  readonly path: string;
  /** Whether another server takes over in some runs, so that losses are told apart. */
  readonly failover: boolean;
  /** The server's version and its client's. */
  versions(): string;
  /** What must be known to read the numbers. */
  readonly notes: string;
}

/** docs/faults-redis.md */
export const REDIS_PAGE: Page = {
  server: "Redis",
  path: "docs/faults-redis.md",
  failover: true,
  versions() {
    const version = /v=(\S+)/.exec(told("redis", "redis-server"))?.[1] ?? "unknown";
    return `Redis ${version}, ioredis ${versionOf("ioredis", import.meta.url)}`;
  },
  notes: `_By Redis_: replication is asynchronous, so the server that takes over may not have what the first one had
acknowledged. It is told from a defect of ours by a control: after each acknowledgement the driver itself writes
a key into the same slot. Replication keeps the order, so where that later write survives and ours does not,
the loss is ours. _Its replicas behind_ are runs in which the replicas are cut off 300 ms before their master
dies, to have such losses; \`min-replicas-to-write\` and \`min-replicas-max-lag\` bound them in production.
What to expect of it is in the README of \`@sojourn/store-redis\`.`,
};

/** docs/faults-postgres.md */
export const POSTGRES_PAGE: Page = {
  server: "Postgres",
  path: "docs/faults-postgres.md",
  failover: false,
  versions() {
    const version = /\d+\.\d+/.exec(told("postgres", "postgres"))?.[0] ?? "unknown";
    const store = import.meta.resolve("../../packages/store-postgres/package.json");
    return `Postgres ${version}, pg ${versionOf("pg", store)}`;
  },
  notes: `One server, with \`fsync\` and \`synchronous_commit\` on, as they are by default. Two processes leave their pool to the store, two
give it one of their own. _Table locked_: a transaction of somebody else holds every statement up, as a long \`ALTER TABLE\` does, until every
connection of every pool waits; what was refused by the deadline may still happen when the lock is gone, and the check counts what that
must not do. _Read-only_: reads go on, writes are refused. Not looked at here: a failover to a replica, the loss of a machine's power, a full disk.`,
};

function told(server: "redis" | "postgres", command: string): string {
  return execFileSync(findServer(server) ?? command, ["--version"], { encoding: "utf8" });
}

function versionOf(name: string, from: string): string {
  const manifest = createRequire(from).resolve(`${name}/package.json`);
  return (JSON.parse(readFileSync(manifest, "utf8")) as { version: string }).version;
}
