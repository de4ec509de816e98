/** The store outside of requests: it can end sessions, and say that one ended, but it has none. */
import { tagOf } from "@sojourn/core/store";
import type { Clock, Ending, Handle, RecordKey, Ref, Store, Tombstone } from "@sojourn/core/store";
import type { Epochs } from "./epochs.ts";
import { noList, unsupported } from "./errors.ts";
import { longest } from "./page.ts";

/** What it works with. */
export interface OutsideParts {
  /** Keeps the epochs, and what is no session; null: nothing does. */
  readonly beside: Store | null;
  readonly clock: Clock;
  readonly epochsOf: (kind: string) => Epochs;
}

/** Whether records of a kind travel with browsers. Others, such as approvals, count only once: they must not. */
function isCarried(kind: string): boolean {
  return kind === "session" || kind.startsWith("session:");
}

/** See the top of the file. */
export function outsideStore({ beside, clock, epochsOf }: OutsideParts): Store {
  /** The store for the kind, which must be no session's. */
  const besideFor = (kind: string, what: string): Store => {
    if (isCarried(kind)) throw noList(what);
    if (beside !== null) return beside;
    throw unsupported(
      "with epochs: 'none' it keeps nothing but sessions: give it a store as epochs",
    );
  };
  return {
    name: "cookie",
    clock,
    ...(beside?.signals ? { signals: beside.signals } : {}),
    open: async () => beside?.open?.(),
    advise: async () => (await beside?.advise?.()) ?? [],
    read: async (ref) =>
      isCarried(ref.kind) ? readEnding(epochsOf, ref) : besideFor(ref.kind, "read").read(ref),
    create: async (record, admission) =>
      besideFor(record.kind, "create a session outside of a request").create(record, admission),
    adopt: async (record, admission) =>
      besideFor(record.kind, "take over sessions").adopt(record, admission),
    update: async (ref, change, version) =>
      besideFor(ref.kind, "change sessions from outside").update(ref, change, version),
    touch: async (ref, seenAt, expiresAt) =>
      besideFor(ref.kind, "touch sessions from outside").touch(ref, seenAt, expiresAt),
    replace: async (ref, record, replacement) =>
      besideFor(ref.kind, "replace sessions from outside").replace(ref, record, replacement),
    end: async (ref, ending) =>
      isCarried(ref.kind)
        ? endHandle(epochsOf, ref, ending)
        : besideFor(ref.kind, "end").end(ref, ending),
    async endOwner(kind, owner, ending, except) {
      if (!isCarried(kind)) return besideFor(kind, "end").endOwner(kind, owner, ending, except);
      const spared = except === undefined ? null : { handle: except, carried: null };
      return (await epochsOf(kind).endOwner(owner, ending, spared)) ? 0 : null;
    },
    async endAll(kind, ending) {
      if (!isCarried(kind)) return besideFor(kind, "end").endAll(kind, ending);
      return epochsOf(kind).endAll(ending);
    },
    consume: async (ref) => besideFor(ref.kind, "take sessions out").consume(ref),
    listOwner: async (kind, owner) =>
      besideFor(kind, "list the sessions of a user").listOwner(kind, owner),
    async *scan(kind) {
      yield* besideFor(kind, "go through all sessions").scan(kind);
    },
    count: async (kind) => besideFor(kind, "count sessions").count(kind),
    owners: async (kind, cursor, limit) =>
      besideFor(kind, "list the users who have sessions").owners(kind, cursor, limit),
    flush: async () => beside?.flush(),
    close: async () => beside?.close(),
  };
}

type EpochsOf = OutsideParts["epochsOf"];

/** That a session ended is known, not that it lives. */
async function readEnding(epochsOf: EpochsOf, ref: Ref): Promise<Tombstone | null> {
  if ("key" in ref) return null;
  const ending = await epochsOf(ref.kind).endingOf(ref.handle);
  return ending && tombstoneOf(ref, ending);
}

async function endHandle(epochsOf: EpochsOf, ref: Ref, ending: Ending): Promise<Tombstone | null> {
  if ("key" in ref) return null;
  return (await epochsOf(ref.kind).endHandle(ref.handle, ending)) ? tombstoneOf(ref, ending) : null;
}

/** Of a session that nothing is known of but its handle. */
function tombstoneOf(
  { kind, handle }: { readonly kind: string; readonly handle: Handle },
  ending: Ending,
): Tombstone {
  return {
    kind,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- no record has such a key
    key: `${tagOf(handle)}.handle:${handle}` as RecordKey,
    handle,
    owner: null,
    createdAt: ending.at,
    expiresAt: longest(ending.at),
    ending,
  };
}
