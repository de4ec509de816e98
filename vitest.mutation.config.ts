import { defineConfig } from "vitest/config";

const conditions = ["@sojourn/source", "node"];

/** Names of the test files to run, such as `{token,key-ring}`: fewer are quicker. Default: all of the core. */
const names = process.env["MUTATE_TESTS"] ?? "**/*";

// What Stryker runs against each mutant: the tests of the core.
export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: [`packages/core/test/${names}.test.ts`],
    // They compile the mutated source, or take seconds with a million records.
    exclude: ["**/memory-store.test.ts", "**/purge.test.ts", "**/node_modules/**"],
    testTimeout: 30_000,
  },
});
