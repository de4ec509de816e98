import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { bundle } from "../../../test/support/bundle.ts";
import { takeRandom } from "../src/token/random.ts";

test("random bytes are given out once, whatever lengths are taken, and none is left out of use", () => {
  const pieces = Array.from({ length: 2_000 }, (_, index) => takeRandom(12 + (index % 21)));
  for (const [index, piece] of pieces.entries()) expect(piece).toHaveLength(12 + (index % 21));
  const texts = pieces.map((piece) => Buffer.from(piece).toString("hex"));
  const starts = texts.map((text) => text.slice(0, 24));
  expect(new Set(starts).size).toBe(starts.length);
  expect(texts.filter((text) => /(?:00){6}/.test(text))).toEqual([]);
});

test("what was given is a copy: changing it, or taking more, changes nothing else", () => {
  const first = takeRandom(32);
  const before = first.slice();
  for (let taken = 0; taken < 200; taken += 1) takeRandom(32).fill(7);
  expect(first).toEqual(before);
  expect(takeRandom(32)).not.toEqual(new Uint8Array(32).fill(7));
});

test("what was given is erased from the pool", () => {
  const fill = vi.spyOn(Uint8Array.prototype, "fill");
  onTestFinished(() => fill.mockRestore());
  const taken = takeRandom(32);
  const pool = fill.mock.contexts[0] as Uint8Array;
  expect(pool.byteLength).toBeGreaterThan(32);
  expect(Buffer.from(pool).indexOf(taken)).toBe(-1);
});

/** A snapshot is built of a script, which may require what Node has, and nothing else. */
function asScript(module: string): string {
  const imports = /^import \{([^}]*)\} from "(node:[^"]+)";$/gm;
  const script = module.replace(/^export .*$/m, "");
  return script.replaceAll(imports, (_, names: string, from: string) => {
    return `const {${names.replaceAll(" as ", ": ")}} = require("${from}");`;
  });
}

test("processes that start from one snapshot do not get the same bytes", async () => {
  const { script, remove } = await bundle(join(import.meta.dirname, "support/random-program.ts"));
  onTestFinished(remove);
  const [program, blob] = [`${script}.cjs`, `${script}.blob`];
  writeFileSync(program, asScript(readFileSync(script, "utf8")));
  const run = (...more: string[]): string => {
    const options = ["--snapshot-blob", blob, ...more];
    const { status, stdout, stderr } = spawnSync(process.execPath, options, { encoding: "utf8" });
    expect(status, stderr).toBe(0);
    return stdout;
  };
  run("--build-snapshot", program);
  const given = [run(), run()];
  expect(given[0]).toMatch(/^[0-9a-f]{64}$/);
  expect(given[0]).not.toBe(given[1]);
});
