/** The store as one request sees it: the session that its browser carries, and all that the store can do from outside. */
import type { Brought, CarriedStore, Gone, KeyRing, Ref, Store } from "@sojourn/core/store";
import { CarriedRecord } from "./carried-record.ts";
import type { Epochs } from "./epochs.ts";
import { RecordSealing } from "./seal.ts";

/** What it works with. */
export interface RequestParts {
  /** The store for everything but this session. */
  readonly outside: Store;
  readonly epochsOf: (kind: string) => Epochs;
  /** Null: the manager's. */
  readonly ring: KeyRing | null;
  readonly compress: boolean;
}

const UNKNOWN: Gone = { status: "gone", tombstone: null };

/** See the top of the file. */
export function requestStore(
  { outside, epochsOf, ring, compress }: RequestParts,
  { kind, name, room, sealed, ring: managers }: Brought,
): CarriedStore {
  const epochs = epochsOf(kind);
  const sealing = new RecordSealing({ ring: ring ?? managers, compress, kind, name });
  const own = new CarriedRecord({ sealing, epochs, clock: outside.clock, room }, sealed);
  const inTurn = turns();
  const isOwn = (ref: Ref): boolean => ref.kind === kind && own.is(ref);
  return {
    ...outside,
    read: async (ref) => (isOwn(ref) ? inTurn(() => own.read()) : outside.read(ref)),
    create: async (record, admission) =>
      record.kind === kind
        ? inTurn(() => own.create(record, admission))
        : outside.create(record, admission),
    async update(ref, change, version) {
      if (ref.kind !== kind) return outside.update(ref, change, version);
      return own.is(ref) ? inTurn(() => own.update(change, version)) : UNKNOWN;
    },
    async touch(ref, seenAt, expiresAt) {
      if (ref.kind !== kind) return outside.touch(ref, seenAt, expiresAt);
      return own.is(ref) && inTurn(() => own.touch(seenAt, expiresAt));
    },
    async replace(ref, record, how) {
      if (ref.kind !== kind) return outside.replace(ref, record, how);
      return own.is(ref) ? inTurn(() => own.replace(record, how)) : UNKNOWN;
    },
    end: async (ref, ending) =>
      isOwn(ref) ? inTurn(() => own.end(ending)) : outside.end(ref, ending),
    async endOwner(of, owner, ending, except) {
      if (of !== kind || except === undefined || !own.is({ kind, handle: except }))
        return outside.endOwner(of, owner, ending, except);
      const spared = { handle: except, carried: own.carried };
      return (await epochs.endOwner(owner, ending, spared)) ? 0 : null;
    },
    taken: () => own.taken(),
  };
}

/** Runs each piece of work when those before it are done. */
function turns(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const done = last.then(work);
    last = done.catch(() => {});
    return done;
  };
}
