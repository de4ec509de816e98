/** Vitest's global set-up: the Redis servers of the scenarios, started once for all of them. */
import type { TestProject } from "vitest/node";
import { startCluster, startServer } from "../../packages/store-redis/test/support/server.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Ports of the servers of the scenarios. */
    redis: { readonly standalone: number; readonly cluster: readonly number[] };
  }
}

/** What DUMP shows can be searched. */
const READABLE = ["--rdbcompression", "no"];
/** A busy machine causes no failover. */
const PATIENT = 30_000;

/** Starts them; the returned function stops them. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const [standalone, cluster] = await Promise.all([
    startServer(...READABLE),
    startCluster({ replicas: 1, nodeTimeout: PATIENT, options: READABLE }),
  ]);
  const ports = cluster.nodes.map(({ port }) => port);
  project.provide("redis", { standalone: standalone.port, cluster: ports });
  return async () => void (await Promise.all([standalone.stop(), cluster.stop()]));
}
