/** B-21: what a monitoring system is told, under the documented names. */
import { describe, expect, test } from "vitest";
import { METRICS, type MetricName, type Metrics } from "../src/metrics.ts";
import { memoryStore } from "../src/store/memory/store.ts";
import { fakeClock, MINUTE } from "./support/clock.ts";
import { interceptStore } from "./support/intercept.ts";
import { failureCode, world, type World } from "./support/world.ts";

interface Figures extends Metrics {
  /** Sum of a counter with these labels, or of all. */
  total(name: MetricName, labels?: Record<string, string>): number;
  /** Every value of a histogram. */
  readonly observed: {
    name: MetricName;
    value: number;
    labels: Readonly<Record<string, string>>;
  }[];
}

function figures(): Figures {
  const added: Figures["observed"] = [];
  const observed: Figures["observed"] = [];
  return {
    observed,
    add: (name, value, labels) => void added.push({ name, value, labels }),
    observe: (name, value, labels) => void observed.push({ name, value, labels }),
    total: (name, labels = {}) =>
      added
        .filter((one) => one.name === name)
        .filter((one) => Object.entries(labels).every(([key, value]) => one.labels[key] === value))
        .reduce((sum, { value }) => sum + value, 0),
  };
}

function measured(options: Parameters<typeof world>[0] = {}): World & { metrics: Figures } {
  const metrics = figures();
  return { ...world({ ...options, metrics }), metrics };
}

describe("B-21 counters", () => {
  test("a login, a rotation, a logout, an eviction and a refusal are one each", async () => {
    const { browser, metrics } = measured({ max: 1 });
    const [first, second] = [browser(), browser()];
    await first.visit((session) => session.login("ada"));
    await second.visit((session) => session.login("ada"));
    await second.visit((session) => session.rotate());
    await second.visit((session) => session.logout());
    await first.visit((session) => session.login("bob", { max: 1, onLimit: "reject" }));
    await browser().visit(async (session) => {
      const login = session.login("bob", { max: 1, onLimit: "reject" });
      expect(await failureCode(login)).toBe("SOJOURN_LIMIT_REACHED");
    });
    expect(metrics.total("sojourn_logins_total")).toBe(3);
    expect(metrics.total("sojourn_sessions_created_total")).toBe(3);
    expect(metrics.total("sojourn_rotations_total", { cause: "rotate" })).toBe(1);
    expect(metrics.total("sojourn_sessions_ended_total", { why: "logout" })).toBe(1);
    expect(metrics.total("sojourn_sessions_ended_total", { why: "evicted" })).toBe(1);
    expect(metrics.total("sojourn_logins_refused_total")).toBe(1);
  });

  test("revoking 3 sessions of a user counts 3; a forged cookie and an expired one count by reason", async () => {
    const { browser, clock, metrics, sessions } = measured();
    for (const one of [browser(), browser(), browser()])
      await one.visit((session) => session.login("ada"));
    await sessions.revokeAll("ada");
    const late = browser();
    await late.visit((session) => session.login("bob"));
    clock.advance(30 * MINUTE);
    await late.visit(() => {});
    await browser().open("__Host-sid=forged");
    expect(metrics.total("sojourn_sessions_ended_total", { why: "revoked" })).toBe(3);
    expect(metrics.total("sojourn_sessions_ended_total", { why: "idle" })).toBe(1);
    expect(metrics.total("sojourn_cookies_rejected_total", { reason: "malformed" })).toBe(1);
  });

  test("active sessions fall by themselves when they expire: sessions.count() is the gauge", async () => {
    const { browser, clock, sessions } = measured();
    await browser().visit((session) => session.login("ada"));
    expect(await sessions.count()).toMatchObject({ active: 1, principals: 1 });
    clock.advance(30 * MINUTE);
    expect(await sessions.count()).toMatchObject({ active: 0, principals: 0 });
  });
});

describe("B-21 the store", () => {
  test("each call is observed by its operation, a failed one also counted by its code", async () => {
    const clock = fakeClock();
    let broken = false;
    const store = interceptStore(memoryStore({ clock }), (_, run) =>
      broken ? Promise.reject(new Error("gone")) : run(),
    );
    const { browser, metrics } = measured({ clock, store });
    const visitor = browser();
    await visitor.visit((session) => session.login("ada"));
    broken = true;
    await expect(visitor.open()).rejects.toMatchObject({ code: "SOJOURN_STORE_UNAVAILABLE" });
    const operations = metrics.observed.map(({ name, labels }) => [name, labels["operation"]]);
    expect(operations).toEqual([
      ["sojourn_store_seconds", "create"],
      ["sojourn_store_seconds", "read"],
    ]);
    expect(metrics.observed.every(({ value }) => value >= 0 && value < 5)).toBe(true);
    const failed = { operation: "read", code: "SOJOURN_STORE_UNAVAILABLE" };
    expect(metrics.total("sojourn_store_failures_total", failed)).toBe(1);
  });
});

test("B-21 a sink that throws disturbs no request", async () => {
  const fail = () => {
    throw new Error("no more series");
  };
  const warned: string[] = [];
  const warn = (_: object, message: string) => void warned.push(message);
  const logger = { debug() {}, info() {}, warn, error: warn };
  const { browser } = world({ metrics: { add: fail, observe: fail }, logger });
  const visitor = browser();
  await visitor.visit((session) => session.login("ada"));
  expect(await visitor.visit((session) => session.principal)).toBe("ada");
  expect(warned).toContain("sojourn: metrics.observe() threw: Error: no more series");
  expect(warned).toContain("a listener of session event 'login' threw");
});

test("B-21 docs/guides/monitoring.md names every figure with its labels", async () => {
  const { readFile } = await import("node:fs/promises");
  const page = await readFile(
    new URL("../../../docs/guides/monitoring.md", import.meta.url),
    "utf8",
  );
  const rows = [...page.matchAll(/^\| `(sojourn_\w+)`\s*\| (\w+)\s*\| (.*?)\s*\|/gm)];
  const printed = rows.map(([, name, kind, labels]) => [name, kind, labels]);
  const expected = Object.entries(METRICS).map(([name, { kind, labels }]) => [
    name,
    kind,
    labels.map((label) => `\`${label}\``).join(", "),
  ]);
  expect(printed).toEqual(expected);
});
