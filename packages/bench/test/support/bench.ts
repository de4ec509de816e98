/** What the tests of the bench need: its built contenders, and servers that stop. */
import { join } from "node:path";
import { must, ROOT } from "../../../../test/support/workspace.ts";
import { Servers } from "../../src/servers.ts";

/** Builds what changed of the contenders, which run in processes of their own. */
export async function buildBench(): Promise<void> {
  const compiler = join(ROOT, "node_modules/typescript/bin/tsc");
  await must(process.execPath, [compiler, "-b", "packages/bench"], ROOT);
}

/** Runs with a Redis that stops afterwards. */
export async function withRedis<Result>(
  use: (servers: Servers) => Promise<Result>,
): Promise<Result> {
  const servers = await Servers.start(["redis"]);
  try {
    return await use(servers);
  } finally {
    await servers.stop();
  }
}
