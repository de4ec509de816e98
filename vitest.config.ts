import { readdirSync } from "node:fs";
import { defineConfig } from "vitest/config";

// Vitest hands these to Node as --conditions: "import" among them would make require() load ESM.
const conditions = ["@sojourn/source", "node"];
const project = (name: string, root: string, include: string[]) => ({
  extends: true as const,
  test: { name, root, include },
});

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    testTimeout: 30_000,
    projects: [
      ...readdirSync("packages").map((name) =>
        project(name, `packages/${name}`, ["test/**/*.test.ts"]),
      ),
      project("test", "test", ["**/*.test.ts"]),
    ],
    coverage: { provider: "v8", include: ["packages/*/src/**"] },
  },
});
