/** Which events go from process to process, and what a message looks like. */
import type { AnySessionEvent, SessionEvents } from "../events.ts";
import { type Fields, fieldsOf, isTextOrNull } from "../shape.ts";

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

/** Whether it has what listeners rely on; fields of a later release may come beside it. */
function isCrossing(event: Fields): event is Fields & CrossingEvent {
  const { type, at, handle, principal, previous, ending } = event;
  if (typeof type !== "string" || !crosses(type) || !Number.isFinite(at)) return false;
  if (!isTextOrNull(handle) || !isTextOrNull(principal)) return false;
  if (handle === null && type !== "revoked") return false;
  if (type === "login") return isTextOrNull(previous);
  const { why, at: endedAt } = fieldsOf(ending);
  return typeof why === "string" && Number.isFinite(endedAt);
}

/** `__proto__` has no business here. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text, (key, value: unknown) => (key === "__proto__" ? undefined : value));
  } catch {
    return null;
  }
}
