/** Compares the client that began a session with the one that uses it: a signal, never a proof. */
import { isIP } from "node:net";
import type { ClientFacts } from "../request/facts.ts";
import type { ClientCheck } from "../session/types.ts";

/** So many characters of a user agent are kept and compared. */
const USER_AGENT_LENGTH = 512;

/** What is kept of the client that a session belongs to. */
export function clientFacts({ ip, userAgent, device }: ClientFacts): KeptClient {
  return {
    ...(device === undefined ? {} : { device }),
    ...(ip === undefined ? {} : { ip }),
    ...(userAgent === undefined ? {} : { userAgent: userAgent.slice(0, USER_AGENT_LENGTH) }),
  };
}

/** See {@link clientFacts}. */
interface KeptClient {
  ip?: string;
  userAgent?: string;
  device?: string;
}

/** What differs. Unknown on either side counts as equal, but for a device that has lost its cookie. */
export function compareClients(began: ClientFacts, now: ClientFacts): ClientCheck {
  const reasons: ClientCheck["reasons"][number][] = [];
  if (differ(networkOf(began.ip), networkOf(now.ip))) reasons.push("network-changed");
  if (differ(family(began.userAgent), family(now.userAgent))) reasons.push("user-agent-changed");
  if (began.device !== undefined && began.device !== now.device) reasons.push("device-changed");
  return { matches: reasons.length === 0, reasons };
}

function differ(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && b !== undefined && a !== b;
}

/**
 * The /24 of an IPv4 address, the /64 of an IPv6 one: what stays while a client stays at home, and what a
 * limiter of attempts should count by (CVE-2026-45364). IPv4 within IPv6 counts as IPv4.
 */
export function networkOf(ip: string): string;
export function networkOf(ip: string | undefined): string | undefined;
export function networkOf(ip: string | undefined): string | undefined {
  if (ip === undefined) return undefined;
  const mapped = ip.replace(/^::ffff:(?=\d+\.)/i, "");
  if (isIP(mapped) === 4) return mapped.split(".").slice(0, 3).join(".");
  return isIP(mapped) === 6 ? expandIPv6(mapped).slice(0, 4).join(":") : ip;
}

function expandIPv6(ip: string): string[] {
  const [head = "", tail] = (ip.split("%")[0] ?? "").toLowerCase().split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros =
    tail === undefined ? [] : Array<string>(Math.max(0, 8 - left.length - right.length)).fill("0");
  return [...left, ...zeros, ...right].map((group) => group.replace(/^0+(?=.)/, ""));
}

/** The user agent without version numbers: an update of the browser is no other browser. */
function family(userAgent: string | undefined): string | undefined {
  return userAgent?.slice(0, USER_AGENT_LENGTH).replace(/\d+(?:[._]\d+)*/g, "");
}
