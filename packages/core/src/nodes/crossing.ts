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
  const { v, node: sender, event } = fieldsOf(parse(text));
  if (v !== 1 || sender === node) return null;
  const fields = fieldsOf(event);
  return isCrossing(fields) ? { ...fields, remote: true } : null;
}

function isCrossing(event: Fields): event is Fields & CrossingEvent {
  const { type, at, handle, principal, ending } = event;
  if (typeof type !== "string" || !crosses(type) || typeof at !== "number") return false;
  if (!isName(handle) || !isName(principal)) return false;
  const { why, at: endedAt } = fieldsOf(ending);
  return type === "login" || (typeof why === "string" && typeof endedAt === "number");
}

function isName(value: unknown): boolean {
  return value === null || typeof value === "string";
}

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}

/** `__proto__` has no business here. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text, (key, value: unknown) => (key === "__proto__" ? undefined : value));
  } catch {
    return null;
  }
}
