/** Random operations on one lane of records, to be performed on a store or on a model of it. */
import type { RecordTable, Store, StoredRecord } from "@sojourn/core/store";
import { START, LOGOUT, handleOf, keyOf, ownerOf, recordOf } from "./records.ts";

/** An operation with all it needs, as JSON. */
export interface Operation {
  readonly do:
    | "create"
    | "update"
    | "touch"
    | "replace"
    | "end"
    | "endOwner"
    | "endAll"
    | "consume";
  readonly kind: string;
  /** Which record, by key. */
  readonly name: string;
  /** Name of the new record. */
  readonly next: string;
  readonly version: number;
  readonly payload: string;
}

/** Random, and the same again for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What a record made by an operation looks like. */
export function made({ kind, next, version, payload }: Operation, handle = next): StoredRecord {
  const owner = ownerOf(payload.length % 2 === 0 ? "even" : "odd");
  return recordOf(next, { kind, owner, version, payload, handle: handleOf(handle) });
}

/** Performs an operation; the outcome does not matter here. */
export async function perform(on: Store | RecordTable, operation: Operation): Promise<void> {
  const { kind, name, version, payload } = operation;
  const ref = { kind, key: keyOf(name) };
  const later = START + payload.length;
  switch (operation.do) {
    case "create":
      await on.create(made(operation), { max: 3, onLimit: "evict-oldest" });
      return;
    case "update":
      await on.update(ref, { payload, seenAt: later, expiresAt: later + 3_600_000 }, version);
      return;
    case "touch":
      await on.touch(ref, later, later + 3_600_000);
      return;
    case "replace": {
      const found = await on.read(ref);
      const handle = found ? found.handle.slice(3) : operation.next;
      const ending = { why: "rotated", at: START } as const;
      const how = { expectedVersion: version, ending, graceMs: 10_000 };
      await on.replace(ref, made(operation, handle), how);
      return;
    }
    case "end":
      await on.end(ref, LOGOUT);
      return;
    case "endOwner":
      await on.endOwner(kind, ownerOf("even"), { why: "revoked", at: START });
      return;
    case "endAll":
      await on.endAll(kind, { why: "revoked", at: START });
      return;
    case "consume":
      await on.consume(ref);
  }
}

const WEIGHTS: readonly (readonly [Operation["do"], number])[] = [
  ["create", 30],
  ["update", 30],
  ["touch", 10],
  ["replace", 12],
  ["end", 8],
  ["consume", 6],
  ["endOwner", 3],
  ["endAll", 1],
];

/** Endless operations of a lane. The lane's kind is its own, so lanes never see each other. */
export function* operations(kind: string, seed: number): Generator<Operation, never> {
  const random = randomFrom(seed);
  const versions = new Map<string, number>();
  for (let serial = 0; ; serial += 1) {
    let pick = random() * 100;
    const [action] = WEIGHTS.find(([, weight]) => (pick -= weight) < 0) ?? ["create", 0];
    const names = [...versions.keys()].slice(-5);
    const name = names[Math.floor(random() * names.length)] ?? "none";
    const next = `${kind}-${serial}`;
    const payload = "x".repeat(Math.floor(random() * 700));
    const version = versions.get(name) ?? 1;
    if (action === "create" || action === "replace") versions.set(next, version);
    if (action === "update") versions.set(name, version + 1);
    yield { do: action, kind, name, next, version: action === "create" ? 1 : version, payload };
  }
}
