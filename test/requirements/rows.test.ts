/** Every promised feature is cited by a test, and every cited one is promised. */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { rows } from "./rows.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** Where titles of tests are: tests and what they share, the conformance suite, examples' checks. */
const PLACES = [
  /^packages\/[^/]+\/test\/.*\.ts$/,
  /^packages\/store-conformance\/src\/.*\.ts$/,
  /^test\/.*\.test\.ts$/,
  /^examples\/[^/]+\/check\.mjs$/,
];
const ID = /\b(?:[A-FX]-\d\d|G[1-7])\b/g;
const COMMENT = /\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm;

function* filesIn(directory: string): Iterable<string> {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isFile()) yield path;
    else if (entry.isDirectory() && !["node_modules", "dist"].includes(entry.name))
      yield* filesIn(path);
  }
}

/** The files that cite, by id. */
function citations(): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const file of ["packages", "test", "examples"].flatMap((name) => [
    ...filesIn(join(ROOT, name)),
  ])) {
    const path = relative(ROOT, file).replaceAll("\\", "/");
    if (!PLACES.some((place) => place.test(path))) continue;
    const text = readFileSync(file, "utf8").replaceAll(COMMENT, "");
    for (const [id] of text.matchAll(ID)) found.set(id, (found.get(id) ?? new Set()).add(path));
  }
  return found;
}

test("every row is cited by a test", () => {
  const cited = citations();
  const missing = Object.entries(rows).filter(([id]) => !cited.has(id));
  expect(missing.map(([id, title]) => `${id} ${title}`)).toEqual([]);
});

test("every id that a test cites is a row", () => {
  const unknown = [...citations()].filter(([id]) => !(id in rows));
  expect(unknown.map(([id, paths]) => `${id} in ${[...paths].join(", ")}`)).toEqual([]);
});
