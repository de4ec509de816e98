/** Makes room in a full table: what is over first, then tombstones, then nobody's records. */
import type { UnixMs } from "../../clock.ts";
import { SojournError } from "../../errors.ts";
import type { RecordKey, StoredRecord } from "../contract.ts";
import type { Effect } from "./effects.ts";
import type { KindTable } from "./kind.ts";

/** The most entries of a kind that are looked at before it is asked again whether there is room. */
const SLICE = 10;

type Kinds = ReadonlyMap<string, KindTable>;

/**
 * Makes room for one entry at least; the effects of what was dropped before its time.
 * @throws SOJOURN_STORE_FULL when all that is left are alive records with owners; nothing changed
 */
export function makeRoom(kinds: Kinds, maxRecords: number, now: UnixMs): readonly Effect[] {
  const excess = (): number => sizeOf(kinds) + 1 - maxRecords;
  const effects: Effect[] = [];
  while (excess() > 0) {
    if (forgetSome(kinds, now)) continue;
    const max = Math.min(SLICE, excess());
    const dropped = dropTombstones(kinds, max);
    if (dropped.length > 0) effects.push(...dropped);
    else if (!convertSome(kinds)) effects.push(...dropAnonymous(kinds, max, now));
  }
  return effects;
}

function sizeOf(kinds: Kinds): number {
  let size = 0;
  for (const kind of kinds.values()) size += kind.size;
  return size;
}

/** True if something was over, and is no more. */
function forgetSome(kinds: Kinds, now: UnixMs): boolean {
  let forgotten = 0;
  for (const kind of kinds.values()) {
    kind.expire(now, SLICE);
    forgotten += kind.forget(now, SLICE);
  }
  return forgotten > 0;
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
