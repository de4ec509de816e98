/** Looking: get, list, count, stats, explain, health. None of it changes a session. */
import { isSojournError } from "../errors.ts";
import { type Engine } from "../lifecycle/engine.ts";
import { principalName, principalOf } from "../policy/principal.ts";
import { type Found, isTombstone } from "../store/contract.ts";
import { ownerKey, parseTaggedOwner, randomTag } from "../token/tag.ts";
import { mintHandle, parseHandle } from "../token/token.ts";
import { sessionInfo } from "./info.ts";
import type { Sessions } from "./types.ts";
import { pageOf } from "./page.ts";

type Inspecting = Pick<
  Sessions,
  "get" | "list" | "count" | "principals" | "stats" | "explain" | "health"
>;

/** The looking part of {@link Sessions}. */
export function inspectMethods(engine: Engine): Inspecting {
  const {
    kind,
    namespace,
    store: { name: storeName },
  } = engine.settings;
  const count: Sessions["count"] = () => engine.store.call("count", (store) => store.count(kind));
  return {
    count,
    async get(handle) {
      const found = await readHandle(engine, handle);
      return found === null || isTombstone(found) ? null : sessionInfo(engine, found);
    },
    async list(principal, page = {}) {
      const owner = ownerKey(namespace, principalName(principal));
      const records = await engine.store.call("listOwner", (store) => store.listOwner(kind, owner));
      return pageOf(engine, records, page);
    },
    async principals({ cursor = null, limit = 100 } = {}) {
      const page = await engine.store.call("owners", (store) => store.owners(kind, cursor, limit));
      const items = page.owners.map(({ owner, active }) => ({
        principal: parseTaggedOwner(owner),
        active,
      }));
      return { items, cursor: page.cursor };
    },
    async stats() {
      const { active, principals, lifetime } = await count();
      const ended = lifetime?.ended ?? 0;
      return {
        active,
        principals,
        totalCreated: lifetime?.created ?? null,
        totalEnded: lifetime?.ended ?? null,
        peakActive: lifetime?.peak ?? null,
        averageDurationMs: lifetime && ended > 0 ? lifetime.durationMs / ended : null,
      };
    },
    async explain(handle) {
      const found = await readHandle(engine, handle);
      if (found === null) return { status: "unknown" };
      if (!isTombstone(found)) return { status: "active", session: sessionInfo(engine, found) };
      return { status: "ended", principal: principalOf(found), ending: found.ending };
    },
    async health() {
      const began = performance.now();
      const answer = { store: storeName };
      try {
        await readHandle(engine, mintHandle(randomTag()));
        return { ...answer, status: "up", tookMs: performance.now() - began };
      } catch (error) {
        const code = isSojournError(error) ? error.code : "SOJOURN_STORE_UNAVAILABLE";
        return { ...answer, status: "down", code, tookMs: performance.now() - began };
      }
    },
  };
}

async function readHandle(engine: Engine, text: string): Promise<Found> {
  const handle = parseHandle(text);
  if (handle === null) return null;
  return engine.store.read({ kind: engine.settings.kind, handle });
}
