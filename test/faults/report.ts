/** The reports of the long form as pages of the docs. */
import { writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { ROOT } from "../support/workspace.ts";
import { USUAL } from "./fault.ts";
import type { Page } from "./pages.ts";
import type { Losses, Report } from "./words.ts";

/** Of a column, for the formatter. */
const NARROWEST = 3;

/** Writes one page. */
export function writeReports(page: Page, reports: readonly Report[], seconds: number): void {
  writeFileSync(join(ROOT, page.path), textOf(page, reports, seconds));
}

function textOf(page: Page, reports: readonly Report[], seconds: number): string {
  const { server, failover } = page;
  const command = `FAULT_SECONDS=${seconds} npx vitest run --project test faults -t ${server}`;
  return `# Faults of ${server} under load

Written by \`${command}\` on ${new Date().toISOString().slice(0, 10)}:
${page.versions()}, ${machine()}.

Four processes of an application (Fastify, the ${server} store with its defaults) serve ${seconds} s of requests over HTTP: reads,
exact counters by \`session.update\`, parallel logins of users with at most 3 sessions (\`evict-oldest\` and
\`reject\`), logouts, revocations by handle and of all of a user's, and all the time the cookies of ended
sessions. In the middle of each run one thing breaks. The same runs in a short form are part of the tests.

## What was answered

${table(
  [
    "fault",
    "s",
    "answered",
    "no answer",
    "longest wait",
    "errors of the store",
    "well again",
    "after its cause was gone",
  ],
  reports.map((report) => [
    report.fault,
    String(report.seconds),
    String(report.answered),
    String(report.unanswered),
    `${report.longestMs} ms`,
    storeErrors(report),
    instant(report.recoveredMs),
    instant(report.healedMs),
  ]),
)}

_No answer_: none within 6 s. The load waits for its answers, so a fault that answers late has fewer
requests, and one that refuses at once has more. _Well again_: every process answers without errors,
counted from the fault. A process that is cut off, and only that one, answers with errors: the other three
made 0.

## What was kept

${table(
  [
    "fault",
    "commits",
    ...culprits("lost", page),
    "endings",
    "reuses",
    ...culprits("alive", page),
    "logins",
    "refused",
    "beyond the limit",
  ],
  reports.map(({ fault, checked, lost, undead, beyondLimit }) => [
    fault,
    String(checked.commits),
    ...told(lost, failover),
    String(checked.endings),
    String(checked.reuses),
    ...told(undead, failover),
    String(checked.logins),
    String(checked.refusals),
    String(beyondLimit),
  ]),
)}

_Commits_ and _endings_ are those that were acknowledged with a 200. A commit is lost when a later answer does not
know it; a session is alive when its cookie works after its logout, revocation or eviction was
acknowledged. When the load is over every cookie that was ever given is used once more, and every user is listed.

${page.notes}
`;
}

/** Heads of the columns that {@link told} fills. */
function culprits(what: string, { server, failover }: Page): string[] {
  return failover ? [`${what} by us`, `${what} by ${server}`] : [what];
}

function told({ ours, server }: Losses, failover: boolean): string[] {
  return failover ? [String(ours), String(server)] : [String(ours)];
}

function storeErrors({ errors }: Report): string {
  const some = Object.entries(errors).filter(([name]) => !USUAL.includes(name));
  return (
    some.map(([name, many]) => `${many} × ${name.replace(/SOJOURN_(?:STORE_)?/, "")}`).join(", ") ||
    "0"
  );
}

function instant(ms: number | null): string {
  return ms === null ? "–" : `${(ms / 1_000).toFixed(1)} s`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((cell, index) =>
    Math.max(
      NARROWEST,
      ...[cell, ...rows.map((row) => row[index] ?? "")].map(({ length }) => length),
    ),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join(" | ")} |`;
  return [head, widths.map((width) => "-".repeat(width)), ...rows].map(line).join("\n");
}

function machine(): string {
  const processors = `${cpus().length} × ${cpus()[0]?.model.trim() ?? "unknown"}`;
  return `Node ${process.versions.node}, ${processors}, everything on one machine that had other work (load ${loadavg()[2]?.toFixed(0)})`;
}
