/** Puts records of a snapshot into the store: what is there stays as it is, what ended stays ended. */
import { isSojournError } from "../errors.ts";
import type { Engine } from "../lifecycle/engine.ts";
import { resolveAdmission } from "../policy/admission.ts";
import { principalOf } from "../policy/principal.ts";
import {
  type Admission,
  type Adopted,
  isTombstone,
  type Ref,
  type Store,
  type StoredRecord,
} from "../store/contract.ts";
import type { Skip, Tally } from "./tally.ts";

/** A batch may take so many times the deadline of a single call. */
const PATIENCE = 10;

/** Restores records, all at once. @throws SOJOURN_STORE_… ; those before may be restored */
export async function restoreAll(
  engine: Engine,
  records: readonly StoredRecord[],
  tally: Tally,
): Promise<void> {
  const byHandle = new Map<string, StoredRecord>();
  for (const record of records) {
    if (byHandle.has(record.handle)) tally.count("duplicate");
    else byHandle.set(record.handle, record);
  }
  const entering = await Promise.all(
    [...byHandle.values()].map(async (record) => ({
      record,
      admission: await admissionOf(engine, record),
    })),
  );
  const outcomes = await engine.store.call(
    "adopt",
    (store) => Promise.all(entering.map((each) => restore(store, each))),
    { withinMs: engine.store.deadlineMs * PATIENCE },
  );
  for (const outcome of outcomes) tally.count(outcome);
}

/** An import ends nobody's session: whoever is there comes first. */
async function admissionOf(
  { settings: { kind, max } }: Engine,
  record: StoredRecord,
): Promise<Admission | undefined> {
  const principal = principalOf(record);
  if (principal === null || record.kind !== kind) return undefined;
  return resolveAdmission(principal, max, "reject");
}

interface Entering {
  readonly record: StoredRecord;
  readonly admission: Admission | undefined;
}

/** What each answer of `adopt` means for the record. */
const OUTCOMES: Record<Adopted["status"], Skip | "restored"> = {
  created: "restored",
  present: "duplicate",
  refused: "limit",
  ended: "revoked",
};

async function restore(store: Store, { record, admission }: Entering): Promise<Skip | "restored"> {
  const { kind, key, handle } = record;
  const known = await present(store, { kind, handle });
  if (known !== null) return known;
  try {
    const outcome = await store.adopt(record, admission);
    return OUTCOMES[outcome.status];
  } catch (error) {
    if (!isSojournError(error) || error.code !== "SOJOURN_RECORD_EXISTS") throw error;
    return (await present(store, { kind, key })) ?? "duplicate";
  }
}

/** What the store has there already, as a reason to skip; null: nothing. */
async function present(store: Store, ref: Ref): Promise<Skip | null> {
  const found = await store.read(ref);
  if (found === null) return null;
  if (!isTombstone(found)) return "duplicate";
  const { why } = found.ending;
  return why === "idle" || why === "absolute" ? "expired" : "revoked";
}
