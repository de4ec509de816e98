/** What is asked of every tag: counts, owners and the scan, many tags by one script. */
import { isTombstone } from "@sojourn/core/store";
import type { Counts, OwnerKey, OwnersPage, StoredRecord } from "@sojourn/core/store";
import { found as foundIn, list, plain, recordIn } from "./answers.ts";
import type { Connection } from "./connection.ts";
import { COUNT, OWNERS, SCAN } from "./lua/reading.ts";
import type { Script } from "./lua/script.ts";
import { behind, everyTag, slotTag } from "./names.ts";
import type { Scripts } from "./scripts.ts";

/** Records of one step of a scan. */
const SCAN_PAGE = 100;
/** Tags that one script asks: less than a ms of the server's time. */
const TAGS = 256;
/** Counting scripts on their way at once: others get their turn between them. */
const AT_ONCE = 4;
/** What a node of a cluster says to a script that asks for what is not, or not wholly, on it. */
const APART = /Script attempted to access a non local key/;

/** Sums over the tags. */
export async function count(scripts: Scripts, kind: string): Promise<Counts> {
  const tags = everyTag();
  const chunks = Array.from({ length: Math.ceil(tags.length / TAGS) }, (_, index) =>
    tags.slice(index * TAGS, (index + 1) * TAGS),
  );
  let [active, principals] = [0, 0];
  const work = async (): Promise<void> => {
    for (let some = chunks.pop(); some; some = chunks.pop()) {
      const [records, withRecords] = await countOf(scripts, kind, some);
      active += records;
      principals += withRecords;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return { active, principals, lifetime: null };
}

type Sums = readonly [records: number, owners: number];

async function countOf(scripts: Scripts, kind: string, tags: readonly string[]): Promise<Sums> {
  const answer = await askOf(scripts, COUNT, kind, { tags, args: [] });
  if (answer !== null) return [Number(answer[0]), Number(answer[1])];
  const half = tags.length >> 1;
  const one = await countOf(scripts, kind, tags.slice(0, half));
  const other = await countOf(scripts, kind, tags.slice(half));
  return [one[0] + other[0], one[1] + other[1]];
}

/** A page of owners in the order of their slots and names; the cursor is the last one. */
export async function owners(
  scripts: Scripts,
  kind: string,
  cursor: string | null,
  limit: number,
): Promise<OwnersPage> {
  const found = new Map<OwnerKey, number>();
  const last = cursor as OwnerKey | null;
  const start = last === null ? null : { tag: slotTag(last), name: behind(last) };
  for await (const [names, active] of steps(scripts, OWNERS, { kind, start, most: limit + 1 })) {
    for (const [index, each] of list(names).entries()) {
      const owner = String(each) as OwnerKey;
      found.set(owner, (found.get(owner) ?? 0) + Number(list(active)[index]));
    }
    if (found.size > limit) break;
  }
  const page = [...found].slice(0, limit).map(([owner, active]) => ({ owner, active }));
  return { owners: page, cursor: found.size > limit ? (page.at(-1)?.owner ?? null) : null };
}

/** Every alive record, tag by tag in the order of their handles. */
export async function* scan(
  connection: Connection,
  scripts: Scripts,
  kind: string,
): AsyncIterable<StoredRecord> {
  const asked = steps(scripts, SCAN, { kind, start: null, most: SCAN_PAGE });
  for (;;) {
    const step = await connection.operation("scan", () => asked.next());
    if (step.done === true) return;
    for (const view of list(step.value[0])) {
      const record = recordIn(kind, view);
      const alive = scripts.clock.now() < record.expiresAt ? record : await again(record);
      if (alive) yield alive;
    }
  }

  /** It may have been touched since. */
  async function again({ handle }: StoredRecord): Promise<StoredRecord | null> {
    const answer = await connection.operation("scan", () => scripts.readHandle(kind, handle));
    const it = foundIn(kind, answer);
    return it === null || isTombstone(it) ? null : it;
  }
}

interface Walk {
  readonly kind: string;
  /** Behind which name of which tag to begin; null: at the first tag. */
  readonly start: { readonly tag: string; readonly name: string } | null;
  /** What one step finds at most. */
  readonly most: number;
}

/** What a script finds in all tags, step by step. */
async function* steps(
  scripts: Scripts,
  script: Script,
  { kind, start, most }: Walk,
): AsyncGenerator<readonly unknown[], void> {
  const tags = everyTag();
  let at = start === null ? 0 : tags.indexOf(start.tag);
  let name = start?.name ?? "";
  let size = TAGS;
  while (at >= 0 && at < tags.length) {
    const some = tags.slice(at, at + size);
    const answer = await askOf(scripts, script, kind, { tags: some, args: [name, most] });
    if (answer === null) {
      size = some.length >> 1;
      continue;
    }
    const [stopped, next, ...found] = answer;
    at = stopped === null ? at + some.length : tags.indexOf(plain(stopped) ?? "", at);
    name = plain(next) ?? "";
    size = Math.min(TAGS, size * 2);
    yield found;
  }
}

interface Question {
  readonly tags: readonly string[];
  readonly args: readonly (string | number)[];
}

/** Asks tags that are on one node; null: they are not, ask fewer. A single one waits for a move to end. */
async function askOf(
  scripts: Scripts,
  script: Script,
  kind: string,
  { tags, args }: Question,
): Promise<readonly unknown[] | null> {
  try {
    return list(await scripts.run(script, kind, tags[0] ?? "", [tags.join(""), ...args]));
  } catch (error) {
    const apart = error instanceof Error && APART.test(error.message);
    if (apart && tags.length > 1) return null;
    throw error;
  }
}
