/** The reports of the long form as a page of the docs. */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { findServer } from "../servers.mjs";
import { ROOT } from "../support/workspace.ts";
import { USUAL } from "./faults.ts";
import type { Losses, Report } from "./words.ts";

/** Of a column, for the formatter. */
const NARROWEST = 3;
const PAGE = join(ROOT, "docs/faults-redis.md");

/** Writes docs/faults-redis.md. */
export function writeReports(reports: readonly Report[], seconds: number): void {
  writeFileSync(PAGE, page(reports, seconds));
}

function page(reports: readonly Report[], seconds: number): string {
  return `# Faults of Redis under load

Written by \`FAULT_SECONDS=${seconds} npx vitest run --project test faults\` on ${new Date().toISOString().slice(0, 10)}:
${machine()}.

Four processes of an application (Fastify, the Redis store with its defaults) serve ${seconds} s of requests over HTTP: reads,
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
    "lost by us",
    "lost by Redis",
    "endings",
    "reuses",
    "alive by us",
    "alive by Redis",
    "logins",
    "refused",
    "beyond the limit",
  ],
  reports.map(({ fault, checked, lost, undead, beyondLimit }) => [
    fault,
    String(checked.commits),
    ...told(lost),
    String(checked.endings),
    String(checked.reuses),
    ...told(undead),
    String(checked.logins),
    String(checked.refusals),
    String(beyondLimit),
  ]),
)}

_Commits_ and _endings_ are those that were acknowledged with a 200. A commit is lost when a later answer does not
know it; a session is alive when its cookie works after its logout, revocation or eviction was
acknowledged. When the load is over every cookie that was ever given is used once more, and every user is listed.

_By Redis_: replication is asynchronous, so the server that takes over may not have what the first one had
acknowledged. It is told from a defect of ours by a control: after each acknowledgement the driver itself writes
a key into the same slot. Replication keeps the order, so where that later write survives and ours does not,
the loss is ours. _Its replicas behind_ are runs in which the replicas are cut off 300 ms before their master
dies, to have such losses; \`min-replicas-to-write\` and \`min-replicas-max-lag\` bound them in production.
What to expect of it is in the README of \`@sojourn/store-redis\`.
`;
}

function told({ ours, redis }: Losses): [string, string] {
  return [String(ours), String(redis)];
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
  const redis = execFileSync(findServer("redis") ?? "redis-server", ["--version"], {
    encoding: "utf8",
  });
  const version = /v=(\S+)/.exec(redis)?.[1] ?? "unknown";
  const manifest = createRequire(import.meta.url).resolve("ioredis/package.json");
  const ioredis = (JSON.parse(readFileSync(manifest, "utf8")) as { version: string }).version;
  const processors = `${cpus().length} × ${cpus()[0]?.model.trim() ?? "unknown"}`;
  return `Redis ${version}, ioredis ${ioredis}, Node ${process.versions.node}, ${processors}, everything on one machine that had other work (load ${loadavg()[2]?.toFixed(0)})`;
}
