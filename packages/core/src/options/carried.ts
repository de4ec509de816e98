/** What a store cannot keep whose records travel with the browser. */
import type { OnStoreError, SessionOptions } from "./types.ts";
import { ENDING_REMEMBERED } from "../store/contract.ts";

/** What is looked at. */
interface Asked {
  readonly max: SessionOptions["max"];
  readonly onStoreError: OnStoreError;
  readonly absolute: number;
}

/** Options that ask too much of such a store. Each entry: option path, sentence. */
export function beyondCarrier({ max, onStoreError, absolute }: Asked): [string, string][] {
  const problems: [string, string][] = [];
  if (max !== 0)
    problems.push([
      "max",
      "needs a store that knows all sessions of a user; with this one they are in the browsers. Use redisStore() or postgresStore()",
    ]);
  if (onStoreError === "local")
    problems.push([
      "onStoreError",
      "'local' remembers what a store answered; the sessions of this one are in the browsers. Use 'fail' or 'anonymous'",
    ]);
  if (absolute > ENDING_REMEMBERED)
    problems.push([
      "absolute",
      "must be at most '400d' with this store: what was revoked is remembered for so long",
    ]);
  return problems;
}
