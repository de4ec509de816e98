/** What a user of a package loads, minified and compressed, without zod. */
const LIMITS = { core: "41 kB", express: "44 kB" };

export default Object.entries(LIMITS).map(([name, limit]) => ({
  name: `@sojourn/${name}`,
  path: `packages/${name}/dist/index.js`,
  limit,
  ignore: ["zod"],
  modifyEsbuildConfig: (config) => ({ ...config, platform: "node" }),
}));
