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

/** Characters of events in a message: at 3 bytes each they fit into a notification of Postgres, which has 8,000. */
const MOST = 2_500;

/** The messages by which `node` tells of events: as few as there can be. An event that is too large goes alone. */
export function encodeEvents(node: string, events: readonly AnySessionEvent[]): readonly string[] {
  const messages: string[][] = [];
  let room = 0;
  for (const event of events) {
    const text = JSON.stringify(event);
    if (text.length > room) {
      messages.push([]);
      room = MOST;
    }
    messages.at(-1)?.push(text);
    room -= text.length;
  }
  return messages.map((texts) => `{"v":2,"node":"${node}","events":[${texts.join()}]}`);
}

/** What a message says; nothing where it is of another release, of a stranger, or of `node` itself. */
export function decodeEvents(node: string, text: string): readonly CrossingEvent[] {
  const { v, node: sender, events } = fieldsOf(parse(text));
  if (v !== 2 || sender === node || !Array.isArray(events)) return [];
  return events.flatMap((event: unknown) => {
    const fields = fieldsOf(event);
    return isCrossing(fields) ? { ...fields, remote: true as const } : [];
  });
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
