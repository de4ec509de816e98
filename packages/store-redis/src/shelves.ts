/** What is asked of every shelf: counts, owners and the scan. */
import { isTombstone } from "@sojourn/core/store";
import type { Counts, OwnerKey, OwnersPage, StoredRecord } from "@sojourn/core/store";
import { found as foundIn, list, plain, recordIn } from "./answers.ts";
import type { Connection } from "./connection.ts";
import { COUNT, OWNERS, READ, SCAN } from "./lua/reading.ts";
import { SHARED } from "./names.ts";
import type { Scripts } from "./scripts.ts";

/** Records of one step of a scan. */
const SCAN_PAGE = 100;
/** Shelves of a cluster that are asked at once, for owners and for a scan. */
const SHELVES_AT_ONCE = 256;

/** Sums over the shelves: one command on a standalone server, 16,384 on a cluster. */
export async function count(scripts: Scripts, kind: string): Promise<Counts> {
  let [active, principals] = [0, 0];
  for (const answer of await scripts.everyShelf(COUNT, kind, [])) {
    const [records, withRecords] = list(answer);
    active += Number(records);
    principals += Number(withRecords);
  }
  return { active, principals, lifetime: null };
}

/** A page of owners in the order of their bytes; the cursor is the last one. */
export async function owners(
  scripts: Scripts,
  kind: string,
  cursor: string | null,
  limit: number,
): Promise<OwnersPage> {
  const page: { owner: OwnerKey; active: number }[] = [];
  const tag = cursor?.slice(0, 3) ?? "";
  const shelves = scripts.shelves.filter((label) => label === SHARED || label >= tag);
  for (const some of chunks(shelves)) {
    const found = some.map((label) => ownersOf(scripts, { kind, label, cursor, limit }));
    for (const each of await Promise.all(found)) page.push(...each);
    if (page.length > limit) break;
  }
  const shown = page.slice(0, limit);
  return { owners: shown, cursor: page.length > limit ? (shown.at(-1)?.owner ?? null) : null };
}

/** Up to one more than `limit` owners with alive records of one shelf. */
async function ownersOf(
  scripts: Scripts,
  { kind, label, cursor, limit }: Page,
): Promise<{ owner: OwnerKey; active: number }[]> {
  const page: { owner: OwnerKey; active: number }[] = [];
  let after = cursor === null ? "-" : `(${cursor}`;
  while (page.length <= limit) {
    const answer = list(await scripts.run(OWNERS, kind, label, [after, limit + 1]));
    const [names, active] = [list(answer[0]), list(answer[1])];
    for (const [index, name] of names.entries()) {
      const alive = Number(active[index]);
      if (alive > 0) page.push({ owner: String(name) as OwnerKey, active: alive });
    }
    if (names.length <= limit) break;
    after = `(${String(names.at(-1))}`;
  }
  return page.slice(0, limit + 1);
}

interface Page {
  readonly kind: string;
  readonly label: string;
  readonly cursor: string | null;
  readonly limit: number;
}

/** Every alive record, shelf by shelf in the order of their handles. */
export async function* scan(
  connection: Connection,
  scripts: Scripts,
  kind: string,
): AsyncIterable<StoredRecord> {
  for (const some of chunks(scripts.shelves)) {
    const ask = (label: string, after: string): Promise<ScanPage> =>
      connection.operation("scan", () => scanPage(scripts, kind, label, after));
    const still = async (record: StoredRecord): Promise<StoredRecord | null> => {
      if (scripts.clock.now() < record.expiresAt) return record;
      const { handle } = record;
      const again = await connection.operation("scan", () =>
        scripts.at(READ, { kind, handle }, []),
      );
      const it = foundIn(kind, again);
      return it === null || isTombstone(it) ? null : it;
    };
    const firsts = await Promise.all(some.map((label) => ask(label, "-")));
    for (const [index, first] of firsts.entries()) {
      let page = first;
      for (;;) {
        for (const record of page.records) {
          const alive = await still(record);
          if (alive) yield alive;
        }
        if (page.last === null) break;
        page = await ask(some[index] ?? "", `(${page.last}`);
      }
    }
  }
}

interface ScanPage {
  readonly records: readonly StoredRecord[];
  readonly last: string | null;
}

async function scanPage(
  scripts: Scripts,
  kind: string,
  label: string,
  after: string,
): Promise<ScanPage> {
  const [last, views] = list(await scripts.run(SCAN, kind, label, [after, SCAN_PAGE]));
  const records = list(views).map((each) => recordIn(kind, each));
  return { records, last: plain(last) };
}

function chunks(shelves: readonly string[]): readonly (readonly string[])[] {
  const pieces = Math.ceil(shelves.length / SHELVES_AT_ONCE);
  return Array.from({ length: pieces }, (_, index) =>
    shelves.slice(index * SHELVES_AT_ONCE, (index + 1) * SHELVES_AT_ONCE),
  );
}
