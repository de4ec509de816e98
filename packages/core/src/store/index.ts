/** For authors of stores: the contract, the in-process table, errors and the clock. */
export * from "./contract.ts";
export { changedRecord, endedTombstone, expiredTombstone, touchedRecord } from "./memory/entry.ts";
export * from "./storable.ts";
export { clockAdvice, type ClockReading } from "./clock-advice.ts";
export { Bag, type Bagged, NO_PLACE } from "../collections/bag.ts";
export { Pending } from "../collections/pending.ts";
export { type Ear, Ears } from "./ears.ts";
export { withDeadline } from "./deadline.ts";
export { RecordTable } from "./memory/table.ts";
export type { Effect, RecordTableOptions } from "./memory/table.ts";
export { ownerKey, parseTaggedOwner, randomTag, tagOf } from "../token/tag.ts";
export { KeyRing, type KeySource } from "../keys/key-ring.ts";
export { type Opened, Sealing } from "../keys/sealing.ts";
export { SojournError, isSojournError } from "../errors.ts";
export { systemClock } from "../clock.ts";
export type { Clock, UnixMs } from "../clock.ts";
export { parseDuration, type Duration } from "../options/duration.ts";
