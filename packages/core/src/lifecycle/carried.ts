/** Where records travel with the browser: what a request brought, and the engine that works with it. */
import { type Carried, carriedNames, chunkSize, readCarried, roomIn } from "../cookie/carried.ts";
import type { CookieSpec } from "../cookie/spec.ts";
import type { RecordKey } from "../store/contract.ts";
import type { Engine } from "./engine.ts";

/** Where to look for it. */
interface Request {
  readonly spec: CookieSpec;
  readonly cookieHeader: string | undefined;
  /** Of the token that the browser brought. */
  readonly key: RecordKey | null;
}

/** What a request brought of its record; null where records stay in the store. */
export function carriedOf(
  { settings: { store, kind, ring, cookies } }: Engine,
  { spec, cookieHeader, key }: Request,
): Carried | null {
  const { carrier } = store;
  if (!carrier) return null;
  const { name } = spec;
  const text = key && readCarried(cookieHeader, name, key);
  const room = roomIn(carrier.chunks, chunkSize(spec, cookies.persistent));
  const sealed = key !== null && text !== null ? { key, text } : null;
  return {
    store: carrier.forRequest({ kind, name, ring, room, sealed }),
    names: carriedNames(cookieHeader, name),
  };
}

/** The engine over the store as this request sees it. */
export function engineOver(engine: Engine, carried: Carried | null): Engine {
  return carried === null ? engine : { ...engine, store: engine.guard.over(carried.store) };
}
