/** Puts a record in place of another: one script, or three steps where their slots differ. */
import { endingText } from "@sojourn/core/store";
import type { Ref, Replaced, Replacement, StoredRecord } from "@sojourn/core/store";
import { evictedIn, list, missIn } from "./answers.ts";
import { admissionArguments, create, recordArguments } from "./create.ts";
import { CONSUME, REPLACE, RETIRE } from "./lua/writes.ts";
import { idOf, slotTag } from "./names.ts";
import type { Scripts } from "./scripts.ts";

/** See `Store.replace`. @throws SOJOURN_RECORD_EXISTS */
export async function replace(
  scripts: Scripts,
  ref: Ref,
  record: StoredRecord,
  how: Replacement,
): Promise<Replaced> {
  const { key, handle } = record;
  const apart = scripts.sharded || slotTag(key) !== slotTag(handle);
  if (apart && slotTag(idOf(ref)) !== slotTag(key)) return replaceAcross(scripts, ref, record, how);
  const { expectedVersion, ending, graceMs = 0, admission } = how;
  const answer = await scripts.at(REPLACE, ref, [
    expectedVersion,
    endingText(ending),
    ending.at + graceMs,
    ...admissionArguments(scripts, record, admission),
    ...recordArguments(record),
  ]);
  return outcome(record.kind, list(answer));
}

/**
 * From one slot to another, as at a login: creates the new record, ends the old one, and takes the
 * new one back if the old one was not there to be replaced. A crash in between leaves both: the old
 * one is as privileged as before, and nobody has the new one's token.
 */
async function replaceAcross(
  scripts: Scripts,
  ref: Ref,
  record: StoredRecord,
  { expectedVersion, ending, admission }: Replacement,
): Promise<Replaced> {
  const admitted = await create(scripts, record, admission);
  if (admitted.status === "refused") return admitted;
  const takeBack = (): Promise<unknown> => scripts.at(CONSUME, record, []);
  let answer: readonly unknown[];
  try {
    answer = list(await scripts.at(RETIRE, ref, [expectedVersion, endingText(ending)]));
  } catch (error) {
    await takeBack().catch(() => {});
    throw error;
  }
  if (answer[0] === "replaced") return { status: "replaced", evicted: admitted.evicted };
  await takeBack();
  return outcome(record.kind, answer);
}

function outcome(kind: string, answer: readonly unknown[]): Replaced {
  const miss = missIn(kind, answer);
  if (miss?.status === "gone") return miss;
  if (miss?.status === "moved") return { status: "moved", record: miss.record };
  if (miss !== null) return { status: "conflict", record: miss.record };
  const [status, what] = answer;
  if (status === "refused") return { status, active: Number(what) };
  return { status: "replaced", evicted: evictedIn(kind, what) };
}
