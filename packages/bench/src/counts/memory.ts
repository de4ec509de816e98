/** Bytes that a session takes: on the heap of a process that keeps it, or in Redis. */
import { Redis } from "ioredis";
import type { Contender } from "../contender.ts";
import { Child } from "../process/child.ts";
import { Servers } from "../servers.ts";

/** What is measured: only those that keep sessions in one of the two. */
export function keepsSessions({ name }: Contender): "heap" | "redis" | null {
  if (name.endsWith("-memory")) return "heap";
  const inRedis = /^(?:ours|express-session|fastify-session)-.*redis$/;
  return inRedis.test(name) ? "redis" : null;
}

/** Bytes a session, of so many; each of a user. */
export async function bytesPerSession(contender: Contender, sessions: number): Promise<number> {
  const servers = await Servers.start(contender.needs);
  const child = await Child.start(contender, servers.places());
  const admin = keepsSessions(contender) === "redis" ? new Redis(servers.portOf("redis")) : null;
  const used = async (): Promise<number> =>
    admin ? usedMemory(admin) : child.ask({ ask: "heap" });
  const seed = (from: number, count: number): Promise<unknown> =>
    child.ask({ ask: "seed", from, count, perUser: 1, forget: true });
  try {
    await seed(0, WARM_UP);
    const before = await used();
    await seed(WARM_UP, sessions);
    return ((await used()) - before) / sessions;
  } finally {
    admin?.disconnect();
    await child.stop();
    await servers.stop();
  }
}

/** Sessions made before it is measured: scripts are loaded, code is compiled. */
const WARM_UP = 1_000;

/** When no table is on its way into a larger one. */
async function usedMemory(admin: Redis): Promise<number> {
  await new Promise((resolve) => {
    setTimeout(resolve, 1_000);
  });
  return Number(/used_memory:(\d+)/.exec(await admin.info("memory"))?.[1]);
}
