/** The docs say what the code says: every code, every option, every default. */
import { readFileSync } from "node:fs";
import { DEFAULTS, ERROR_CODES } from "@sojourn/core";
import { describe, expect, test } from "vitest";

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

describe("docs/errors.md", () => {
  const sections = [...read("docs/errors.md").matchAll(/^## (\S+)$/gm)].map(([, code]) => code);

  test("has one section for each error code, in the same order", () => {
    expect(sections).toEqual([...ERROR_CODES]);
  });
});

describe("docs/options.md", () => {
  const page = read("docs/options.md");
  const rows = new Map(
    [...page.matchAll(/^\| `(\w+)`\s*\| (.*?)\s*\|/gm)].map(([, name, value]) => [name, value]),
  );
  const types = read("packages/core/src/options/types.ts");
  const source = types.slice(types.indexOf("export interface SessionOptions {"));
  const options = [...source.matchAll(/^ {2}readonly (\w+)\?:/gm)].map(([, name]) => name ?? "");

  test("has a row for each option", () => {
    expect(options.length).toBeGreaterThan(15);
    expect(options.filter((name) => !rows.has(name))).toEqual([]);
  });

  test("prints the defaults that are in force", () => {
    for (const [name, value] of Object.entries(DEFAULTS)) {
      const printed = typeof value === "string" ? `\`'${value}'\`` : `\`${value}\``;
      expect(rows.get(name), name).toBe(printed);
    }
  });
});
