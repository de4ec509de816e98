/** What a user of a package loads, minified and compressed, without zod. */
const check = (name) => ({
  name: `@sojourn/${name}`,
  path: `packages/${name}/dist/index.js`,
  limit: "25 kB",
  ignore: ["zod"],
  modifyEsbuildConfig: (config) => ({ ...config, platform: "node" }),
});

export default [check("core"), check("express")];
