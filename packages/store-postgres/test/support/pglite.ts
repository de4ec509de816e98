/** PGlite, Postgres in this process, as a pool of one connection. */
import { PGlite } from "@electric-sql/pglite";
import type { PostgresClient, PostgresPool } from "../../src/index.ts";

/** The pool, and the database behind it. */
export interface LitePool extends PostgresPool {
  readonly database: PGlite;
}

/** A new, empty database in memory. Who makes it ends it. */
export async function litePool(): Promise<LitePool> {
  const database = await PGlite.create();
  let turn = Promise.resolve();
  return {
    database,
    options: { max: 1 },
    on: () => {},
    removeListener: () => {},
    end: () => database.close(),
    async connect() {
      const before = turn;
      let release: () => void = () => {};
      turn = new Promise((resolve) => {
        release = resolve;
      });
      await before;
      return {
        query: async ({ text, values }) => {
          if (values) return database.query(text, values);
          return (await database.exec(text)).at(-1) ?? { rows: [] };
        },
        release,
        on: () => {},
        removeListener: () => {},
      } satisfies PostgresClient;
    },
  };
}
