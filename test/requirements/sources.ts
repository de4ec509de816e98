/** The files that hold titles of tests, and the titles in them that begin with ids of the security table. */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** Where titles of tests are: tests and what they share, the conformance suite, examples' checks. */
const PLACES = [
  /^packages\/[^/]+\/test\/.*\.ts$/,
  /^packages\/store-conformance\/src\/.*\.ts$/,
  /^test\/.*\.test\.ts$/,
  /^test\/browser\/story\.ts$/,
  /^examples\/[^/]+\/check\.mjs$/,
];
const COMMENT = /\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm;

/** A file by its path in the repository, without its comments. */
interface Source {
  readonly path: string;
  readonly text: string;
}

function* filesIn(directory: string): Iterable<string> {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isFile()) yield path;
    else if (entry.isDirectory() && !["node_modules", "dist"].includes(entry.name))
      yield* filesIn(path);
  }
}

/** Every file with titles of tests, by path. */
export function sources(): readonly Source[] {
  const files = ["packages", "test", "examples"].flatMap((name) => [...filesIn(join(ROOT, name))]);
  return files
    .map((file) => ({ file, path: relative(ROOT, file).replaceAll("\\", "/") }))
    .filter(({ path }) => PLACES.some((place) => place.test(path)))
    .toSorted((a, b) => (a.path < b.path ? -1 : 1))
    .map(({ file, path }) => ({ path, text: readFileSync(file, "utf8").replaceAll(COMMENT, "") }));
}

/** A title that cites: where it is, and what it says behind its ids. */
export interface Citation {
  readonly path: string;
  readonly title: string;
}

/** An id as titles write it; a bare number is taken as one too, and is then in no table. */
const ID =
  /(?:(?:ASVS )?\d+\.\d+\.\d+|NIST \d\.\d(?:\.\d)?(?:-[a-z]+)?|(?:OWASP|CSRF|COOKIE)-[a-z-]+|T-[A-Z0-9]+|\[?(?:[A-FX]-\d\d|G[1-7])\]?)(?= )/;
const IDS = `(?:${ID.source} )+`;
const TITLE = new RegExp(`(["'\`])(${IDS})((?:(?!\\1)[^\\\\\\n]|\\\\.)*)\\1`, "g");
const FEATURE = /^\[?(?:[A-FX]-\d\d|G[1-7])\]?$/;

/** The citations of each id of the security table. */
export function securityCitations(): ReadonlyMap<string, readonly Citation[]> {
  const found = new Map<string, Citation[]>();
  for (const { path, text } of sources()) {
    for (const [, , ids = "", title = ""] of text.matchAll(TITLE)) {
      for (const [id] of ids.matchAll(new RegExp(ID, "g"))) {
        if (!FEATURE.test(id)) found.set(id, [...(found.get(id) ?? []), { path, title }]);
      }
    }
  }
  return found;
}
