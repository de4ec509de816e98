/** docs/security.md: every requirement and attack, how it is met, and the tests that show it. */
import type { SecurityRow } from "./security-row.ts";
import { tables } from "./security.ts";
import { securityCitations } from "./sources.ts";
import type { Citation } from "./sources.ts";

const HEAD = `# Security, row by row

Made from [test/requirements](../test/requirements) and the titles of the tests (\`npx vitest run --project test requirements -u\`); a test fails when it is not
up to date. Requirements are in our own words: the standards themselves are what counts. A row without tests says why. The threat
model is in [SECURITY.md](../SECURITY.md).
`;

/** The page. */
export function securityPage(): string {
  const cited = securityCitations();
  const sections = tables.map(({ title, source, rows }) => {
    const columns = ["id", ...(source === null ? [] : [source]), "asked", "here", "tests"];
    const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
    const body = rows.map((row) =>
      line([
        row.id,
        ...(source === null ? [] : [escaped(row.source)]),
        escaped(row.requirement),
        ...statusOf(row, cited.get(row.id) ?? []),
      ]),
    );
    const head = [line(columns), line(columns.map(() => "---"))];
    return `## ${title}\n\n<!-- prettier-ignore -->\n${[...head, ...body].join("\n")}\n`;
  });
  return [HEAD, ...sections].join("\n");
}

function statusOf({ status }: SecurityRow, tests: readonly Citation[]): [string, string] {
  if ("notHere" in status) return [`Not here: ${status.notHere}`, "–"];
  const paths = [...new Set(tests.map(({ path }) => path))];
  const cells = paths.map((path) => {
    const titles = tests.filter((test) => test.path === path).map(({ title }) => shown(title));
    return `[${nameOf(path)}](../${path}): ${[...new Set(titles)].join("; ")}`;
  });
  return [status.met, cells.join("<br>")];
}

/** `core/expiry` for `packages/core/test/expiry.test.ts`. */
function nameOf(path: string): string {
  return path
    .replace(/^packages\/|^test\//, "")
    .replace(/\/test\/|\/src\//, "/")
    .replace(/(?:\.test)?\.ts$/, "");
}

/** A title as a reader sees it: what the test puts in is `…`. */
function shown(title: string): string {
  return escaped(
    title.replaceAll(/\$\{[^}]*\}|%[sdijo]|\$[a-z]+/g, "…").replaceAll(/\\(.)/g, "$1"),
  );
}

function escaped(text: string): string {
  return text.replaceAll(
    /(`[^`]*`)|([\\|<*_])/g,
    (_all, code?: string, mark?: string) => code ?? `\\${mark}`,
  );
}
