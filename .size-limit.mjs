/** What a user of a package loads, minified and compressed, without zod. */
const LIMITS = { core: "42.5 kB", express: "45.5 kB" };

export default Object.entries(LIMITS).map(([name, limit]) => ({
  name: `@sojourn/${name}`,
  path: `packages/${name}/dist/index.js`,
  limit,
  ignore: ["zod"],
  modifyEsbuildConfig: (config) => ({ ...config, platform: "node" }),
}));
