/** The login of a process that shares its store with others. */
import { systemClock } from "@sojourn/core/store";
import type { OnLimit, Store } from "@sojourn/core/store";
import { recordOf } from "./records.ts";

/** Logs in from an anonymous session, as a browser does, with a limit of 3; resolves to what came of it. */
export async function login(to: Store, user: string, onLimit: OnLimit): Promise<string> {
  const visitor = recordOf(systemClock, null);
  await to.create(visitor);
  const ending = { why: "rotated", at: systemClock.now() } as const;
  const how = { expectedVersion: 1, ending, admission: { max: 3, onLimit } };
  return (await to.replace(visitor, recordOf(systemClock, user), how)).status;
}
