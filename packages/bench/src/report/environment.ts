/** What the figures were measured on: they mean nothing without it. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus, release, totalmem, type } from "node:os";
import { versionOf } from "../services.ts";

/** Packages whose version is told. */
const PACKAGES = [
  "@sojourn/core",
  "fastify",
  "express",
  "@fastify/session",
  "@fastify/secure-session",
  "express-session",
  "connect-redis",
  "cookie-session",
  "iron-session",
  "better-auth",
  "ioredis",
  "redis",
  "pg",
  "autocannon",
];

/** One line each: date, machine, programs, packages. */
export function environment(date: Date): string[] {
  const [first] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  return [
    `Date: ${date.toISOString().slice(0, 10)}`,
    `Machine: ${cpus().length} × ${first?.model.trim() || "unknown processor"}, ${memory} GiB, ${type()} ${release()}`,
    `Node ${process.versions.node}, Redis ${versionOf("redis")}, Postgres ${versionOf("postgres")}`,
    `Packages: ${PACKAGES.map((name) => `${name} ${packageVersion(name)}`).join(", ")}`,
  ];
}

const { resolve } = createRequire(import.meta.url);

/** Of a package as this one finds it: many do not let their package.json be imported. */
function packageVersion(name: string): string {
  const folder = resolve.paths(name)?.find((path) => hasPackage(`${path}/${name}`));
  if (folder === undefined) return "unknown";
  const { version } = JSON.parse(readFileSync(`${folder}/${name}/package.json`, "utf8")) as {
    readonly version: string;
  };
  return version;
}

function hasPackage(folder: string): boolean {
  try {
    readFileSync(`${folder}/package.json`);
    return true;
  } catch {
    return false;
  }
}
