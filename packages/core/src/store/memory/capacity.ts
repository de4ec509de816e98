/** Makes room in a full table: what is over first, then tombstones, then nobody's records. */
import type { UnixMs } from "../../clock.ts";
import { SojournError } from "../../errors.ts";
import type { RecordKey, StoredRecord } from "../contract.ts";
import type { Effect } from "./effects.ts";
import type { KindTable } from "./kind.ts";

const SLICE = 1_000;
/** Room is made for a thousandth of the table at once: looking for the oldest has a price. */
const SHARE = 1_000;

type Kinds = ReadonlyMap<string, KindTable>;

/**
 * Makes room for one entry at least; the effects of what was dropped before its time.
 * @throws SOJOURN_STORE_FULL when all that is left are alive records with owners; nothing changed
 */
export function makeRoom(kinds: Kinds, maxRecords: number, now: UnixMs): readonly Effect[] {
  const excess = (): number => sizeOf(kinds) + 1 - maxRecords;
  if (excess() <= 0) return [];
  for (const kind of kinds.values()) {
    kind.forget(now, SLICE);
    if (kind.expire(now, SLICE) === 0) kind.expireAll(now);
    if (excess() > 0) kind.forget(now, SLICE);
  }
  const share = Math.floor(maxRecords / SHARE);
  const effects: Effect[] = [];
  while (excess() > 0) {
    const dropped = dropTombstones(kinds, Math.max(share, excess()));
    if (dropped.length > 0) effects.push(...dropped);
    else if (!convertSome(kinds)) break;
  }
  while (excess() > 0) effects.push(...dropAnonymous(kinds, Math.max(share, excess()), now));
  return effects;
}

function sizeOf(kinds: Kinds): number {
  let size = 0;
  for (const kind of kinds.values()) size += kind.size;
  return size;
}

function convertSome(kinds: Kinds): boolean {
  for (const kind of kinds.values()) if (kind.convert(SLICE) > 0) return true;
  return false;
}

function dropTombstones(kinds: Kinds, max: number): Effect[] {
  let chosen: { name: string; kind: KindTable; at: UnixMs } | undefined;
  for (const [name, kind] of kinds) {
    const at = kind.oldestTombstone()?.ending.at;
    if (at !== undefined && at < (chosen?.at ?? Infinity)) chosen = { name, kind, at };
  }
  if (chosen === undefined) return [];
  const { name, kind } = chosen;
  return kind.oldestTombstones(max).map((key) => drop(name, kind, key));
}

function dropAnonymous(kinds: Kinds, max: number, now: UnixMs): Effect[] {
  let chosen: { name: string; kind: KindTable; oldest: StoredRecord } | undefined;
  for (const [name, kind] of kinds) {
    const [oldest] = kind.oldestAnonymous(1);
    if (oldest === undefined) continue;
    if (chosen === undefined || oldest.createdAt < chosen.oldest.createdAt) {
      chosen = { name, kind, oldest };
    }
  }
  if (chosen === undefined) throw full();
  const { name, kind } = chosen;
  return kind.oldestAnonymous(max).map((record) => {
    kind.lifetime.ended(record.createdAt, now);
    return drop(name, kind, record.key);
  });
}

function drop(name: string, kind: KindTable, key: RecordKey): Effect {
  kind.remove(key);
  return { drop: { kind: name, key } };
}

function full(): SojournError {
  return new SojournError(
    "SOJOURN_STORE_FULL",
    "The store holds maxRecords alive records that have owners, so none may be dropped: raise `maxRecords`, or limit the sessions of a user.",
  );
}
