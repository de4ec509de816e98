/** Stores with a fault, each of which the histories must find. */
import { isTombstone, SojournError } from "@sojourn/core/store";
import type { Change, Ref, Store, StoredRecord, Updated } from "@sojourn/core/store";
import type { Fault } from "./system.ts";
import { FAULTS, ToyStore } from "./toy-store.ts";
import type { FaultName } from "./toy-store.ts";

/** A store with a fault. */
export interface Mutant {
  readonly name: string;
  /** What is wrong. */
  readonly what: string;
  /** Made anew for each history. */
  readonly fault: () => Fault;
}

/** The same store, some operations replaced. */
function instead(store: Store, operations: Partial<Store>): Store {
  return new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(operations, name) ?? Reflect.get(target, name);
      return typeof member === "function" ? (member.bind(target) as unknown) : member;
    },
  });
}

/** True at every so many-th call. */
function every(many: number): () => boolean {
  let calls = 0;
  return () => ++calls % many === 0;
}

/** Keeps jobs, and runs them so many calls of the store later. */
class Later {
  readonly #waiting: { calls: number; job: () => Promise<unknown> }[] = [];

  add(calls: number, job: () => Promise<unknown>): void {
    this.#waiting.push({ calls, job });
  }

  /** The same store; what waits is done before the calls that it waited for. */
  before(store: Store): Store {
    return new Proxy(store, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== "function") return member;
        if (name === "scan" || name === "close") return member.bind(target) as unknown;
        return async (...given: unknown[]) => {
          await this.#call();
          return Reflect.apply(member, target, given) as unknown;
        };
      },
    });
  }

  async #call(): Promise<void> {
    for (const waiting of this.#waiting) waiting.calls -= 1;
    const due = this.#waiting.filter(({ calls }) => calls <= 0);
    for (const waiting of due) this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
    for (const { job } of due) await job();
  }
}

async function recordAt(store: Store, ref: Ref): Promise<StoredRecord | null> {
  const found = await store.read(ref);
  return found && !isTombstone(found) ? found : null;
}

/** What an update would answer that nobody does. */
async function pretended(
  store: Store,
  ref: Ref,
  change: Change,
  version: number,
): Promise<Updated> {
  const record = await recordAt(store, ref);
  if (record?.version !== version) return store.update(ref, change, version);
  return { status: "updated", record: { ...record, ...change, version: version + 1 } };
}

const onTheWay: readonly Mutant[] = [
  {
    name: "drops an update",
    what: "each 8th update is acknowledged and not done",
    fault: () => (store) => {
      const isDropped = every(8);
      return instead(store, {
        update: async (...args) =>
          isDropped() ? pretended(store, ...args) : store.update(...args),
      });
    },
  },
  {
    name: "drops a touch",
    what: "each 5th touch is acknowledged and not done",
    fault: () => (store) => {
      const isDropped = every(5);
      return instead(store, {
        touch: async (...args) => isDropped() || store.touch(...args),
      });
    },
  },
  {
    name: "drops an ending",
    what: "each 3rd ending of one session is acknowledged and not done",
    fault: () => (store) => {
      const isDropped = every(3);
      return instead(store, {
        async end(ref, ending) {
          const record = isDropped() ? await recordAt(store, ref) : null;
          return record ? { ...record, ending } : store.end(ref, ending);
        },
      });
    },
  },
  {
    name: "drops revokeEveryone",
    what: "revokeEveryone is acknowledged and not done",
    fault: () => (store) => instead(store, { endAll: async () => {} }),
  },
  {
    name: "delays an update",
    what: "updates are acknowledged, and done two calls later",
    fault: () => (store) => {
      const later = new Later();
      const delaying = instead(store, {
        async update(...args) {
          const answer = await pretended(store, ...args);
          if (answer.status === "updated") later.add(2, () => store.update(...args));
          return answer;
        },
      });
      return later.before(delaying);
    },
  },
  {
    name: "delays an ending",
    what: "endings are acknowledged, and done three calls later",
    fault: () => (store) => {
      const later = new Later();
      const delaying = instead(store, {
        async end(ref, ending) {
          const record = await recordAt(store, ref);
          if (record) later.add(3, () => store.end(ref, ending));
          return record && { ...record, ending };
        },
      });
      return later.before(delaying);
    },
  },
  {
    name: "duplicates an update",
    what: "updates are done again five calls later, over whatever is there",
    fault: () => (store) => {
      const later = new Later();
      const twice = instead(store, {
        async update(ref, change, version) {
          later.add(5, async () => {
            const record = await recordAt(store, ref);
            if (record) await store.update(ref, change, record.version);
          });
          return store.update(ref, change, version);
        },
      });
      return later.before(twice);
    },
  },
  {
    name: "duplicates a creation",
    what: "a creation is done again under another handle",
    fault: () => (store) =>
      instead(store, {
        async create(record, admission) {
          const answer = await store.create(record, admission);
          const twin = {
            key: `${record.key.slice(0, -1)}_`,
            handle: `${record.handle.slice(0, -1)}_`,
          };
          await store.create({ ...record, ...twin } as StoredRecord);
          return answer;
        },
      }),
  },
  {
    name: "answers too late",
    what: "each 20th login is done, and its answer misses the deadline",
    fault: () => (store) => {
      const isLate = every(20);
      return instead(store, {
        async create(...args) {
          const answer = await store.create(...args);
          if (!isLate()) return answer;
          throw new SojournError("SOJOURN_STORE_TIMEOUT", "no answer within the deadline");
        },
      });
    },
  },
  {
    name: "reads an old copy",
    what: "each 7th read comes from a copy that is one read behind",
    fault: () => (store) => {
      const isOld = every(7);
      const copies = new Map<string, Awaited<ReturnType<Store["read"]>>>();
      return instead(store, {
        async read(ref) {
          const name = "key" in ref ? ref.key : ref.handle;
          const copy = copies.get(name);
          const found = await store.read(ref);
          copies.set(name, found);
          return isOld() && copy ? copy : found;
        },
      });
    },
  },
  {
    name: "lists an old copy",
    what: "lists come from a copy that is one call behind",
    fault: () => (store) => {
      const copies = new Map<string, readonly StoredRecord[]>();
      return instead(store, {
        async listOwner(kind, owner) {
          const copy = copies.get(owner);
          copies.set(owner, await store.listOwner(kind, owner));
          return copy ?? [];
        },
      });
    },
  },
  {
    name: "resends an update",
    what: "an update that meets a conflict is sent again, over what is there now",
    fault: () => (store) =>
      instead(store, {
        async update(ref, change, version) {
          const answer = await store.update(ref, change, version);
          if (answer.status !== "conflict") return answer;
          return store.update(ref, change, answer.record.version);
        },
      }),
  },
];

const toys = Object.entries(FAULTS).map(([name, what]): Mutant => ({
  name,
  what,
  fault: () => toyWith(name as FaultName),
}));

/** Puts a toy store, the same for all nodes of a history, in place of the real one. */
export function toyWith(fault: FaultName | null): Fault {
  let toy: ToyStore | undefined;
  return (store) => (toy ??= new ToyStore(store.clock, fault));
}

/** All of them. */
export const mutants: readonly Mutant[] = [...onTheWay, ...toys];
