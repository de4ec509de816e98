/** What a bare machine needs before anything runs: the right Node, the dependencies, the build. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const { engines, packageManager } = JSON.parse(readFileSync(`${ROOT}package.json`, "utf8"));
const PNPM = packageManager.split("+")[0];

/** Ends the process with a sentence if this Node is too old. */
export function checkNode() {
  const [major, minor] = engines.node.match(/\d+/g).map(Number);
  const [hasMajor, hasMinor] = process.versions.node.split(".").map(Number);
  if (hasMajor > major || (hasMajor === major && hasMinor >= minor)) return;
  console.error(`Sojourn needs Node ${engines.node}, and this is ${process.versions.node}.`);
  process.exit(1);
}

/** Runs pnpm in the root of the workspace, its output shown; true if it succeeded. */
export function pnpm(args) {
  const { NODE_ENV: _production, ...environment } = process.env; // it would leave out the compiler
  const { status } = spawnSync("npx", ["--yes", PNPM, ...args], {
    cwd: ROOT,
    env: environment,
    stdio: ["ignore", "inherit", "inherit"],
    shell: process.platform === "win32",
  });
  return status === 0;
}

/** Installs what the lockfile says; pnpm sees by itself whether that is there already. */
export const install = () => pnpm(["install", "--frozen-lockfile"]);

/** Builds what changed. */
export const build = () => pnpm(["run", "build"]);
