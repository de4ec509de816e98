/** Start-up advice: what of the servers' settings breaks a promise, what it costs, what to do. */
import { clockAdvice, systemClock } from "@sojourn/core/store";
import type { Advice, Clock, ClockReading } from "@sojourn/core/store";
import type { RedisClient } from "./options.ts";

const OLDEST_MAJOR = 7;
/** Policies that take only what is about to expire anyway, or nothing. */
const HARMLESS_POLICIES = new Set(["noeviction", "volatile-ttl"]);
const NOT_ALLOWED = /^(?:NOPERM|ERR unknown command|ERR This instance|ERR command)/i;

/** What one server says of itself; null: it may not be asked. */
interface Facts {
  readonly info: ReadonlyMap<string, string> | null;
  /** null: not known, or of no account. */
  readonly clock: ClockReading | null;
  readonly refused: readonly string[];
}

/** Asks the server, or every master of a cluster. Rejects only with what the connection says. */
export async function adviceFor(client: RedisClient, clock: Clock): Promise<readonly Advice[]> {
  if (!client.isCluster) return [...detectorAdvice(client), ...judge(await factsOf(client, clock))];
  const masters = (client.nodes?.("master") ?? []) as readonly RedisClient[];
  const where = new Map<string, { advice: Advice; names: string[] }>();
  for (const { name, facts } of await Promise.all(masters.map((node) => named(node, clock)))) {
    for (const advice of judge(facts)) {
      const id = `${advice.topic} ${advice.message}`;
      where.set(id, { advice, names: [...(where.get(id)?.names ?? []), name] });
    }
  }
  return [...where.values()].map(({ advice: { topic, message }, names }) => ({
    topic,
    message: `${message} (Seen on ${names.join(", ")}.)`,
  }));
}

/** ioredis holds on to a master that hangs for as long as its socket lasts, unless it is told not to. */
function detectorAdvice({ options }: RedisClient): Advice[] {
  if (options?.sentinels == null || options.failoverDetector === true) return [];
  return [
    {
      topic: "failover-detector",
      message:
        "The client goes through Sentinel without failoverDetector: after the failover from a master that hangs, and does not die, " +
        "it would stay with that one. Make it with `failoverDetector: true`.",
    },
  ];
}

async function named(node: RedisClient, clock: Clock): Promise<{ name: string; facts: Facts }> {
  const { host = "", port = 0 } = node.options ?? {};
  return { name: `${host}:${port}`, facts: await factsOf(node, clock) };
}

async function factsOf(server: RedisClient, clock: Clock): Promise<Facts> {
  const refused: string[] = [];
  const info = await allowed("INFO", refused, async () => server.info?.());
  const reading = clock === systemClock ? await allowed("TIME", refused, () => time(server)) : null;
  return { info: info == null ? null : fields(info), clock: reading, refused };
}

/** What is asked for, or null where the server does not let this user ask. */
async function allowed<T>(
  name: string,
  refused: string[],
  ask: () => Promise<T>,
): Promise<T | null> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof Error) || !NOT_ALLOWED.test(error.message)) throw error;
    refused.push(name);
    return null;
  }
}

async function time(server: RedisClient): Promise<ClockReading> {
  const sent = systemClock.now();
  const [seconds, micros] = (await server.time?.()) ?? [];
  const received = systemClock.now();
  return { there: Number(seconds) * 1_000 + Number(micros) / 1_000, sent, received };
}

function fields(info: string): ReadonlyMap<string, string> {
  const lines = info.split("\r\n").filter((line) => line.includes(":"));
  return new Map(
    lines.map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1)]),
  );
}

function judge({ info, clock, refused }: Facts): Advice[] {
  const policy = info?.get("maxmemory_policy");
  const unsaid = info && policy === undefined ? ["maxmemory_policy of INFO"] : [];
  const found = [
    versionAdvice(info?.get("redis_version")),
    evictionAdvice(policy),
    persistenceAdvice(info?.get("aof_enabled")),
    replicaAdvice(info?.get("role")),
    clock && clockAdvice(clock),
    notChecked([...refused, ...unsaid]),
  ];
  return found.filter((advice) => advice !== null);
}

function versionAdvice(version: string | undefined): Advice | null {
  if (version === undefined || Number.parseInt(version, 10) >= OLDEST_MAJOR) return null;
  return {
    topic: "version",
    message:
      `The server is of version ${version}: its scripts cannot declare what they do, so that every ` +
      "operation will fail. Use Redis 7 or later, or Valkey 7.2 or later.",
  };
}

function evictionAdvice(policy: string | undefined): Advice | null {
  if (policy === undefined || HARMLESS_POLICIES.has(policy)) return null;
  return {
    topic: "eviction-policy",
    message:
      `maxmemory-policy is "${policy}": when memory is full Redis throws away sessions, and indexes and ` +
      "endings with them: people are logged out, lists and limits miss sessions, and one that was " +
      "revoked may live again. Set `CONFIG SET maxmemory-policy noeviction` (and the same in redis.conf, or in the service's " +
      "parameters): new sessions are then refused when memory is full, and nothing is lost.",
  };
}

function persistenceAdvice(enabled: string | undefined): Advice | null {
  if (enabled !== "0") return null;
  return {
    topic: "persistence",
    message:
      "The append-only file is off: after a crash Redis comes back empty, which logs everyone out, or as it was at its last " +
      "snapshot, where sessions live that have been ended since. Set `CONFIG SET appendonly yes`, and " +
      "`CONFIG SET appendfsync always` where not even the last second may be lost (and in redis.conf).",
  };
}

function replicaAdvice(role: string | undefined): Advice | null {
  if (role !== "slave") return null;
  return {
    topic: "replica",
    message:
      "The client is connected to a replica: nothing can be written, and what is read may be old. " +
      "Connect to the master, best through Sentinel (role master) or as a Cluster.",
  };
}

function notChecked(what: readonly string[]): Advice | null {
  if (what.length === 0) return null;
  return {
    topic: "not-checked",
    message:
      `The server does not tell this user ${what.join(", ")}: see to it that maxmemory-policy is noeviction and ` +
      "appendonly yes, that the version is 7 or later, and that clocks agree; or allow `+info +time`.",
  };
}
