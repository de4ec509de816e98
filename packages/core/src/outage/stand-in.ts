/** What stands in for a store that is away: recent readings, provisional sessions, and a clear no to the rest. */
import { SojournError } from "../errors.ts";
import {
  type Ending,
  type Handle,
  isTombstone,
  type OwnerKey,
  type Ref,
  type Store,
  type StoredRecord,
} from "../store/contract.ts";
import type { GuardedOperation } from "../store/guard.ts";
import type { LocalKnowledge } from "./local.ts";
import { principalOf } from "../policy/principal.ts";
import { endOthers } from "./end-others.ts";
import { tellEnded } from "./tell.ts";

/** The call that failed. */
export interface FailedCall {
  readonly cause: SojournError;
  /** Told of the provisional session that was made instead. */
  readonly made: (record: StoredRecord) => void;
}

/** The stand-in during one call that failed. */
export function standIn(
  { store, recent, provisional, condemned, stale, events }: LocalKnowledge,
  { cause, made }: FailedCall,
): Store {
  const refuse = async (): Promise<never> => {
    throw cause;
  };
  const condemn = (
    operation: GuardedOperation,
    ending: Ending,
    matches: (record: StoredRecord) => boolean,
    carryOut: (to: Store) => Promise<unknown>,
  ): void => condemned.add({ operation, ending, matches, carryOut });
  const condemnOne = (ref: Ref, target: Ref | StoredRecord, ending: Ending): void =>
    condemn("end", ending, pointsAt(target), async (to) => {
      const tombstone = await to.end(ref, ending);
      if (tombstone) tellEnded(events, tombstone);
      return tombstone;
    });

  return {
    name: store.name,
    clock: store.clock,
    async read(ref) {
      const found = (await provisional.read(ref)) ?? recent.get(ref);
      if (found === null) throw cause;
      if (isTombstone(found) || provisional.has(found.handle)) return found;
      // A copy: a store may hand out the same object again, when it is back.
      const copy = { ...found };
      stale.add(copy);
      return condemned.tombstone(found) ?? copy;
    },
    async create(record, admission) {
      await provisional.add(record, admission);
      made(record);
      return { status: "created", evicted: [] };
    },
    async update(ref, change, expectedVersion) {
      const result = await provisional.store.update(ref, change, expectedVersion);
      // Not one of these, or the store took it over this very moment.
      if (result.status === "gone" && result.tombstone === null) throw cause;
      return result;
    },
    async touch(ref, seenAt, expiresAt) {
      if (await provisional.alive(ref)) return provisional.store.touch(ref, seenAt, expiresAt);
      const record = recent.get(ref);
      if (record === null) throw cause;
      return condemned.tombstone(record) === null;
    },
    /** A login makes a provisional session; a new token for the same session has to wait. */
    async replace(ref, record, replacement) {
      const { ending, admission } = replacement;
      const own = await provisional.alive(ref);
      const old = own ?? recent.get(ref);
      if (old === null || old.handle === record.handle) throw cause;
      const tombstone = condemned.tombstone(old);
      if (tombstone) return { status: "gone", tombstone };
      if (own) {
        const result = await provisional.replace(own, record, replacement);
        if (result.status !== "replaced") return result;
      } else await provisional.add(record, admission);
      made(record);
      condemnOne(old, old, ending);
      return { status: "replaced", evicted: [] };
    },
    async end(ref, ending) {
      const known = (await provisional.alive(ref)) ?? recent.get(ref);
      const ended = await provisional.end(ref, ending);
      condemnOne(ref, known ?? ref, ending);
      if (ended) return ended;
      throw repeated(cause);
    },
    async endOwner(kind: string, owner: OwnerKey, ending: Ending, except?: Handle) {
      await endOthers(provisional.store, { kind, owner }, ending, except);
      condemn(
        "endOwner",
        ending,
        (record) => record.kind === kind && record.owner === owner && record.handle !== except,
        async (to) => {
          const count = await endOthers(to, { kind, owner }, ending, except);
          const spared = { handle: null, except: except ?? null };
          events.emit("revoked", { ...spared, principal: principalOf({ owner }), count, ending });
          return count;
        },
      );
      throw repeated(cause);
    },
    async endAll(kind, ending) {
      await provisional.store.endAll(kind, ending);
      condemn(
        "endAll",
        ending,
        (record) => record.kind === kind,
        async (to) => {
          await to.endAll(kind, ending);
          const everyone = { handle: null, principal: null, except: null, count: null };
          events.emit("revoked", { ...everyone, ending });
        },
      );
      throw repeated(cause);
    },
    adopt: refuse,
    consume: refuse,
    listOwner: refuse,
    scan: (kind) => store.scan(kind),
    count: refuse,
    owners: refuse,
    flush: refuse,
    close: refuse,
  };
}

function pointsAt(target: Ref | StoredRecord): (record: StoredRecord) => boolean {
  if ("handle" in target) {
    return ({ kind, handle }) => kind === target.kind && handle === target.handle;
  }
  return ({ kind, key }) => kind === target.kind && key === target.key;
}

/** The error for an ending that will be carried out later. */
function repeated(cause: SojournError): SojournError {
  return new SojournError(
    "SOJOURN_STORE_UNAVAILABLE",
    "the store is away, so this could not be made known everywhere: this process refuses what it ended from now on, and repeats it until the store answers. Do not tell the user that it is done",
    { cause, details: { ...cause.details, repeated: true } },
  );
}
