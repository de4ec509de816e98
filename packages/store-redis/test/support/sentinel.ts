/** A master with two replicas, watched by three sentinels. */
import { Redis } from "ioredis";
import type { RedisOptions } from "ioredis";
import { replicated, startOne, until } from "./server.ts";
import type { Server } from "./server.ts";

/** What the sentinels call the master. */
export const MASTER = "sojourn";

/** Running servers of a Sentinel installation. */
export interface Sentinels {
  /** The first master. */
  readonly master: Server;
  readonly replicas: readonly Server[];
  readonly sentinels: readonly Server[];
  /** The sentinels, as a client takes them. */
  readonly addresses: readonly { readonly host: string; readonly port: number }[];
  /** Which server the sentinels say is the master. */
  current(): Promise<Server>;
  stop(): Promise<void>;
}

/** Starts them; a master that is away for 1 s is replaced by a replica. */
export async function startSentinels(): Promise<Sentinels> {
  const data = ["--save", "", "--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1"];
  const master = await startOne({ options: data });
  const follow = ["--replicaof", `127.0.0.1 ${master.port}`];
  const replicas = await Promise.all([1, 2].map(() => startOne({ options: [...data, ...follow] })));
  await Promise.all(replicas.map(replicated));
  const sentinels = await Promise.all([1, 2, 3].map(() => startOne(sentinelOf(master))));
  await Promise.all(sentinels.map(complete));
  const all = [...sentinels, master, ...replicas];
  return {
    master,
    replicas,
    sentinels,
    addresses: sentinels.map(({ port }) => ({ host: "127.0.0.1", port })),
    current: () => masterOf(sentinels, [master, ...replicas]),
    stop: async () => void (await Promise.all(all.map((server) => server.stop()))),
  };
}

/** A client of the master that the sentinels name. */
export function sentinelClient(
  { addresses }: Sentinels,
  options: Omit<RedisOptions, "replyMapping"> = {},
): Redis {
  return new Redis({ ...options, sentinels: [...addresses], name: MASTER });
}

function sentinelOf({ port }: Server): { file: string; options: readonly string[] } {
  const lines = [
    `sentinel monitor ${MASTER} 127.0.0.1 ${port} 2`,
    `sentinel down-after-milliseconds ${MASTER} 1000`,
    `sentinel failover-timeout ${MASTER} 5000`,
    `sentinel parallel-syncs ${MASTER} 2`,
  ];
  return { file: `${lines.join("\n")}\n`, options: ["--sentinel"] };
}

/** Waits until a sentinel knows the other two and both replicas. */
async function complete(sentinel: Server): Promise<void> {
  const known = /num-slaves,2,(?:.*,)?num-other-sentinels,2,/;
  await until(sentinel, ["SENTINEL", "MASTER", MASTER], known);
}

async function masterOf(
  [sentinel]: readonly Server[],
  servers: readonly Server[],
): Promise<Server> {
  const client = sentinel?.client();
  const answer = await client?.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER);
  client?.disconnect();
  const port = Array.isArray(answer) ? Number(answer[1]) : 0;
  const found = servers.find((server) => server.port === port);
  if (!found) throw new Error(`the sentinels name no master of ours: ${String(answer)}`);
  return found;
}
