/** Runs an example: settings from the environment, an open port, a graceful end. */
import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readIfThere, writeAtomically } from "./files.mjs";
import { DEMO_PASSWORD, DEMO_USERS } from "./users.mjs";

const GRACE_MS = 5_000;

/** Starts the application that `createApp` makes; `folder` is where it keeps its data by default. */
export async function runServer(createApp, folder) {
  try {
    const settings = await readSettings(folder);
    const app = await createApp(settings);
    const port = settings.port ?? (await firstFreePort(3000, settings.host));
    const url = await app.listen({ port, host: settings.host });
    stopOnSignal(app);
    sayWhere(url, settings);
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
}

async function readSettings(folder) {
  const {
    PORT,
    HOST = "127.0.0.1",
    SOJOURN_DATA,
    SESSION_SECRET,
    TRUST_PROXY,
    NODE_ENV,
  } = process.env;
  const dataDir = SOJOURN_DATA || fileURLToPath(folder);
  const production = NODE_ENV === "production";
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  return {
    dataDir,
    production,
    secret: SESSION_SECRET?.split(",") ?? (production ? undefined : await keptSecret(dataDir)),
    trustProxy: TRUST_PROXY || false,
    host: HOST,
    port: PORT ? Number(PORT) : undefined,
  };
}

/** A secret made once and kept beside the data, so that a restart logs nobody out. */
async function keptSecret(dataDir) {
  const path = join(dataDir, "secret");
  const kept = await readIfThere(path);
  if (kept) return kept;
  const secret = randomBytes(32).toString("base64url");
  await writeAtomically(path, secret);
  return secret;
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

function stopOnSignal(app) {
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

function sayWhere(url, { dataDir, production }) {
  console.log(`Waypost is at ${url} (data in ${dataDir}; Ctrl+C stops it)`);
  if (production) return;
  const emails = DEMO_USERS.map(({ email }) => email).join(" or ");
  console.log(`Sign in as ${emails}; the password is ${DEMO_PASSWORD}`);
}
