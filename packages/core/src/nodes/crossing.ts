/** Which events go from process to process, and what a message looks like. */
import type { AnySessionEvent, SessionEvents } from "../events.ts";

/** An event that every process hears of. */
export type CrossingEvent = SessionEvents["login" | "logout" | "revoked" | "evicted"];

const CROSSING: ReadonlySet<string> = new Set<CrossingEvent["type"]>([
  "login",
  "logout",
  "revoked",
  "evicted",
]);

/** True for the name of an event that crosses. */
export function crosses(name: string): boolean {
  return CROSSING.has(name);
}

/** The message by which `node` tells of an event. */
export function encodeEvent(node: string, event: AnySessionEvent): string {
  return JSON.stringify({ v: 1, node, event });
}

/** What a message says; null for one of another release, of a stranger, or of `node` itself. */
export function decodeEvent(node: string, text: string): CrossingEvent | null {
  const message = parse(text);
  if (message["v"] !== 1 || message["node"] === node) return null;
  const event = message["event"] as Partial<CrossingEvent> | null | undefined;
  if (typeof event?.type !== "string" || !crosses(event.type)) return null;
  return typeof event.at === "number" ? ({ ...event, remote: true } as CrossingEvent) : null;
}

function parse(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
