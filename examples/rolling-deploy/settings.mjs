/** Settings from the environment: those of all examples, and what a deployment adds. */
import { readSettings, sessionOptions } from "@sojourn/example-login-shared/settings";

/** What the process is started with; a variable that is empty is not set. */
export async function settingsFrom(environment) {
  const shared = readSettings(environment, new URL("data", import.meta.url).pathname);
  return {
    host: shared.host,
    port: shared.port ?? 3000,
    trustProxy: shared.trustProxy,
    session: await sessionOptions(shared),
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
