/** The names of keys in Redis, for tests that look behind the store. */
import type { StoredRecord } from "@sojourn/core/store";

/** Where a record of a store with the default prefix is. */
export function nameOf({ key, kind }: StoredRecord): string {
  return `sojourn:{${key.slice(0, 3)}}:${kind}.${key.slice(4, 26)}`;
}

/** Where an index of a record's tag is, while the kind was never ended as a whole. */
export function indexOf({ key, kind }: StoredRecord, index: "i" | "n"): string {
  return `sojourn:{${key.slice(0, 3)}}:${kind}/${index}0`;
}
