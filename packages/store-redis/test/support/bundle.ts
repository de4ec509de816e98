/** Makes one JavaScript file of the worker: Node 20 runs no TypeScript. */
import { createRequire } from "node:module";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

interface Bundler {
  build(options: object): Promise<unknown>;
}

/** The path of the bundled worker, in a directory of its own. */
export async function bundleWorker(): Promise<{ script: string; remove: () => void }> {
  const directory = mkdtempSync(join(tmpdir(), "sojourn-worker-"));
  const ofVitest = createRequire(import.meta.resolve("vitest"));
  const vite = (await import(pathToFileURL(ofVitest.resolve("vite")).href)) as Bundler;
  await vite.build({
    configFile: false,
    logLevel: "error",
    root: import.meta.dirname,
    ssr: { noExternal: true },
    resolve: { conditions: ["@sojourn/source", "node", "import", "default"] },
    build: {
      ssr: join(import.meta.dirname, "worker.ts"),
      outDir: directory,
      emptyOutDir: false,
      rollupOptions: { output: { entryFileNames: "worker.mjs" } },
    },
  });
  return {
    script: join(directory, "worker.mjs"),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
