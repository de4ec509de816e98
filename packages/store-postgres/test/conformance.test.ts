/** D-20, E-01: the Postgres store keeps every law, on a server through pg 8 and its oldest release that will do, and on PGlite. */
import { createRequire } from "node:module";
import { afterAll, beforeAll, describe, test } from "vitest";
import { conformance } from "@sojourn/store-conformance";
import type { Clock, Store } from "@sojourn/core/store";
import { postgresStore } from "../src/index.ts";
import type { PostgresPool } from "../src/index.ts";
import { litePool } from "./support/pglite.ts";
import type { LitePool } from "./support/pglite.ts";
import { startServer } from "./support/server.ts";
import type { Server } from "./support/server.ts";

/** Without types: what is used of it has not changed. */
const require = createRequire(import.meta.url);
const oldest = require("pg811") as typeof import("pg");
const FIVE_MINUTES = 300_000;
let serial = 0;

/** How a suite runs. */
interface Manner {
  readonly maxRaces: number;
  /** With a pool of one connection: records that are created at once are then created in that order. */
  readonly reopens?: boolean;
}

function suite(name: string, pool: () => PostgresPool, { maxRaces, reopens }: Manner): void {
  const tables = new WeakMap<Store, string>();
  const at = (table: string, clock: Clock): Store => {
    const store = postgresStore({ pool: pool(), table, clock, connectWithin: "1m" });
    tables.set(store, table);
    return store;
  };
  const cases = conformance({
    name,
    maxRaces,
    open: async (clock) => {
      serial += 1;
      return at(`case_${serial}`, clock);
    },
    ...(reopens && {
      reopen: async (closed: Store, clock: Clock) => at(tables.get(closed) ?? "", clock),
    }),
  });
  for (const each of cases) test(`[D-20] [E-01] ${each.name}`, each.run, FIVE_MINUTES);
}

describe("on a server", () => {
  let server: Server;
  let pool: ReturnType<Server["pool"]>;
  let single: ReturnType<Server["pool"]>;
  let old: ReturnType<Server["pool"]>;
  beforeAll(async () => {
    server = await startServer();
    pool = server.pool();
    single = server.pool({ max: 1 });
    old = new oldest.Pool({ connectionString: server.url, max: 4 });
  });
  afterAll(async () => {
    await Promise.all([pool, single, old].map((each) => each.end()));
    await server.stop();
  });
  suite("pg", () => pool, { maxRaces: 50 });
  suite("pg, one connection", () => single, { maxRaces: 5, reopens: true });
  suite("pg 8.11", () => old, { maxRaces: 5 });
});

describe("on PGlite", () => {
  let pool: LitePool;
  beforeAll(async () => {
    pool = await litePool();
  });
  afterAll(() => pool.end());
  suite("pglite", () => pool, { maxRaces: 5, reopens: true });
});
