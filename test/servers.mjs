/** Programs beside Node that the tests run against: found, or installed from Debian's packages. */
import { spawnSync } from "node:child_process";
import {
  accessSync,
  constants,
  existsSync,
  readFileSync,
  readdirSync,
  writeFileSync,
} from "node:fs";
import { delimiter, join } from "node:path";

// oxlint-disable typescript/no-unsafe-assignment -- plain JavaScript: Node 20 runs nothing else

/** Each: the variable that names its path, the commands it may have, its Debian package, and where that puts it. */
const SERVERS = {
  chromium: {
    variable: "CHROMIUM_PATH",
    commands: ["chromium", "chromium-browser", "google-chrome"],
    debian: "chromium",
  },
  postgres: {
    variable: "POSTGRES_PATH",
    commands: ["postgres"],
    debian: "postgresql",
    folders: () => foldersIn("/usr/lib/postgresql", "bin"),
  },
  redis: {
    variable: "REDIS_SERVER_PATH",
    commands: ["redis-server"],
    debian: "redis-server",
  },
  valkey: {
    variable: "VALKEY_SERVER_PATH",
    commands: ["valkey-server"],
    debian: "valkey-server", // Debian 12: in its backports only
  },
};

/** Path of a program of the table, or null. */
export function findServer(name) {
  const { variable, commands, folders: more } = SERVERS[name];
  const given = process.env[variable];
  if (given) return given;
  const folders = [...(more?.() ?? []), ...(process.env.PATH ?? "").split(delimiter)];
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
  const isDebian = process.getuid?.() === 0 && existsSync("/etc/debian_version");
  if (isDebian && aptInstall(packages)) return true;
  const variables = missing.map((name) => SERVERS[name].variable).join(", ");
  console.error(
    `The tests need ${missing.join(", ")}. Install it (Debian: ${packages.join(" ")}), or set ${variables}.`,
  );
  return false;
}

function aptInstall(packages) {
  if (!apt("update")) return false;
  const absent = packages.filter((name) => !isKnown(name));
  if (absent.length > 0 && !(addBackports() && apt("update"))) return false;
  const known = packages.filter((name) => !absent.includes(name));
  return (
    (known.length === 0 || apt(...INSTALL, ...known)) &&
    (absent.length === 0 || apt(...INSTALL, "-t", BACKPORTS, ...absent))
  );
}

const INSTALL = ["install", "-y", "--no-install-recommends"];
const BACKPORTS = "bookworm-backports";

function isKnown(name) {
  return spawnSync("apt-cache", ["show", name]).status === 0;
}

/** On Debian 12. A backport goes below every other package, so that nothing else changes by it. */
function addBackports() {
  if (!readFileSync("/etc/os-release", "utf8").includes("VERSION_CODENAME=bookworm")) return false;
  const line = `deb http://deb.debian.org/debian ${BACKPORTS} main\n`;
  writeFileSync("/etc/apt/sources.list.d/sojourn-backports.list", line);
  return true;
}

function apt(...args) {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  return spawnSync("apt-get", args, { env, stdio: ["ignore", "inherit", "inherit"] }).status === 0;
}

/** Of each version, the newest first. */
function foldersIn(parent, child) {
  if (!existsSync(parent)) return [];
  const versions = readdirSync(parent).toSorted((one, other) => Number(other) - Number(one));
  return versions.map((version) => join(parent, version, child));
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
