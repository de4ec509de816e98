/** Creates a record; in a cluster also one whose handle has another tag than its key. */
import { endingText } from "@sojourn/core/store";
import type { Admission, Admitted, Adopted, StoredRecord } from "@sojourn/core/store";
import { evictedIn, list, parseEnding, plain } from "./answers.ts";
import { exists } from "./errors.ts";
import type { Script } from "./lua/script.ts";
import { ADOPT, CREATE } from "./lua/writes.ts";
import { base, slotTag } from "./names.ts";
import type { Scripts } from "./scripts.ts";

/** Creates, admits and indexes. @throws SOJOURN_RECORD_EXISTS */
export async function create(
  scripts: Scripts,
  record: StoredRecord,
  admission?: Admission,
): Promise<Admitted> {
  return admitted(record, await send(CREATE, scripts, record, admission));
}

/** See `Store.adopt`. @throws SOJOURN_RECORD_EXISTS */
export async function adopt(
  scripts: Scripts,
  record: StoredRecord,
  admission?: Admission,
): Promise<Adopted> {
  const answer = await send(ADOPT, scripts, record, admission);
  if (answer[0] === "present") return { status: "present" };
  if (answer[0] !== "ended") return admitted(record, answer);
  return { status: "ended", ending: parseEnding(plain(answer[1]) ?? "") };
}

function admitted({ kind }: StoredRecord, [status, what]: readonly unknown[]): Admitted {
  if (status === "refused") return { status, active: Number(what) };
  return { status: "created", evicted: evictedIn(kind, what) };
}

async function send(
  script: Script,
  scripts: Scripts,
  record: StoredRecord,
  admission?: Admission,
): Promise<readonly unknown[]> {
  const { kind, key, handle } = record;
  const args = [...admissionArguments(scripts, record, admission), ...recordArguments(record)];
  const run = async (): Promise<readonly unknown[]> =>
    list(await scripts.of(script, kind, key, args));
  return slotTag(key) === slotTag(handle) ? run() : claimed(scripts, record, run);
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

/** Takes the handle under its own tag first, where it leads to the key; gives it back. */
async function claimed(
  scripts: Scripts,
  { kind, key, handle, absoluteExpiresAt }: StoredRecord,
  run: () => Promise<readonly unknown[]>,
): Promise<readonly unknown[]> {
  const { client } = scripts.connection;
  const name = `${base(scripts.prefix, slotTag(handle), kind)}/h:${handle}`;
  const life = Math.max(1, Math.ceil(absoluteExpiresAt - scripts.clock.now()));
  if ((await scripts.readHandle(kind, handle)) !== null) throw exists();
  if ((await client.set(name, key, "PX", life, "NX")) === null) throw exists();
  try {
    const answer = await run();
    if (answer[0] !== "created") await client.del(name);
    return answer;
  } catch (error) {
    await client.del(name);
    throw error;
  }
}
