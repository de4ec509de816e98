/**
 * Faults of Redis and of Postgres under load. A short form by default; `FAULT_SECONDS=60` lets each run last so
 * long and writes the pages of the docs; `-t Postgres` chooses a server.
 */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bundle } from "../support/bundle.ts";
import type { Bundle } from "../support/bundle.ts";
import { USUAL } from "./fault.ts";
import type { Fault } from "./fault.ts";
import { POSTGRES_PAGE, REDIS_PAGE } from "./pages.ts";
import { POSTGRES } from "./postgres-faults.ts";
import { REDIS } from "./redis-faults.ts";
import { writeReports } from "./report.ts";
import { runFault } from "./run.ts";
import { DEADLINE } from "./words.ts";
import type { Report } from "./words.ts";

const LONG = process.env["FAULT_SECONDS"];
const SECONDS = Number(LONG ?? 5);
const FORM = LONG === undefined ? "short" : "long";
const FAULTS = [
  ...REDIS[FORM].map((fault) => ({ page: REDIS_PAGE, fault })),
  ...POSTGRES[FORM].map((fault) => ({ page: POSTGRES_PAGE, fault })),
];
/** Beside the store's deadline: one for what a handler waits by itself, and for a busy machine. */
const MARGIN = 3_000;

let app: Bundle;
const reports = new Map<Fault, Report>();
beforeAll(async () => {
  app = await bundle(join(import.meta.dirname, "app.ts"));
}, 60_000);
afterAll(() => {
  app.remove();
  if (LONG === undefined) return;
  for (const page of [REDIS_PAGE, POSTGRES_PAGE]) {
    const own = FAULTS.filter((each) => each.page === page).map(({ fault }) => reports.get(fault));
    const all = own.filter((report) => report !== undefined);
    if (all.length === own.length) writeReports(page, all, SECONDS);
  }
});

const CASES = FAULTS.map(({ page, fault }) => [page.server, fault.name, fault] as const);
describe.each(CASES)("%s: %s, under load", (_server, _name, fault) => {
  let report: Report;
  beforeAll(
    async () => {
      report = await runFault(fault, app.script, SECONDS);
      reports.set(fault, report);
      if (LONG !== undefined) console.log(JSON.stringify(report));
    },
    (SECONDS + 90) * 1_000,
  );

  test("[B-20] every request is answered, within the deadline", () => {
    expect(report.unanswered).toBe(0);
    expect(report.answered).toBeGreaterThan(100);
    expect(report.longestMs).toBeLessThan(DEADLINE + MARGIN);
  });

  test("[B-20] errors say what is wrong, and only those that the fault explains are answered", () => {
    const unexpected = Object.keys(report.errors).filter(
      (error) => ![...USUAL, ...fault.answers].includes(error),
    );
    expect(unexpected).toEqual([]);
    if (fault.mark) expect(Object.keys(report.errors).join()).toMatch(fault.mark);
    const { only } = fault;
    if (only === undefined) return;
    expect(report.storeErrors.filter((errors, index) => errors > 0 && index !== only)).toEqual([]);
  });

  test("[B-08] [X-10] no acknowledged commit is lost by us, and 0 ended sessions are alive", () => {
    expect(report.lost.examples).toEqual([]);
    expect(report.lost.ours).toBe(0);
    expect(report.undead.examples).toEqual([]);
    expect(report.undead.ours).toBe(0);
    for (const [what, many] of Object.entries(report.checked))
      expect(many, what).toBeGreaterThan(0);
  });

  test("[B-05] [X-10] 0 sessions beyond the limit of 3, and every alive one is listed", () => {
    expect(report.beyondLimit).toBe(0);
    expect(report.unlisted).toBe(0);
  });

  test("[B-18] it recovers by itself", () => {
    expect(report.recoveredInTime).toBe(true);
    expect(report.errorsAtEnd).toBe(0);
  });
});
