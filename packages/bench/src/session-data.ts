/** What every session holds: the same 500 bytes for all contenders. */

/** The data of an application. */
export interface SessionData {
  user: string;
  /** What the route `write` changes. */
  n: number;
  cart: readonly { readonly item: string; readonly count: number }[];
  text: string;
}

const BYTES = 500;
/** At least 32 characters, as the contenders want it. */
export const SECRET = "a secret of the benchmark, and of nothing else";
/** Idle timeout of all of them, in ms. */
export const IDLE = 1_800_000;
/** Sessions that a user may have, where the library can tell. */
export const MAX_SESSIONS = 3;

/** Data of a user, of 500 bytes as JSON. */
export function sessionData(user: string): SessionData {
  const cart = ["book", "lamp", "tea"].map((item, index) => ({ item, count: index + 1 }));
  const empty = { user, n: 0, cart, text: "" };
  return { ...empty, text: "x".repeat(BYTES - JSON.stringify(empty).length) };
}

/** The name of a user: as long for the first as for the last. */
export function userName(index: number): string {
  return `user-${String(index).padStart(7, "0")}`;
}
