/** The store as it is asked while it answers: what it says is remembered, and what waits for it comes first. */
import type { Ref, Store, StoredRecord } from "../store/contract.ts";
import { isTombstone } from "../store/contract.ts";
import type { LocalKnowledge } from "./local.ts";

/** A store whose answers the process takes note of. */
export function frontOf({ recent, provisional, condemned }: LocalKnowledge, store: Store): Store {
  const remember = (ref: Ref, record: StoredRecord): void => {
    if ("key" in ref) recent.remember(ref.key, record);
  };

  return over(store, {
    async read(ref) {
      await provisional.settle(ref, store);
      const found = await store.read(ref);
      if (found === null || isTombstone(found)) {
        recent.drop(ref);
        return found;
      }
      const tombstone = condemned.tombstone(found);
      if (tombstone) return tombstone;
      remember(ref, found);
      return found;
    },
    async update(ref, change, expectedVersion) {
      await provisional.settle(ref, store);
      const result = await store.update(ref, change, expectedVersion);
      if (result.status === "updated") remember(ref, result.record);
      return result;
    },
    async touch(ref, seenAt, expiresAt) {
      await provisional.settle(ref, store);
      return store.touch(ref, seenAt, expiresAt);
    },
    async replace(ref, record, replacement) {
      await provisional.settle(ref, store);
      const result = await store.replace(ref, record, replacement);
      if (result.status === "replaced") recent.drop(ref);
      return result;
    },
    async end(ref, ending) {
      recent.drop(ref);
      await provisional.settle(ref, store);
      return store.end(ref, ending);
    },
    async endOwner(kind, owner, ending, except) {
      recent.forget((record) => record.owner === owner && record.handle !== except);
      await provisional.settleAll(store);
      return store.endOwner(kind, owner, ending, except);
    },
    async endAll(kind, ending) {
      recent.forget((record) => record.kind === kind);
      await provisional.settleAll(store);
      return store.endAll(kind, ending);
    },
  });
}

/** The store with some of its members replaced. */
function over(store: Store, members: Partial<Store>): Store {
  return new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(name in members ? members : target, name);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}
