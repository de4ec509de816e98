/** Creates a record; in a cluster also one whose handle has another tag than its key. */
import type { Admission, Admitted, StoredRecord } from "@sojourn/core/store";
import { evictedIn, list } from "./answers.ts";
import { exists } from "./errors.ts";
import { CREATE } from "./lua/writes.ts";
import { base, slotTag } from "./names.ts";
import type { Scripts } from "./scripts.ts";
import { endingText } from "./storable.ts";

/** Creates, admits and indexes. @throws SOJOURN_RECORD_EXISTS */
export async function create(
  scripts: Scripts,
  record: StoredRecord,
  admission?: Admission,
): Promise<Admitted> {
  const { kind, key, handle } = record;
  const args = [...admissionArguments(scripts, record, admission), ...recordArguments(record)];
  const send = (): Promise<unknown> => scripts.of(CREATE, kind, key, args);
  const apart = scripts.sharded && slotTag(key) !== slotTag(handle);
  const answer = apart ? await claimed(scripts, record, send) : await send();
  const [status, what] = list(answer);
  if (status === "refused") return { status, active: Number(what) };
  return { status: "created", evicted: evictedIn(kind, what) };
}

/** The arguments of an admission: max or nothing, onLimit, the ending of the evicted. */
export function admissionArguments(
  { clock }: Scripts,
  { handle }: StoredRecord,
  admission?: Admission,
): string[] {
  if (admission === undefined) return ["", "", ""];
  const { max, onLimit } = admission;
  const ending = { why: "evicted", at: clock.now(), reason: "limit", successor: handle } as const;
  return [String(max), onLimit, endingText(ending)];
}

/** The arguments of a record. */
export function recordArguments(record: StoredRecord): string[] {
  const { key, handle, owner, version, createdAt, seenAt, absoluteExpiresAt, payload } = record;
  const expiresAt = Math.min(record.expiresAt, absoluteExpiresAt);
  const numbers = [version, createdAt, seenAt, expiresAt, absoluteExpiresAt].map(String);
  return [key, handle, owner ?? "", ...numbers, payload];
}

/** Takes the handle in its own slot first, where it leads to the slot of the key; gives it back. */
async function claimed(
  { connection: { client }, prefix, clock }: Scripts,
  { kind, key, handle, absoluteExpiresAt }: StoredRecord,
  send: () => Promise<unknown>,
): Promise<unknown> {
  const name = `${base(prefix, slotTag(handle), kind)}:h:${handle}`;
  const life = Math.max(1, Math.ceil(absoluteExpiresAt - clock.now()));
  if ((await client.set(name, key, "PX", life, "NX")) === null) throw exists();
  try {
    return await send();
  } catch (error) {
    await client.del(name);
    throw error;
  }
}
