/** One process: restores what its predecessor left, serves, and leaves when it is told to. */
import { gracefulShutdown, snapshotFile } from "@sojourn/core/server";
import { createApp } from "./app.mjs";
import { settingsFrom } from "./settings.mjs";

try {
  const { host, port, snapshotPath, exportPath, shutdown, ...settings } = await settingsFrom(
    process.env,
  );
  const snapshot = snapshotPath ? snapshotFile(snapshotPath) : null;
  const backup = exportPath === snapshotPath ? snapshot : snapshotFile(exportPath);
  const app = await createApp({ ...settings, to: backup });
  await snapshot?.restore(app.sessions);
  gracefulShutdown(app, app.sessions, {
    ...shutdown,
    ...(snapshot && { snapshot }),
    logger: app.log,
  });
  console.log(`process ${process.pid} serves at ${await app.listen({ host, port })}`);
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
