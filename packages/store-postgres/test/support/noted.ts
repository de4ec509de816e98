/** A pool that tells what is asked of it. */
import type pg from "pg";
import type { PostgresPool, PostgresQuery } from "../../src/index.ts";

/** The pool, but that `note` hears of every query. */
export function notedPool(real: pg.Pool, note: (query: PostgresQuery) => void): PostgresPool {
  return {
    on: (event, listener) => real.on(event, listener),
    removeListener: (event, listener) => real.removeListener(event, listener),
    end: () => real.end(),
    async connect() {
      const client = await real.connect();
      return {
        on: (event, listener) => client.on(event, listener),
        removeListener: (event, listener) => client.removeListener(event, listener),
        release: (isBroken) => client.release(isBroken),
        query(query) {
          note(query);
          return client.query({ ...query });
        },
      };
    },
  };
}
