/** A page of the ledger: what ended of all that shares a tag. Pure: pages and instants in, pages and verdicts out. */
import { randomInt } from "node:crypto";
import { CLOCK_TOLERANCE, ENDING_REMEMBERED } from "@sojourn/core/store";
import type { Ending, Handle, RecordKey, StoredRecord, UnixMs } from "@sojourn/core/store";
import { corruptPage } from "./errors.ts";

/**
 * The epochs that a session was created in. A revocation begins a new one, and who was created in an earlier one is dead.
 * Numbers, not instants, decide: clocks may differ, and a login may come in the same millisecond.
 */
export interface Stamp {
  /** Grows from revocation to revocation; 0 before the first. */
  readonly owner: number;
  /** A random number: it is the present one or it is not. */
  readonly everyone: number;
}

/** A session as a browser carries it. */
export interface Carried {
  readonly record: StoredRecord;
  readonly stamp: Stamp;
}

/** A key or a handle that ended. */
export interface Ended {
  readonly ending: Ending;
  /** Forgotten from this instant on: no cookie outlives it. */
  readonly until: UnixMs;
  /** The key that took its place, and until when the old one still counts. */
  readonly moved?: { readonly to: RecordKey; readonly until: UnixMs };
}

/** An owner whose sessions ended. */
export interface EpochEnded {
  /** Sessions of an earlier epoch are dead. */
  readonly epoch: number;
  readonly ending: Ending;
  readonly until: UnixMs;
  /** But not this one, if it is of that epoch or a later one. */
  readonly spared?: { readonly handle: Handle; readonly from: number };
}

/** The present epoch of everyone, and how the one before it ended; null: this is the first. */
export interface Everyone {
  readonly epoch: number;
  readonly ending: Ending | null;
}

/** See the top of the file. */
export interface Page {
  /** By key or handle. */
  readonly ended: ReadonlyMap<string, Ended>;
  readonly owners: ReadonlyMap<string, EpochEnded>;
  /** On one page, which has nothing else. */
  readonly everyone: Everyone | null;
}

/**
 * What became of a session. `moved`: its key was replaced a moment ago by `to`, with this ending. `unknown`: the ledger is
 * not the one that it was created under, or has lost what it knew, so nobody can tell.
 */
export type Verdict =
  | { readonly status: "alive" }
  | { readonly status: "moved"; readonly to: RecordKey; readonly ending: Ending }
  | { readonly status: "ended"; readonly ending: Ending }
  | { readonly status: "unknown" };

/** How many epochs of everyone there are to choose from: what `randomInt` takes. */
const EPOCHS = 2 ** 48 - 1;

/** A page without entries. */
export const EMPTY: Page = { ended: new Map(), owners: new Map(), everyone: null };

/** What a session is judged by. */
export interface Known {
  readonly page: Page;
  readonly everyone: Everyone | null;
  readonly now: UnixMs;
}

/** What the ledger has to say of a session, and of the key that it was carried under. */
export function judge(carried: Carried, known: Known): Verdict {
  const verdict = judgeSession(carried, known);
  if (verdict.status !== "alive") return verdict;
  return follow(known.page, carried.record.key, known.now);
}

/** As {@link judge}, whatever the key. */
export function judgeSession(
  { record: { handle, owner }, stamp }: Carried,
  { page, everyone }: Pick<Known, "page" | "everyone">,
): Exclude<Verdict, { status: "moved" }> {
  const ending =
    page.ended.get(handle)?.ending ?? endedBy(page.owners.get(owner ?? ""), handle, stamp.owner);
  if (ending) return { status: "ended", ending };
  if (everyone?.epoch === stamp.everyone) return { status: "alive" };
  return everyone?.ending ? { status: "ended", ending: everyone.ending } : { status: "unknown" };
}

function endedBy(ended: EpochEnded | undefined, handle: Handle, stamp: number): Ending | null {
  if (ended === undefined || stamp >= ended.epoch) return null;
  const { spared, ending } = ended;
  return spared?.handle === handle && stamp >= spared.from ? null : ending;
}

/** From key to key while they are in their grace time. */
function follow(page: Page, key: RecordKey, now: UnixMs): Verdict {
  const first = page.ended.get(key);
  if (first === undefined) return { status: "alive" };
  let last = first;
  for (let hops = 0; hops < page.ended.size; hops++) {
    const { moved, ending } = last;
    if (moved === undefined || now >= moved.until) return { status: "ended", ending };
    const next = page.ended.get(moved.to);
    if (next === undefined) return { status: "moved", to: moved.to, ending: first.ending };
    last = next;
  }
  throw corruptPage();
}

/** The page with one more key or handle that ended. */
export function withEnded(page: Page, id: RecordKey | Handle, ended: Ended): Page {
  return { ...page, ended: new Map(page.ended).set(id, ended) };
}

/** The page with a new epoch of an owner. `spared`: a session that is alive, or that nothing is known of. */
export function withEpoch(
  page: Page,
  owner: string,
  { ending, now, spared }: { ending: Ending; now: UnixMs; spared?: Handle | undefined },
): Page {
  const before = page.owners.get(owner);
  const wasSpared = spared !== undefined && before?.spared?.handle === spared;
  const from = wasSpared ? (before.spared?.from ?? 0) : epochIn(page, owner);
  const next: EpochEnded = {
    // An epoch that was forgotten is more than 400 days old: the clock alone leads beyond it.
    epoch: Math.max(epochIn(page, owner) + 1, now),
    ending,
    until: longest(now),
    ...(spared === undefined ? {} : { spared: { handle: spared, from } }),
  };
  return { ...page, owners: new Map(page.owners).set(owner, next) };
}

/** The page with a new epoch of everyone. */
export function withEveryone(
  page: Page,
  ending: Ending | null,
): Page & { readonly everyone: Everyone } {
  return { ...page, everyone: { epoch: randomInt(1, EPOCHS), ending } };
}

/** The present epoch of an owner. */
export function epochIn(page: Page, owner: string): number {
  return page.owners.get(owner)?.epoch ?? 0;
}

/** When an entry of a record may be forgotten. */
export function outlived(record: StoredRecord): UnixMs {
  return record.absoluteExpiresAt + CLOCK_TOLERANCE;
}

/** When an entry may be forgotten of which no record is known. */
export function longest(now: UnixMs): UnixMs {
  return now + ENDING_REMEMBERED + CLOCK_TOLERANCE;
}

/** The page without what no cookie can bring up any more. */
export function forget(page: Page, now: UnixMs): Page {
  return { ...page, ended: kept(page.ended, now), owners: kept(page.owners, now) };
}

function kept<T extends { readonly until: UnixMs }>(
  entries: ReadonlyMap<string, T>,
  now: UnixMs,
): ReadonlyMap<string, T> {
  return new Map([...entries].filter(([, { until }]) => now < until));
}
