/** Mutation tests of what decides about sessions: `npm run mutate`, see CONTRIBUTING.md. Not part of `npm test`. */
export default {
  testRunner: "vitest",
  plugins: ["@stryker-mutator/vitest-runner"],
  vitest: { configFile: "vitest.mutation.config.ts", related: true },
  mutate: [
    "packages/core/src/{token,cookie,keys,csrf,policy}/**/*.ts",
    "packages/core/src/lifecycle/{create,write,login,rotate}.ts",
    "packages/core/src/store/memory/{admission,kind,entry}.ts",
  ],
  coverageAnalysis: "perTest",
  ignorePatterns: [
    "/examples",
    "/test",
    "/reports",
    "/packages/*/test",
    "!/packages/core/test",
    "**/dist",
  ],
  // TypeScript 7 has no API in JavaScript, which Stryker would ask; vitest needs neither of these.
  tsconfigFile: "none",
  disableTypeChecks: false,
  checkers: [],
  concurrency: 1,
  timeoutMS: 20_000,
  reporters: ["clear-text", "json", "html"],
};
