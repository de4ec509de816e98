/** The session policy in force, for those who have to document it (ASVS 7.1.1, 7.1.2, NIST SP 800-63B-4 5.2). */
import type { Settings } from "../options/settings.ts";
import { PRESETS } from "../policy/presets.ts";

/** What `sessions.describePolicy()` gives. */
export interface PolicyDescription {
  /** Each point: what it is called, its value in words, where it comes from. */
  readonly points: readonly PolicyPoint[];
  /** The same as a table. */
  readonly markdown: string;
}

/** One line of the policy. */
export interface PolicyPoint {
  readonly name: string;
  readonly value: string;
  readonly source: string;
}

/** Describes settings; never a secret. */
export function describePolicy(settings: Settings): PolicyDescription {
  const points = [
    ...timeouts(settings),
    ...limits(settings),
    ...cookie(settings),
    ...rest(settings),
  ];
  const rows = points.map(({ name, value, source }) => `| ${name} | ${value} | ${source} |`);
  const markdown = ["| policy | value | source |", "| --- | --- | --- |", ...rows].join("\n");
  return { points, markdown };
}

function timeouts(settings: Settings): PolicyPoint[] {
  const { idle, onIdle, absolute, graceMs, preset, justification } = settings;
  const end = onIdle === "lock" ? "the session is locked" : "the session ends";
  return [
    point("idle timeout", idle === null ? "none" : `${duration(idle)}; then ${end}`, "ASVS 7.3.1"),
    point("absolute timeout", duration(absolute), "ASVS 7.3.2"),
    point(
      "assurance level",
      preset === undefined ? "none chosen" : preset.toUpperCase(),
      preset === undefined ? "ASVS 7.1.1" : PRESETS[preset].source,
    ),
    point("justification of longer timeouts", justification ?? "none needed", "ASVS 7.1.1"),
    point("grace time of a rotated token", duration(graceMs), "OWASP renewal timeout"),
  ];
}

function limits({ max, onLimit }: Settings): PolicyPoint[] {
  const many = typeof max === "function" ? "decided for each user" : String(max);
  const value = max === 0 ? "unlimited" : `${many}; beyond it: ${onLimit}`;
  return [point("parallel sessions of a user", value, "ASVS 7.1.2")];
}

function cookie({ cookies: { secure, persistent } }: Settings): PolicyPoint[] {
  const { name, attributes } = secure;
  const value = [
    `\`${name}\``,
    `Path=${attributes.path}`,
    attributes.domain === undefined ? "no Domain" : `Domain=${attributes.domain}`,
    attributes.secure ? "Secure" : "not Secure",
    attributes.httpOnly ? "HttpOnly" : "not HttpOnly",
    `SameSite=${attributes.sameSite}`,
    persistent ? "persistent" : "until the browser closes",
  ];
  return [point("cookie", value.join(", "), "ASVS 3.3.1 to 3.3.4, NIST SP 800-63B-4 5.1.1")];
}

function rest({
  binding,
  encryption,
  onStoreError,
  store,
  clearSiteData,
}: Settings): PolicyPoint[] {
  const encrypted = encryption === null ? "not encrypted by us" : "AES-256-GCM";
  return [
    point("another client with the session", binding, "NIST SP 800-63B-4 5.3"),
    point("what is stored", `${store.name}; ${encrypted}`, "ASVS 11.3.2"),
    point("an outage of the store", onStoreError, "ASVS 11.2.5"),
    point("cleared at logout", clearSiteData ?? "the session cookie", "ASVS 14.3.1"),
  ];
}

function point(name: string, value: string, source: string): PolicyPoint {
  return { name, value: value.replaceAll("|", "\\|"), source };
}

const UNITS = [
  [86_400_000, "d"],
  [3_600_000, "h"],
  [60_000, "min"],
  [1_000, "s"],
] as const;

function duration(ms: number): string {
  const [size, unit] = UNITS.find(([each]) => ms >= each && ms % each === 0) ?? [1, "ms"];
  return `${ms / size} ${unit}`;
}
