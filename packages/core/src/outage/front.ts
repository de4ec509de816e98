/** The store as it is asked while it answers: what it says is remembered, and what waits for it comes first. */
import type { Store } from "../store/contract.ts";
import { isTombstone } from "../store/contract.ts";
import type { LocalKnowledge } from "./local.ts";

/** A store whose answers the process takes note of. */
export function frontOf(known: LocalKnowledge): Store {
  const { store, recent, provisional, condemned, backlog } = known;
  return over(store, {
    async read(ref, how) {
      await backlog.settle(ref, store);
      const { result, isDoubtful } = await recent.bring(async () => store.read(ref, how));
      // What was forgotten meanwhile is probably over: the store is asked once more.
      const isSure = result === null || isTombstone(result) || !isDoubtful(result);
      const answer = isSure ? result : await store.read(ref, { fresh: true });
      const found = answer ?? (await provisional.read(ref));
      if (found === null || isTombstone(found)) {
        recent.drop(ref);
        return found;
      }
      const tombstone = condemned.tombstone(found);
      if (tombstone) return tombstone;
      if (isSure) recent.remember(found);
      return found;
    },
    async update(ref, change, expectedVersion) {
      await backlog.settle(ref, store);
      const { result, isDoubtful } = await recent.bring(() =>
        store.update(ref, change, expectedVersion),
      );
      if (result.status !== "updated") return result;
      const tombstone = condemned.tombstone(result.record);
      if (tombstone) return { status: "gone", tombstone };
      if (!isDoubtful(result.record)) recent.remember(result.record);
      return result;
    },
    async touch(ref, seenAt, expiresAt) {
      await backlog.settle(ref, store);
      return store.touch(ref, seenAt, expiresAt);
    },
    async replace(ref, record, replacement) {
      await backlog.settle(ref, store);
      const result = await store.replace(ref, record, replacement);
      if (result.status === "replaced") recent.drop(ref);
      return result;
    },
    async end(ref, ending) {
      await backlog.settle(ref, store);
      const tombstone = await store.end(ref, ending);
      recent.drop(ref);
      return tombstone;
    },
    async endOwner(kind, owner, ending, except) {
      await backlog.settleAll(store, owner);
      const count = await store.endOwner(kind, owner, ending, except);
      if (count === null) return null;
      recent.forget((record) => record.owner === owner && record.handle !== except);
      return count;
    },
    async endAll(kind, ending) {
      await backlog.settleAll(store);
      await store.endAll(kind, ending);
      recent.forget((record) => record.kind === kind);
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
