/** Headers of an answer: those given to `writeHead`, those of the session, those to forget. */
import { privacyHeaders, serializeCookie } from "@sojourn/core";
import type { ResponsePlan } from "@sojourn/core";
import type { HoldableResponse } from "./holdable.ts";

/** Says what the answer is about; must not outlive it when an error is answered instead. */
const ENTITY_HEADER =
  /^(content-(?!security-policy)|etag$|last-modified$|location$|transfer-encoding$|trailer$|accept-ranges$|cache-control$|expires$|age$)/i;

/**
 * Sets what was given to `writeHead` on the response, where it can be merged with: an object, a
 * flat array `[name, value, …]` or an array of pairs. As in Node, a name given here replaces what
 * was set before, and a name given twice is sent twice.
 * @throws what Node throws for a bad name or value; ERR_INVALID_ARG_VALUE for an odd flat array.
 */
export function setGivenHeaders(response: HoldableResponse, given: unknown): void {
  const byName = new Map<string, { name: string; values: unknown[] }>();
  for (const [name, value] of pairsOf(given)) {
    const key = name.toLowerCase();
    const entry = byName.get(key) ?? { name, values: [] };
    entry.values.push(value);
    byName.set(key, entry);
  }
  for (const { name, values } of byName.values()) {
    response.setHeader?.(name, values.length === 1 ? values[0] : values.flat());
  }
}

function pairsOf(given: unknown): (readonly [name: string, value: unknown])[] {
  if (typeof given !== "object" || given === null) return [];
  if (!Array.isArray(given)) return Object.entries(given).filter(([name]) => name !== "");
  const list: unknown[] = given;
  if (list.every(Array.isArray)) return list.map(([name, value]) => [String(name), value]);
  if (list.length % 2 !== 0) throw oddHeaders(list.length);
  const names = list.filter((_, index) => index % 2 === 0);
  return names.map((name, index) => [String(name), list[index * 2 + 1]]);
}

function oddHeaders(length: number): TypeError {
  const message = `writeHead got a flat array of ${length} headers; names and values must alternate`;
  return Object.assign(new TypeError(message), { code: "ERR_INVALID_ARG_VALUE" });
}

/** Sets the session's cookies beside all others, what caches must be told, and what browsers clear. */
export function applyPlan(
  response: HoldableResponse,
  { cookie, device, carried, clearSiteData, privacy }: ResponsePlan,
): void {
  if (clearSiteData !== null) response.setHeader?.("Clear-Site-Data", clearSiteData);
  if (privacy === "none") return;
  const headers = privacyHeaders(privacy, {
    vary: textOf(response.getHeader?.("Vary")),
    cacheControl: textOf(response.getHeader?.("Cache-Control")),
  });
  for (const name in headers) response.setHeader?.(name, headers[name]);
  if (cookie === null && device === null && carried.length === 0) return;
  const ours = [cookie, device, ...carried].filter((one) => one !== null);
  const others = response.getHeader?.("Set-Cookie") ?? [];
  const lines = ours.map(({ name, value, attributes }) => serializeCookie(name, value, attributes));
  response.setHeader?.("Set-Cookie", [others].flat().map(String).concat(lines));
}

function textOf(header: number | string | string[] | undefined): string | undefined {
  return header === undefined ? undefined : [header].flat().join(", ");
}

/** Removes the headers that described an answer which will not be given. */
export function removeEntityHeaders(response: HoldableResponse): void {
  for (const name of response.getHeaderNames?.() ?? []) {
    if (ENTITY_HEADER.test(name)) response.removeHeader?.(name);
  }
}
