/** The packed packages, installed as a user installs them: from ESM, from require(), from TypeScript. */
import { readdirSync, readFileSync } from "node:fs";
import { cp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { build, folder, must, ROOT } from "../support/workspace.ts";

const PROGRAMS = fileURLToPath(new URL("programs", import.meta.url));
/** What a package says of itself. */
const manifestOf = (folderName: string): { private?: boolean; packageManager?: string } =>
  JSON.parse(readFileSync(join(ROOT, folderName, "package.json"), "utf8")) as object;
const packages = readdirSync(join(ROOT, "packages")).filter(
  (name) => manifestOf(join("packages", name)).private !== true,
);
const { packageManager = "" } = manifestOf("");
let consumer = "";

/** `pnpm pack` writes real versions in the place of `workspace:` and `catalog:`. */
async function pack(name: string, to: string): Promise<string> {
  const pnpm = packageManager.split("+")[0] ?? "pnpm";
  const args = ["--yes", pnpm, "pack", "--pack-destination", to, "--json"];
  const output = await must("npx", args, join(ROOT, "packages", name));
  const { filename } = JSON.parse(
    output.slice(output.indexOf("{"), output.lastIndexOf("}") + 1),
  ) as {
    filename: string;
  };
  return filename;
}

beforeAll(async () => {
  await build();
  consumer = await folder(afterAll);
  const tarballs: string[] = [];
  for (const name of packages) tarballs.push(await pack(name, consumer));
  await cp(PROGRAMS, consumer, { recursive: true });
  await writeFile(join(consumer, "package.json"), '{ "private": true }');
  const quiet = ["--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"];
  const others = ["fastify@5", "express@5", "@types/express@5", "@types/node@20"];
  await must("npm", ["install", ...quiet, ...tarballs, ...others], consumer);
}, 300_000);

test("all 8 packages are installed from their tarballs, with built code and without workspace references", () => {
  expect(packages).toHaveLength(8);
  for (const name of packages) {
    const path = join(consumer, "node_modules/@sojourn", name);
    const manifest = readFileSync(join(path, "package.json"), "utf8");
    expect(manifest).not.toMatch(/workspace:|catalog:/);
    expect(readdirSync(path)).toEqual(expect.arrayContaining(["dist", "package.json"]));
  }
  const copies = readdirSync(join(consumer, "node_modules/@sojourn"));
  expect(copies.toSorted()).toEqual(packages.toSorted());
});

test.for([
  ["an ESM program", "program.mjs"],
  ["a CommonJS program with require()", "program.cjs"],
])(
  "[F-14] %s logs in on Fastify and on Express and reads it again from the file",
  async ([, file = ""]) => {
    const output = await must(process.execPath, [file], consumer);
    expect(output.trim().split("\n")).toEqual(["fastify: ada", "express: ada", "file: 1 session"]);
  },
);

test("[C-09] [E-19] a program that closes neither its manager nor its stores ends by itself", async () => {
  const began = performance.now();
  expect(await must(process.execPath, ["open.mjs"], consumer)).toBe("done\n");
  expect(performance.now() - began).toBeLessThan(10_000);
});

test.for([
  ["@sojourn/fastify", "fastify"],
  ["@sojourn/express", "express"],
  ["@sojourn/core, for both adapters in one program", "both"],
])(
  "[F-14] a strict TypeScript program that merges SessionData into %s compiles",
  async ([, program]) => {
    const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
    const project = join(consumer, `tsconfig.${program}.json`);
    expect(await must(process.execPath, [tsc, "-p", project], consumer)).toBe("");
  },
);
