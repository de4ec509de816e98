/** What an operation changed, in the words of a journal. */
import type { UnixMs } from "../../clock.ts";
import type { Ending, RecordKey, StoredRecord, Tombstone } from "../contract.ts";

/**
 * Where the session of a replaced key went, handle and all. The old key leads there while its grace
 * time lasts (`now < until`).
 */
export interface Moved {
  readonly to: RecordKey;
  readonly until: UnixMs;
}

/** One change. Applied in order, the effects of a table's operations build the same table again. */
export type Effect =
  /** The record as it now is. */
  | { readonly put: StoredRecord }
  /** The record's new instants. */
  | { readonly touch: Touched }
  /** The tombstone that takes the place of the record at its key. */
  | { readonly end: Tombstone; readonly moved?: Moved }
  /** Nothing is kept of this key. */
  | { readonly drop: { readonly kind: string; readonly key: RecordKey } }
  /** Every record of a kind has ended. */
  | { readonly endAll: { readonly kind: string; readonly ending: Ending } };

/** A record's instants after a touch. */
interface Touched {
  readonly kind: string;
  readonly key: RecordKey;
  readonly seenAt: UnixMs;
  readonly expiresAt: UnixMs;
}
