/** Postgres under test: one server, shared by all scenarios, each of which has a schema of its own. */
import { randomUUID } from "node:crypto";
import { postgresStore } from "@sojourn/store-postgres";
import { afterAll, inject } from "vitest";
import { poolAt } from "../../packages/store-postgres/test/support/server.ts";
import type { Place, StoreKind } from "./stores.ts";

type Pool = ReturnType<typeof poolAt>;

let shared: Pool | undefined;
afterAll(() => shared?.end());

/** Few: each learns the functions of each schema anew. */
const CONNECTIONS = 3;

/** The tables that have what a store keeps. */
const TABLES = ["records", "generations", "endings"];

/** A server with a schema for each place. */
export const postgres: StoreKind = {
  name: "postgres",
  survives: true,
  totals: false,
  async place(clock) {
    shared ??= poolAt(inject("postgres").url, { max: CONNECTIONS });
    const pool = shared;
    const schema = `s_${randomUUID().replaceAll("-", "")}`;
    return {
      async open() {
        const store = postgresStore({ pool, schema, clock, connectWithin: "1m" });
        await store.open?.();
        return store;
      },
      async bytes() {
        const texts = TABLES.map((name) => textOf(pool, `${schema}.sojourn_${name}`));
        return (await Promise.all(texts)).join("\n");
      },
      remove: async () => void (await pool.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`)),
    } satisfies Place;
  },
};

async function textOf(pool: Pool, table: string): Promise<string> {
  const { rows } = await pool.query<{ text: string }>(`SELECT t::text AS text FROM ${table} t`);
  return rows.map(({ text }) => text).join("\n");
}
