/** Settings from the environment: those of all examples, and what a deployment adds. */
import { readSettings, sessionOptions } from "@sojourn/example-login-shared/settings";
import { postgresStore } from "@sojourn/store-postgres";

/** What the process is started with; a variable that is empty is not set. */
export async function settingsFrom(environment) {
  const { SESSION_STORE, DATABASE_URL, ...others } = environment;
  const isPostgres = SESSION_STORE === "postgres";
  const shared = readSettings(
    { ...others, SESSION_STORE: isPostgres ? "memory" : SESSION_STORE },
    new URL("data", import.meta.url).pathname,
  );
  if (isPostgres && !DATABASE_URL)
    throw new Error("DATABASE_URL is missing, and SESSION_STORE is postgres");
  const session = await sessionOptions(shared);
  return {
    host: shared.host,
    port: shared.port ?? 3000,
    trustProxy: shared.trustProxy,
    session: isPostgres ? { ...session, store: postgresStore({ url: DATABASE_URL }) } : session,
    /** Where the sessions are while no process has them: for the memory store. */
    snapshotPath: environment.SNAPSHOT_FILE || null,
    /** Where an export that is asked for goes, and who may ask. */
    exportPath: environment.EXPORT_FILE || environment.SNAPSHOT_FILE || null,
    exportSecret: environment.EXPORT_SECRET,
    shutdown: {
      budget: environment.SHUTDOWN_BUDGET || "25s",
      notice: environment.SHUTDOWN_NOTICE || "5s",
    },
  };
}
