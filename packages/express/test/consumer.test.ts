import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const run = promisify(execFile);
const here = fileURLToPath(new URL("..", import.meta.url));
const workspace = join(here, "../..");
const tsc = join(workspace, "node_modules/.bin/tsc");

const SERVE = `
  const server = http.createServer((req, res) => {
    middleware(req, res, (error) => {
      req.session.set("n", 1);
      res.end(error ? "error" : "served");
    });
  });
  server.listen(0, async () => {
    const answer = await fetch("http://127.0.0.1:" + server.address().port);
    console.log(await answer.text(), answer.headers.getSetCookie().length);
    server.close();
    await middleware.sessions.close();
  });`;
const MAKE = `const middleware = sessionMiddleware({ secret: "s".repeat(40) });`;

const TYPED = `
import express from "express";
import { sessionMiddleware, type Session } from "@sojourn/express";

declare module "@sojourn/express" {
  interface SessionData {
    cart?: string[];
  }
}

const app: express.Express = express();
app.use(sessionMiddleware({ secret: "x" }));
app.get("/", async (req, res) => {
  const session: Session = req.session;
  req.session.cart = [...(req.session.cart ?? []), "pen"];
  // @ts-expect-error -- the declared type is string[]
  req.session.cart = [1];
  // @ts-expect-error -- nobody declared it: a plain any would let it pass
  req.session.card = [];
  // @ts-expect-error -- a principal is a string or null
  const principal: number = req.session.principal;
  // @ts-expect-error -- facts are read-only
  req.session.level = 2;
  await session.login("ada", { max: 3 });
  res.send(String(principal));
});
// @ts-expect-error -- no such option
sessionMiddleware({ maxAge: 5 });
`;
const TSCONFIG = {
  compilerOptions: {
    strict: true,
    noEmit: true,
    target: "es2023",
    module: "nodenext",
    types: ["node"],
    skipLibCheck: false,
  },
  files: ["app.ts"],
};

/** An application of its own, which has the built package, Express and nothing else of ours. */
describe("a consumer of the built package", () => {
  let folder: string;

  beforeAll(async () => {
    await run(tsc, ["-b", "packages/express"], { cwd: workspace });
    folder = await realpath(await mkdtemp(join(tmpdir(), "sojourn-consumer-")));
    for (const scope of ["@sojourn", "@types"]) {
      await mkdir(join(folder, "node_modules", scope), { recursive: true });
    }
    const links = {
      "@sojourn/express": here,
      express: join(here, "node_modules/express"),
      "@types/express": join(here, "node_modules/@types/express"),
      "@types/node": join(workspace, "node_modules/@types/node"),
    };
    for (const [name, target] of Object.entries(links)) {
      await symlink(await realpath(target), join(folder, "node_modules", name));
    }
    const files = {
      "package.json": JSON.stringify({ type: "module" }),
      "tsconfig.json": JSON.stringify(TSCONFIG),
      "app.ts": TYPED,
      "app.cjs": `const http = require("node:http"); const { sessionMiddleware } = require("@sojourn/express"); ${MAKE} ${SERVE}`,
      "app.mjs": `import http from "node:http"; import { sessionMiddleware } from "@sojourn/express"; ${MAKE} ${SERVE}`,
    };
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  }, 120_000);
  afterAll(() => rm(folder, { recursive: true }));

  test.each(["app.cjs", "app.mjs"])("%s: require() and import serve a session", async (file) => {
    const { stdout } = await run(process.execPath, [file], { cwd: folder, env: {} });
    expect(stdout.trim()).toBe("served 1");
  });

  test("the program of the README does what its transcript shows", async () => {
    const readme = await readFile(join(here, "README.md"), "utf8");
    const program = /```js\n(\/\/ app\.mjs\n[\s\S]*?)```/.exec(readme)?.[1] ?? "";
    const transcript = /```console\n([\s\S]*?)```/.exec(readme)?.[1] ?? "";
    await writeFile(join(folder, "readme.mjs"), program);
    const env = { ...process.env, PORT: "0", SESSION_SECRET: "s".repeat(44) };
    const server = spawn(process.execPath, ["readme.mjs"], { cwd: folder, env });
    try {
      const [line] = (await once(server.stdout, "data")) as [Buffer];
      const port = /:(\d+)/.exec(line.toString())?.[1] ?? "";
      const [, ...commands] = transcript.replaceAll("\\\n", "").split(/^\$ /m).slice(1);
      for (const [at, text] of commands.entries()) {
        const [command = "", ...expected] = text.trimEnd().split("\n");
        const { stdout } = await run(
          "sh",
          ["-c", command.replace("localhost:3000", `localhost:${port}`)],
          {
            cwd: folder,
          },
        );
        expect(`${at} ${stdout}`).toBe(`${at} ${expected.join("\n")}`);
      }
      expect(commands).toHaveLength(4);
    } finally {
      server.kill();
    }
  });

  test("TypeScript: SessionData merged on @sojourn/express types req.session of Express", async () => {
    const { stdout } = await run(tsc, ["-p", folder]).catch((error: { stdout: string }) => error);
    expect(stdout).toBe("");
  });
});
