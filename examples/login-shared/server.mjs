/** Runs an example: settings from the environment, an open port, a graceful end. */
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { readSettings, sessionOptions } from "./settings.mjs";
import { DEMO_PASSWORD, DEMO_USERS } from "./users.mjs";

const GRACE_MS = 5_000;

/** Starts the application that `createApp` makes; `folder` is where it keeps its data by default. */
export async function runServer(createApp, folder) {
  try {
    const settings = readSettings(process.env, fileURLToPath(folder));
    const app = await createApp({ ...settings, session: await sessionOptions(settings) });
    const url = await app.listen({ port: await portOf(settings), host: settings.host });
    stopOnSignal(app);
    sayWhere(url, settings);
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
}

/** The port to listen on: the one that is set, else 3000 or the next one free. */
export async function portOf({ port, host }) {
  return port ?? (await firstFreePort(3000, host));
}

async function firstFreePort(port, host) {
  return (await isFree(port, host)) ? port : firstFreePort(port + 1, host);
}

function isFree(port, host) {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", (error) => (error.code === "EADDRINUSE" ? resolve(false) : reject(error)));
    probe.listen(port, host, () => probe.close(() => resolve(true)));
  });
}

/** Ends the application on SIGINT and SIGTERM; without grace when that takes too long. */
export function stopOnSignal(app) {
  for (const signal of ["SIGINT", "SIGTERM"]) {
    process.once(signal, () => {
      setTimeout(() => process.exit(1), GRACE_MS).unref();
      app.close().catch((error) => {
        console.error(error);
        process.exitCode = 1;
      });
    });
  }
}

/** Prints the address, where things are kept, and who can sign in. */
export function sayWhere(url, { dataDir, production, storeName }) {
  const sessions = { memory: "memory", file: "a file", redis: "Redis" }[storeName];
  console.log(
    `Waypost is at ${url} (sessions in ${sessions}, the rest in ${dataDir}; Ctrl+C stops it)`,
  );
  if (production) return;
  const emails = DEMO_USERS.map(({ email }) => email).join(" or ");
  console.log(`Sign in as ${emails}; the password is ${DEMO_PASSWORD}`);
}
