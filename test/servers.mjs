/** Programs beside Node that the tests run against: found, or installed from Debian's packages. */
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";

// oxlint-disable typescript/no-unsafe-assignment -- plain JavaScript: Node 20 runs nothing else

/** Each: the variable that names its path, the commands it may have, its Debian package. */
const SERVERS = {
  chromium: {
    variable: "CHROMIUM_PATH",
    commands: ["chromium", "chromium-browser", "google-chrome"],
    debian: "chromium",
  },
  redis: {
    variable: "REDIS_SERVER_PATH",
    commands: ["redis-server", "valkey-server"],
    debian: "redis-server",
  },
};

/** Path of a program of the table, or null. */
export function findServer(name) {
  const { variable, commands } = SERVERS[name];
  const given = process.env[variable];
  if (given) return given;
  const folders = (process.env.PATH ?? "").split(delimiter);
  return (
    folders
      .flatMap((folder) => commands.map((command) => join(folder, command)))
      .find(isExecutable) ?? null
  );
}

/** Installs what is missing, where this is root on Debian; says what to do elsewhere. True: all there. */
export function provideServers() {
  const missing = Object.keys(SERVERS).filter((name) => findServer(name) === null);
  if (missing.length === 0) return true;
  const packages = missing.map((name) => SERVERS[name].debian);
  if (process.getuid?.() === 0 && existsSync("/etc/debian_version")) return aptInstall(packages);
  const variables = missing.map((name) => SERVERS[name].variable).join(", ");
  console.error(
    `The tests need ${missing.join(", ")}. Install it (Debian: ${packages.join(" ")}), or set ${variables}.`,
  );
  return false;
}

function aptInstall(packages) {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const run = (...args) =>
    spawnSync("apt-get", args, { env, stdio: ["ignore", "inherit", "inherit"] }).status === 0;
  return run("update") && run("install", "-y", "--no-install-recommends", ...packages);
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
