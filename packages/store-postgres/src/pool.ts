/** A pool for a url. */
import pg from "pg";
import type { PostgresPool } from "./options.ts";

// oxlint-disable-next-line import/no-named-as-default-member -- pg before 8.15 has a default export alone
const { Client, Pool } = pg;
const FORM = /^postgres(?:ql)?:\/\//;

/** True for a url that pg understands. Connects to nothing. */
export function isAddress(url: string): boolean {
  if (!FORM.test(url)) return false;
  try {
    return new Client({ connectionString: url }).port > 0;
  } catch {
    return false;
  }
}

/** The pool of a url. Who calls this ends it. An idle connection keeps no process alive. `connectWithin` in ms. */
export function poolFor(url: string, connectWithin: number): PostgresPool {
  return new Pool({
    connectionString: url,
    application_name: "sojourn",
    connectionTimeoutMillis: connectWithin,
    keepAlive: true,
    allowExitOnIdle: true,
  });
}
