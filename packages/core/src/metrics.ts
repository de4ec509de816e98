/** Figures for a monitoring system: fed from the events and from the store's calls. */
import type { Events, SessionEvents } from "./events.ts";

/** Every figure: its kind, its labels, what it says. Names follow the conventions of Prometheus. */
export const METRICS = {
  sojourn_sessions_created_total: {
    kind: "counter",
    labels: [],
    help: "Sessions created, anonymous ones and logins",
  },
  sojourn_sessions_ended_total: {
    kind: "counter",
    labels: ["why"],
    help: "Sessions ended: logout, revoked, evicted; idle and absolute once their browser comes again",
  },
  sojourn_logins_total: { kind: "counter", labels: [], help: "Logins" },
  sojourn_logins_refused_total: {
    kind: "counter",
    labels: [],
    help: "Logins refused by the limit of sessions",
  },
  sojourn_rotations_total: {
    kind: "counter",
    labels: ["cause"],
    help: "New tokens by their cause",
  },
  sojourn_cookies_rejected_total: {
    kind: "counter",
    labels: ["reason"],
    help: "Cookies that were not accepted",
  },
  sojourn_tokens_reused_total: {
    kind: "counter",
    labels: [],
    help: "Rotated tokens used after their grace time: perhaps stolen",
  },
  sojourn_changes_dropped_total: {
    kind: "counter",
    labels: [],
    help: "Requests whose changes were not written, because the session ended meanwhile",
  },
  sojourn_snapshot_records_total: {
    kind: "counter",
    labels: ["outcome"],
    help: "Records of snapshots: exported, restored, or why they were skipped",
  },
  sojourn_snapshot_bytes_total: {
    kind: "counter",
    labels: [],
    help: "Bytes of snapshots that were exported",
  },
  sojourn_snapshots_total: {
    kind: "counter",
    labels: ["outcome"],
    help: "Snapshots exported, restored or refused",
  },
  sojourn_store_failures_total: {
    kind: "counter",
    labels: ["operation", "code"],
    help: "Calls of the store that failed",
  },
  sojourn_store_seconds: {
    kind: "histogram",
    labels: ["operation"],
    help: "Time of a call of the store, failed ones included",
  },
} as const;

/** Name of a figure. */
export type MetricName = keyof typeof METRICS;

/** Where figures go: a few lines over prom-client, OpenTelemetry or StatsD. */
export interface Metrics {
  /** Adds to a counter. */
  add(name: MetricName, value: number, labels: Readonly<Record<string, string>>): void;
  /** Puts a value into a histogram; seconds. */
  observe(name: MetricName, value: number, labels: Readonly<Record<string, string>>): void;
}

/** Counts what happens in this process. A sink that throws goes to the log like any listener that does. */
export function feedMetrics(events: Events, metrics: Metrics): void {
  const count = <Name extends keyof SessionEvents>(
    type: Name,
    name: MetricName,
    labels: (event: SessionEvents[Name]) => Readonly<Record<string, string>> = () => ({}),
    value: (event: SessionEvents[Name]) => number = () => 1,
  ): void => hearOwn(events, type, (event) => metrics.add(name, value(event), labels(event)));
  count("created", "sojourn_sessions_created_total");
  count("logout", "sojourn_sessions_ended_total", why);
  count("evicted", "sojourn_sessions_ended_total", why);
  count("expired", "sojourn_sessions_ended_total", why);
  count("revoked", "sojourn_sessions_ended_total", why, (event) => event.count ?? 0);
  count("login", "sojourn_logins_total");
  count("denied", "sojourn_logins_refused_total");
  count("rotated", "sojourn_rotations_total", ({ cause }) => ({ cause }));
  count("cookie-rejected", "sojourn_cookies_rejected_total", ({ reason }) => ({ reason }));
  count("token-reused", "sojourn_tokens_reused_total");
  count("changes-dropped", "sojourn_changes_dropped_total");
  feedSnapshots(events, metrics);
  count("store-failed", "sojourn_store_failures_total", ({ operation, code }) => ({
    operation,
    code,
  }));
}

function feedSnapshots(events: Events, metrics: Metrics): void {
  const records = (outcome: string, value: number): void =>
    metrics.add("sojourn_snapshot_records_total", value, { outcome });
  const snapshot = (outcome: string): void =>
    metrics.add("sojourn_snapshots_total", 1, { outcome });
  hearOwn(events, "exported", ({ count, bytes }) => {
    snapshot("exported");
    records("exported", count);
    metrics.add("sojourn_snapshot_bytes_total", bytes, {});
  });
  hearOwn(events, "restored", ({ count, skipped }) => {
    snapshot("restored");
    records("restored", count);
    for (const [outcome, value] of Object.entries(skipped)) records(outcome, value);
  });
  hearOwn(events, "restore-failed", ({ handle }) => {
    if (handle === null) snapshot("refused");
  });
}

/** Listens to the events of this process: another one counts its own. */
function hearOwn<Name extends keyof SessionEvents>(
  events: Events,
  type: Name,
  listener: (event: SessionEvents[Name]) => void,
): void {
  events.on(type, (event) => {
    const heard = event as SessionEvents[Name];
    if (heard.remote !== true) listener(heard);
  });
}

function why({ ending }: SessionEvents["logout" | "revoked" | "evicted" | "expired"]): {
  why: string;
} {
  return { why: ending.why };
}
