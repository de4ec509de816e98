/** docs/benchmarks.md and its chart: the results go between two marks, the rest stays. */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const BEGIN = "<!-- results: written by npm run bench -->";
const END = "<!-- end of results -->";
const PAGE = fileURLToPath(new URL("../../../../docs/benchmarks.md", import.meta.url));
const CHART = fileURLToPath(new URL("../../../../docs/images/benchmarks.svg", import.meta.url));

/** Writes both. @throws Error when the page has no marks */
export function writePage(results: string, chart: string): void {
  const page = readFileSync(PAGE, "utf8");
  writeFileSync(PAGE, withResults(page, results));
  writeFileSync(CHART, chart);
}

/** The page with other results. */
function withResults(page: string, results: string): string {
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (from < 0 || to < from)
    throw new Error("docs/benchmarks.md has lost the marks of its results");
  return `${page.slice(0, from + BEGIN.length)}\n\n${results}\n\n${page.slice(to)}`;
}
