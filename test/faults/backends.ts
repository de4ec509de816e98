/** The processes of a Postgres: hung for a while, or ended again and again as an administrator does. */
import { setTimeout as pause } from "node:timers/promises";
import type { Server } from "../../packages/store-postgres/test/support/server.ts";

/** Between two rounds of terminations, in ms. */
const BETWEEN = 250;
const OTHERS = "backend_type = 'client backend' AND pid <> pg_backend_pid()";

/** Stops every process of a server; the returned function lets them go on. */
export async function hang(server: Server): Promise<() => Promise<void>> {
  const admin = server.pool({ max: 1 });
  await admin.query("SELECT 1"); // from here on it has its connection
  server.signal("SIGSTOP");
  const { rows } = await admin.query<{ pid: number }>("SELECT pid FROM pg_stat_activity");
  for (const { pid } of rows) signal(pid, "SIGSTOP");
  return async () => {
    for (const { pid } of rows) signal(pid, "SIGCONT");
    server.signal("SIGCONT");
    await admin.end();
  };
}

/** Ends every connection, again and again; the returned function ends that. */
export function terminate(server: Server): () => Promise<void> {
  const over = new AbortController();
  const again = async (): Promise<void> => {
    while (!over.signal.aborted) {
      await server.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${OTHERS}`);
      await pause(BETWEEN);
    }
  };
  const ending = again();
  return async () => {
    over.abort();
    await ending;
  };
}

/** Holds the table of the sessions, as a migration does; the returned function lets go of it. */
export async function lock(server: Server): Promise<() => Promise<void>> {
  const admin = server.pool({ max: 1 });
  await admin.query("BEGIN");
  await admin.query("LOCK TABLE sojourn_records IN ACCESS EXCLUSIVE MODE");
  return async () => {
    await admin.query("COMMIT");
    await admin.end();
  };
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended meanwhile.
  }
}
