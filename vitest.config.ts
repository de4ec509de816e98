import { readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

// Vitest hands these to Node as --conditions: "import" among them would make require() load ESM.
const conditions = ["@sojourn/source", "node"];
const project = (name: string, root: string, more: object = {}) => ({
  extends: true as const,
  test: { name, root, include: ["test/**/*.test.ts"], ...more },
});
/** The top-level test folder: its scenarios share servers. */
const whole = {
  include: ["**/*.test.ts"],
  globalSetup: ["redis-servers", "postgres-server"].map(
    (name) => `${import.meta.dirname}/test/support/${name}.ts`,
  ),
};

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    testTimeout: 30_000,
    hookTimeout: 120_000, // servers and browsers start in hooks, on machines that have other things to do
    setupFiles: [`${import.meta.dirname}/test/support/no-leaks.ts`],
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      ...readdirSync("packages").map((name) => project(name, `packages/${name}`)),
      project("test", "test", whole),
    ],
    coverage: { provider: "v8", include: ["packages/*/src/**"] },
  },
});
