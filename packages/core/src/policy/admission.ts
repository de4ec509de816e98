/** How many sessions a principal may have: from the login, else from the options. */
import { SojournError } from "../errors.ts";
import type { Admission, OnLimit } from "../store/contract.ts";

/** A limit: a number, or one for each principal; 0 = unlimited. */
export type MaxSessions = number | ((principal: string) => number | Promise<number>);

/** What `onLimit` may say. */
export const ON_LIMIT: readonly [OnLimit, ...OnLimit[]] = ["evict-oldest", "evict-idle", "reject"];

/** The limit in force for a login; undefined = unlimited. @throws SOJOURN_OPTIONS_INVALID */
export async function resolveAdmission(
  principal: string,
  max: MaxSessions | undefined,
  onLimit: OnLimit,
): Promise<Admission | undefined> {
  const limit = typeof max === "function" ? await max(principal) : (max ?? 0);
  if (!Number.isSafeInteger(limit) || limit < 0) {
    throw new SojournError(
      "SOJOURN_OPTIONS_INVALID",
      "max must be a whole number of sessions, 0 for unlimited",
    );
  }
  if (!ON_LIMIT.includes(onLimit)) {
    throw new SojournError(
      "SOJOURN_OPTIONS_INVALID",
      `onLimit must be one of ${ON_LIMIT.map((word) => `'${word}'`).join(", ")}`,
    );
  }
  return limit === 0 ? undefined : { max: limit, onLimit };
}
