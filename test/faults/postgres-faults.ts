/** What breaks on Postgres: one server that keeps what it acknowledges. */
import { startDurableServer } from "../../packages/store-postgres/test/support/server.ts";
import type { Server } from "../../packages/store-postgres/test/support/server.ts";
import { hang, lock, terminate } from "./backends.ts";
import { AWAY, formsOf, partition } from "./fault.ts";
import type { Fault, Forms, Scene } from "./fault.ts";
import { onPostgres } from "./sites.ts";

/** Ends what a fault began. */
type Heal = () => Promise<void> | void;

/** A fault that reaches every process alike. */
function everywhere(
  strike: (server: Server) => Promise<Heal> | Heal,
): Pick<Fault, "answers" | "start"> {
  const start = async (): Promise<Scene> => {
    const server = await startDurableServer();
    let heal: Heal = () => {};
    return {
      ...onPostgres(server),
      strike: async () => {
        heal = await strike(server);
      },
      heal: async () => heal(),
    };
  };
  return { answers: AWAY, start };
}

const killed: Fault = {
  name: "kill -9 of Postgres, then a restart",
  lastsMs: 1_000,
  mark: /UNAVAILABLE/,
  ...everywhere(async (server) => {
    await server.end("SIGKILL");
    return () => server.start();
  }),
};

const stopped: Fault = {
  name: "Postgres stopped (fast), then started",
  long: true,
  lastsMs: 1_000,
  mark: /UNAVAILABLE/,
  ...everywhere(async (server) => {
    await server.end("SIGINT");
    return () => server.start();
  }),
};

const hung: Fault = {
  name: "SIGSTOP of Postgres and its processes",
  long: true,
  lastsMs: 5_000,
  mark: /TIMEOUT/,
  ...everywhere(hang),
};

const terminated: Fault = {
  name: "every connection terminated, 4 times a second",
  lastsMs: 3_000,
  mark: /UNAVAILABLE/,
  ...everywhere(terminate),
};

const exhausted: Fault = {
  name: "the table locked by another transaction, every pool exhausted",
  long: true,
  lastsMs: 5_000,
  mark: /TIMEOUT/,
  ...everywhere(lock),
};

const readOnly: Fault = {
  name: "default_transaction_read_only",
  lastsMs: 3_000,
  mark: /UNAVAILABLE/,
  ...everywhere(async (server) => {
    await server.query("ALTER SYSTEM SET default_transaction_read_only = on");
    await server.query("SELECT pg_reload_conf()");
    return async () => {
      await server.query("ALTER SYSTEM RESET default_transaction_read_only");
      await server.query("SELECT pg_reload_conf()");
    };
  }),
};

/** The faults of each form, in the order of the report. */
export const POSTGRES: Forms = formsOf([
  killed,
  stopped,
  hung,
  partition({ name: "Postgres", start: startDurableServer, site: onPostgres }),
  terminated,
  exhausted,
  readOnly,
]);
