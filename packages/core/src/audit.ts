/** The audit trail: every security event as a flat record for whoever has to answer for it. */
import { channel } from "node:diagnostics_channel";
import type { UnixMs } from "./clock.ts";
import type { AnySessionEvent, Events, Logger, SessionEvents } from "./events.ts";

/** One entry: what, when, by whom, from where, with which result. Never a token; handles are public. */
export interface AuditRecord {
  readonly at: UnixMs;
  /** Name of the event: `login`, `revoked` … */
  readonly action: AuditedEvent;
  readonly result: "success" | "failure";
  readonly principal: string | null;
  readonly handle: string | null;
  readonly ip: string | null;
  readonly userAgent: string | null;
  /** In a few words, where the event says why: an ending, a reason, a cause. */
  readonly why: string | null;
  /** How many sessions, where it is not one; null: not counted. */
  readonly count: number | null;
  /** Controls of NIST SP 800-53 r5 that the entry is evidence for. */
  readonly controls: readonly string[];
}

/** Takes entries: a function, or a pino-like logger (failures as warnings). */
export type AuditSink = ((record: AuditRecord) => void) | Pick<Logger, "info" | "warn">;

/** Name of an audited event. */
type AuditedEvent = Extract<
  keyof SessionEvents,
  | "login"
  | "logout"
  | "rotated"
  | "elevated"
  | "revoked"
  | "evicted"
  | "expired"
  | "denied"
  | "cookie-rejected"
  | "token-reused"
  | "csrf-rejected"
  | "client-changed"
  | "store-down"
  | "exported"
  | "restored"
  | "restore-failed"
>;

/** Result and controls of each. */
const AUDITED: Record<AuditedEvent, readonly ["success" | "failure", readonly string[]]> = {
  login: ["success", ["ia-2", "ac-12", "au-3"]],
  logout: ["success", ["ac-12", "au-3"]],
  rotated: ["success", ["sc-23", "au-3"]],
  elevated: ["success", ["ia-11", "ac-6", "au-3"]],
  revoked: ["success", ["ac-12", "ac-2", "au-3"]],
  evicted: ["success", ["ac-10", "au-3"]],
  expired: ["success", ["ac-12", "au-3"]],
  denied: ["failure", ["ac-10", "au-3"]],
  "cookie-rejected": ["failure", ["sc-23", "si-10", "au-3"]],
  "token-reused": ["failure", ["sc-23", "si-4", "au-3"]],
  "csrf-rejected": ["failure", ["sc-23", "si-10", "au-3"]],
  "client-changed": ["failure", ["sc-23", "si-4", "au-3"]],
  "store-down": ["failure", ["au-5", "cp-10"]],
  exported: ["success", ["cp-9", "au-3"]],
  restored: ["success", ["cp-10", "au-3"]],
  "restore-failed": ["failure", ["cp-10", "si-10", "au-3"]],
};

/** The diagnostics channel on which every record of every manager is published. */
export const AUDIT_CHANNEL = "sojourn:audit";
const diagnostics = channel(AUDIT_CHANNEL);

/** Writes the trail of this process; what other processes tell of is in theirs. */
export function keepAudit(events: Events, sink: AuditSink | undefined): void {
  for (const action of Object.keys(AUDITED) as AuditedEvent[]) {
    events.on(action, (event) => {
      if (event.remote === true || (!sink && !diagnostics.hasSubscribers)) return;
      const record = recordOf(action, event);
      if (diagnostics.hasSubscribers) diagnostics.publish(record);
      if (sink) write(sink, record);
    });
  }
}

function write(sink: AuditSink, record: AuditRecord): void {
  if (typeof sink === "function") return sink(record);
  const level = record.result === "success" ? "info" : "warn";
  sink[level]({ audit: record }, `audit ${record.action} ${record.result}`);
}

function recordOf(action: AuditedEvent, event: AnySessionEvent): AuditRecord {
  const [result, controls] = AUDITED[action];
  return {
    at: event.at,
    action,
    result,
    principal: "principal" in event ? event.principal : null,
    handle: "handle" in event ? event.handle : null,
    ip: event.client?.ip ?? null,
    userAgent: event.client?.userAgent ?? null,
    why: whyOf(event),
    count: "count" in event ? event.count : 1,
    controls,
  };
}

function whyOf(event: AnySessionEvent): string | null {
  if ("ending" in event && event.ending) {
    const { why, reason } = event.ending;
    return reason === undefined ? why : `${why}: ${reason}`;
  }
  if ("reasons" in event) return event.reasons.join(", ");
  if ("reason" in event) return event.reason;
  if ("cause" in event) return event.cause;
  if (event.type === "denied") return `limit ${event.max}`;
  return "code" in event ? event.code : null;
}
