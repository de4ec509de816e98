/** Whose code the time of a request is said to go to. */
import { beforeAll, expect, test } from "vitest";
import type { Profiler } from "node:inspector";
import { contenderOf } from "../src/contenders/index.ts";
import { profileOf } from "../src/counts/profile.ts";
import { timeByOwner } from "../src/process/profile.ts";
import { profileTables } from "../src/report/profiles.ts";
import { Servers } from "../src/servers.ts";
import { buildBench } from "./support/bench.ts";

beforeAll(buildBench, 120_000);

const HERE = "file:///home/ada/sojourn";
const MODULES = `${HERE}/node_modules/.pnpm/x@1.0.0/node_modules`;

/** A chain of frames, from the first caller to what runs. */
function profileOfStacks(...stacks: (readonly [string, string])[][]): Profiler.Profile {
  const nodes: Profiler.ProfileNode[] = [];
  for (const stack of stacks) {
    for (const [place, [functionName, url]] of stack.entries()) {
      const id = nodes.length + 1;
      const callFrame = { functionName, url, scriptId: "1", lineNumber: 1, columnNumber: 1 };
      const children = place < stack.length - 1 ? [id + 1] : [];
      nodes.push({ id, callFrame, children });
    }
  }
  const leaves = nodes.filter(({ children }) => children?.length === 0).map(({ id }) => id);
  return { nodes, startTime: 0, endTime: 1, samples: leaves, timeDeltas: leaves.map(() => 100) };
}

test("a native function counts for whoever called it; packages by name, Node's own parts apart", () => {
  const core: [string, string] = ["begin", `${HERE}/packages/core/dist/pipeline.js`];
  const times = timeByOwner(
    profileOfStacks(
      [core],
      [core, ["parse", ""]],
      [core, ["update", "node:internal/crypto/hash"], ["digest", ""]],
      [core, ["sendCommand", `${MODULES}/ioredis/built/Redis.js`]],
      [["get", `${MODULES}/@fastify/session/index.js`]],
      [["emit", "node:events"]],
      [["handle", `${HERE}/packages/bench/dist/sites/fastify.js`]],
      [core, ["writeUtf8String", ""]],
      [core, ["(garbage collector)", ""]],
      [["(idle)", ""]],
      [["(root)", ""]],
    ),
  );
  expect(times).toEqual({
    "@sojourn/core": 200,
    "node:crypto": 100,
    ioredis: 100,
    "@fastify/session": 100,
    "Node besides": 100,
    "the handler": 100,
    "writing to sockets": 100,
    "garbage collection": 100,
    "V8 and libuv outside of functions": 100,
  });
});

test("a table has a line for each owner that takes long for somebody, and the rest together", () => {
  const [bare, ours] = [contenderOf("bare-fastify"), contenderOf("ours-fastify-memory")];
  const tables = profileTables(
    new Map([
      [bare, { read: { fastify: 2, little: 0.1 } }],
      [ours, { read: { fastify: 1, "@sojourn/core": 3, less: 0.2, little: 0.1 } }],
    ]),
    ["read", "write"],
  );
  expect(tables).toHaveLength(1);
  expect(tables[0]?.split("\n").slice(2)).toEqual([
    "| µs a request  | Fastify alone | Sojourn, memory |",
    "| ------------- | ------------: | --------------: |",
    "| @sojourn/core |           0.0 |             3.0 |",
    "| fastify       |           2.0 |             1.0 |",
    "| others        |           0.1 |             0.3 |",
    "| all           |           2.1 |             4.3 |",
  ]);
});

test("a real one has the packages that a request goes through", async () => {
  const servers = await Servers.start([]);
  try {
    const times = await profileOf(contenderOf("ours-fastify-memory"), "read", servers);
    const owners = ["@sojourn/core", "@sojourn/fastify", "fastify", "node:crypto", "the handler"];
    for (const owner of owners) expect(times[owner], owner).toBeGreaterThan(0);
    expect(times).not.toHaveProperty("@sojourn/store-redis");
  } finally {
    await servers.stop();
  }
}, 60_000);
