/** What stands in for a store that is away: recent readings, provisional sessions, and a clear no to the rest. */
import { SojournError } from "../errors.ts";
import {
  type Ending,
  type Handle,
  isTombstone,
  type OwnerKey,
  type Ref,
  type Replacement,
  type Store,
  type StoredRecord,
} from "../store/contract.ts";
import type { GuardedOperation } from "../store/guard.ts";
import type { LocalKnowledge } from "./local.ts";

/** The stand-in during one call that failed with `cause`. */
export function standIn(
  { recent, provisional, condemned, stale }: LocalKnowledge,
  store: Store,
  cause: SojournError,
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

  return {
    name: store.name,
    clock: store.clock,
    async read(ref) {
      const found = (await provisional.read(ref)) ?? recent.get(ref);
      if (found === null) throw cause;
      if (isTombstone(found) || provisional.has(found.handle)) return found;
      stale.add(found);
      return condemned.tombstone(found) ?? found;
    },
    async create(record, admission) {
      await provisional.add(record, admission);
      return { status: "created", evicted: [] };
    },
    async update(ref, change, expectedVersion) {
      if (!(await provisional.alive(ref))) throw cause;
      return provisional.store.update(ref, change, expectedVersion);
    },
    async touch(ref, seenAt, expiresAt) {
      if (await provisional.alive(ref)) return provisional.store.touch(ref, seenAt, expiresAt);
      if (recent.get(ref) === null) throw cause;
      return true;
    },
    /** A login makes a provisional session; a new token for the same session has to wait. */
    async replace(ref: Ref, record: StoredRecord, { ending, admission }: Replacement) {
      const old = (await provisional.alive(ref)) ?? recent.get(ref);
      if (old === null || old.handle === record.handle) throw cause;
      await provisional.add(record, admission);
      await provisional.end(ref, ending);
      condemn("end", ending, pointsAt(old), (to) => to.end(old, ending));
      return { status: "replaced", evicted: [] };
    },
    async end(ref, ending) {
      const known = (await provisional.alive(ref)) ?? recent.get(ref);
      const ended = await provisional.end(ref, ending);
      condemn("end", ending, pointsAt(known ?? ref), (to) => to.end(ref, ending));
      if (ended) return ended;
      throw repeated(cause);
    },
    async endOwner(kind: string, owner: OwnerKey, ending: Ending, except?: Handle) {
      await provisional.store.endOwner(kind, owner, ending, except);
      condemn(
        "endOwner",
        ending,
        (record) => record.kind === kind && record.owner === owner && record.handle !== except,
        (to) => to.endOwner(kind, owner, ending, except),
      );
      throw repeated(cause);
    },
    async endAll(kind, ending) {
      await provisional.store.endAll(kind, ending);
      condemn(
        "endAll",
        ending,
        (record) => record.kind === kind,
        (to) => to.endAll(kind, ending),
      );
      throw repeated(cause);
    },
    consume: refuse,
    listOwner: refuse,
    scan: (kind) => store.scan(kind),
    count: refuse,
    owners: refuse,
    flush: refuse,
    close: refuse,
  };
}

function pointsAt(target: Ref): (record: StoredRecord) => boolean {
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
