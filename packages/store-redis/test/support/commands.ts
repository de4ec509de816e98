/** What servers were asked to do. */
import type { Redis } from "ioredis";

/** The commands that servers were sent, and their scripts sent on, while something ran. */
export async function commandsOf(
  servers: readonly Redis[],
  run: () => Promise<unknown>,
): Promise<Map<string, number>> {
  for (const server of servers) await server.config("RESETSTAT");
  await run();
  const sums = new Map<string, number>();
  for (const server of servers) {
    const info = await server.info("commandstats");
    for (const [, name = "", calls] of info.matchAll(/cmdstat_([^:]+):calls=(\d+)/g)) {
      sums.set(name, (sums.get(name) ?? 0) + Number(calls));
    }
  }
  return sums;
}
