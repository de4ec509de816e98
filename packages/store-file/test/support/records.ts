/** Records, endings and a clock for the tests. */
import type {
  Clock,
  Ending,
  Handle,
  OwnerKey,
  RecordKey,
  StoredRecord,
  UnixMs,
} from "@sojourn/core/store";

export const START = 1_700_000_000_000;
export const HOUR = 3_600_000;
export const KIND = "session";

/** A clock that stands still until it is told to go on. */
export class HandClock implements Clock {
  #now: UnixMs;

  constructor(now: UnixMs = START) {
    this.#now = now;
  }

  now(): UnixMs {
    return this.#now;
  }

  advance(ms: number): void {
    this.#now += ms;
  }
}

export const keyOf = (name: string): RecordKey => `abc.${name}` as RecordKey;
export const handleOf = (name: string): Handle => `abc${name}` as Handle;
export const ownerOf = (name: string): OwnerKey => `abc.${name}` as OwnerKey;

/** A record named `name`, alive for an hour from START. */
export function recordOf(name: string, fields: Partial<StoredRecord> = {}): StoredRecord {
  return {
    kind: KIND,
    key: keyOf(name),
    handle: handleOf(name),
    owner: ownerOf("alice"),
    version: 1,
    createdAt: START,
    seenAt: START,
    expiresAt: START + HOUR,
    absoluteExpiresAt: START + 24 * HOUR,
    payload: `{"name":"${name}"}`,
    ...fields,
  };
}

export const refOf = (name: string, kind: string = KIND): { kind: string; key: RecordKey } => ({
  kind,
  key: keyOf(name),
});

export const LOGOUT: Ending = { why: "logout", at: START };
