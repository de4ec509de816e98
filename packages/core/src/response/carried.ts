/** Decides which cookies a record takes that travels with the browser. */
import { chunkName, chunkSize, splitCarried } from "../cookie/carried.ts";
import type { Exchange } from "../session/state.ts";
import type { Taken } from "../store/contract.ts";
import { clearedCookie, type CookieMaking, lifeOf } from "./decide.ts";
import type { PlannedCookie } from "./plan.ts";

/**
 * The cookies to set, and those to clear: of a session that is no more, and of earlier tokens. None where the record
 * is as the browser has it. Ask before {@link decideCookie}; asking again gives none.
 */
export function carriedCookies(
  { carried, clearCookie }: Exchange,
  making: CookieMaking,
): readonly PlannedCookie[] {
  if (carried === null) return [];
  const taken = carried.store.taken();
  if (taken === undefined && !clearCookie) return [];
  const kept = taken ? cookiesOf(taken, making) : [];
  const isKept = (name: string): boolean => kept.some((cookie) => cookie.name === name);
  const surplus = carried.names.filter((name) => !isKept(name));
  return [...kept, ...surplus.map((name) => clearedCookie(name, making))];
}

function cookiesOf({ key, text, expiresAt }: Taken, making: CookieMaking): PlannedCookie[] {
  const { spec, persistent } = making;
  const attributes = { ...spec.attributes, ...lifeOf(expiresAt, making) };
  const parts = splitCarried(text, chunkSize(spec, persistent));
  return parts.map((value, index) => ({
    name: chunkName(spec.name, key, index),
    value,
    attributes,
  }));
}
