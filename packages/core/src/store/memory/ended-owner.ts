/**
 * That all records of an owner were ended, kept for records that come from elsewhere: as a tombstone, so
 * that it is remembered, forgotten and written down like any other. Its key is none that a digest can have.
 */
import {
  type Ending,
  ENDING_REMEMBERED,
  type Handle,
  type OwnerKey,
  type RecordKey,
  type Tombstone,
} from "../contract.ts";
import { tagOf } from "../../token/tag.ts";

/** Where the mark of an owner is. */
export function markOf(owner: OwnerKey): RecordKey {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- no record has such a key
  return `${tagOf(owner)}.owner:${owner}` as RecordKey;
}

/** The mark of an ending. `ending` must be a frozen copy. */
export function ownerEnded(kind: string, owner: OwnerKey, ending: Ending): Tombstone {
  return Object.freeze({
    kind,
    key: markOf(owner),
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- no record has such a handle
    handle: `${tagOf(owner)}owner:${owner}` as Handle,
    owner,
    createdAt: ending.at,
    expiresAt: ending.at + ENDING_REMEMBERED,
    ending,
  });
}
