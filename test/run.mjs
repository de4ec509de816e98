/** `npm test`: everything, on a bare machine, in order. `npm test -- --only lint,unit` for a part. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { checkNode, install, pnpm } from "../examples/prepare.mjs";
import { provideServers } from "./servers.mjs";

// oxlint-disable typescript/no-unsafe-assignment -- plain JavaScript: Node 20 runs nothing else

const scratch = mkdtempSync(join(tmpdir(), "sojourn-test-"));
process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));
const report = join(scratch, "vitest.json");

/** Each step: its name, what pnpm runs. */
const STEPS = [
  ["build", ["run", "build"]],
  ["lint", ["run", "lint"]], // after the build: it looks at types
  [
    "unit",
    [
      "exec",
      "vitest",
      "run",
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${report}`,
    ],
  ],
  ["types", ["run", "test:types"]],
  ["examples", ["run", "test:examples"]],
  ["packages", ["run", "test:packages"]],
  ["size", ["run", "size"]],
  ["unused", ["run", "unused"]],
];

checkNode();
const steps = chosenSteps();
const results = [];
if (attempt("install", install) && (!needsServers() || attempt("servers", provideServers))) {
  steps.every(([name, args]) => attempt(name, () => pnpm(args)));
}
summarise();

function chosenSteps() {
  const { only } = parseArgs({ options: { only: { type: "string" } } }).values;
  if (only === undefined) return STEPS;
  const names = only.split(",");
  const unknown = names.filter((name) => !STEPS.some(([known]) => known === name));
  if (unknown.length === 0) return STEPS.filter(([name]) => names.includes(name));
  console.error(
    `No such step: ${unknown.join(", ")}. There are ${STEPS.map(([name]) => name).join(", ")}.`,
  );
  process.exit(1);
}

function needsServers() {
  return steps.some(([name]) => name === "unit");
}

function attempt(name, run) {
  console.log(`\n=== ${name}`);
  const startedAt = performance.now();
  const passed = run();
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  results.push({ name, passed, seconds });
  console.log(`=== ${name} ${passed ? "passed" : "FAILED"} in ${seconds} s`);
  return passed;
}

/** The last line counts vitest's tests and the steps. */
function summarise() {
  const tests = countTests();
  console.log("\nstep        result    seconds");
  for (const { name, passed, seconds } of results) {
    console.log(
      `${name.padEnd(12)}${(passed ? "passed" : "FAILED").padEnd(10)}${seconds.padStart(7)}`,
    );
  }
  const missed = steps.filter(([name]) => !results.some((result) => result.name === name));
  for (const [name] of missed) console.log(`${name.padEnd(12)}not run`);
  const failedSteps = results.filter(({ passed }) => !passed).length;
  process.exitCode = failedSteps === 0 ? 0 : 1;
  console.log(
    `${tests.passed + results.length - failedSteps} passed, ${tests.failed + failedSteps} failed`,
  );
}

function countTests() {
  if (!results.some(({ name }) => name === "unit")) return { passed: 0, failed: 0 };
  try {
    const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, "utf8"));
    return { passed: numPassedTests, failed: numFailedTests };
  } catch {
    return { passed: 0, failed: 0 }; // vitest did not come that far; its step has failed
  }
}
