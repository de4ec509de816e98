/** Makes one JavaScript file of a program with all that it imports: Node 20 runs no TypeScript. */
import { createRequire } from "node:module";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

interface Bundler {
  build(options: object): Promise<unknown>;
}

/** The sources of our packages, not what was last built. */
const CONDITIONS = ["@sojourn/source", "node"];

/** A bundled program. */
export interface Bundle {
  /** Path of the file to run. */
  readonly script: string;
  remove(): void;
}

/** Bundles the program at a path, in a directory of its own. */
export async function bundle(entry: string): Promise<Bundle> {
  const directory = mkdtempSync(join(tmpdir(), "sojourn-program-"));
  const script = `${basename(entry, ".ts")}.mjs`;
  const ofVitest = createRequire(import.meta.resolve("vitest"));
  const vite = (await import(pathToFileURL(ofVitest.resolve("vite")).href)) as Bundler;
  await vite.build({
    configFile: false,
    logLevel: "error",
    root: dirname(entry),
    ssr: { noExternal: true, resolve: { conditions: CONDITIONS } },
    build: {
      ssr: entry,
      outDir: directory,
      emptyOutDir: false,
      rollupOptions: { output: { entryFileNames: script } },
    },
  });
  return {
    script: join(directory, script),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
