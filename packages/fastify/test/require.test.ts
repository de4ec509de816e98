/** F-14: the built package works from CommonJS `require()` and from `import`. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { beforeAll, expect, test } from "vitest";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../..", import.meta.url));
const here = fileURLToPath(new URL("..", import.meta.url));

beforeAll(async () => {
  await run("node_modules/.bin/tsc", ["-b", "packages/fastify"], { cwd: root });
}, 120_000);

const PROGRAM = `
(async () => {
  const app = fastify();
  await app.register(sessionPlugin, { secret: "a secret of at least thirty-two characters" });
  app.post("/login", async (request) => request.session.login("ann"));
  const answer = await app.inject({ method: "POST", url: "/login" });
  console.log(answer.statusCode, String(answer.headers["set-cookie"]).split("=")[0], (await app.sessions.count()).active);
  await app.close();
})();`;

test.each([
  [
    "require()",
    'const fastify = require("fastify"); const { sessionPlugin } = require("@sojourn/fastify");',
    "commonjs",
  ],
  [
    "import",
    'import fastify from "fastify"; import { sessionPlugin } from "@sojourn/fastify";',
    "module",
  ],
])("a login works through %s of the built package", async (_how, imports, type) => {
  const args = [`--input-type=${type}`, "--eval", imports + PROGRAM];
  const env = { ...process.env, NODE_ENV: "test", NODE_OPTIONS: "" };
  const { stdout, stderr } = await run(process.execPath, args, { cwd: here, env });
  expect(stderr).toBe("");
  expect(stdout).toBe("200 sid 1\n");
});
