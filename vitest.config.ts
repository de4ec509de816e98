import { readdirSync } from "node:fs";
import { defineConfig } from "vitest/config";

const conditions = ["@sojourn/source", "node", "import", "default"];
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
