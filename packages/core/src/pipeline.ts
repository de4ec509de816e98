/** The way of a request, in two steps: `begin` before the handler, `commit` before the response. */
import { readCookie } from "./cookie/read.ts";
import { Device } from "./cookie/device.ts";
import { specFor } from "./cookie/spec.ts";
import { isSojournError, SojournError } from "./errors.ts";
import type { CookieRejection } from "./events.ts";
import { principalOf } from "./policy/principal.ts";
import { type Engine, isSessionEnded, openSession, timeoutsOf } from "./lifecycle/engine.ts";
import { dropUnsaved, flush } from "./lifecycle/flush.ts";
import { createVerbs } from "./lifecycle/verbs.ts";
import { carriedOf, engineOver } from "./lifecycle/carried.ts";
import { isStraggler } from "./policy/endings.ts";
import { compareClients } from "./policy/client.ts";
import { expired, isIdle } from "./policy/expiry.ts";
import type { RequestFacts } from "./request/facts.ts";
import { carriedCookies } from "./response/carried.ts";
import { cookieMaking, decideCookie, planResponse } from "./response/decide.ts";
import type { PlannedCookie, ResponsePlan } from "./response/plan.ts";
import { EMPTY_DATA } from "./session/data.ts";
import type { Facts } from "./session/payload.ts";
import { Exchange, type LockReason, type Verbs } from "./session/state.ts";
import type { Session } from "./session/types.ts";
import {
  type Ending,
  isTombstone,
  type RecordKey,
  type StoredRecord,
  type Tombstone,
} from "./store/contract.ts";
import { revokePresent } from "./lifecycle/revoke.ts";
import { isAway } from "./store/guard.ts";
import { openCookies } from "./token/cookie-value.ts";
import { digestToken } from "./token/token.ts";

/** One request on its way. `session` changes identity only in `regenerate()`: read it each time. */
export interface RequestContext {
  readonly session: Session;
}

/** What an adapter drives. */
export interface Pipeline {
  /** Cookie → token → record → policy → session. Rejects with SOJOURN_STORE_… when the store fails. */
  begin(facts: RequestFacts): Promise<RequestContext>;
  /**
   * Writes what the request changed and plans the response. Call it before the headers leave; a
   * rejection must become an error answer. May be called again (streams, hijacked replies) with
   * `headersSent: true`: data is still written, a cookie that cannot be sent becomes an event.
   */
  commit(context: RequestContext, sent?: { readonly headersSent: boolean }): Promise<ResponsePlan>;
}

/** Builds the pipeline of one manager. */
export function createPipeline(engine: Engine, verbs: Verbs): Pipeline {
  return {
    begin: (facts) => begin(engine, verbs, facts),
    async commit(context, sent = { headersSent: false }) {
      if (!(context instanceof Exchange)) throw misuse();
      const own = engineOver(engine, context.carried);
      return context.inTurn(() => commit(own, context, sent.headersSent));
    },
  };
}

async function begin(
  shared: Engine,
  sharedVerbs: Verbs,
  facts: RequestFacts,
): Promise<RequestContext> {
  const { signing, cookies, deviceSigning } = shared.settings;
  const spec = specFor(cookies, facts.secure);
  const { name } = spec;
  const presented = openCookies(signing, name, readCookie(facts.cookieHeader, name));
  const token = presented.status === "token" ? presented.token : null;
  const carried = carriedOf(shared, { spec, token, cookieHeader: facts.cookieHeader });
  const engine = engineOver(shared, carried);
  const verbs = carried === null ? sharedVerbs : createVerbs(engine);
  const exchange = new Exchange({
    secure: facts.secure,
    client: () => facts.client(),
    presented: token,
    device: deviceSigning && new Device(deviceSigning, spec, facts.cookieHeader),
    carried,
  });
  if (presented.status === "rejected") reject(engine, exchange, presented.reason);
  if (presented.status !== "token") {
    openSession(engine, exchange, verbs, EMPTY_DATA);
    return exchange;
  }
  if (presented.amongOthers) reject(engine, exchange, "duplicate");
  const key = digestToken(presented.token);
  const found = await read(engine, key);
  if (isSojournError(found)) {
    beginDetached(engine, verbs, exchange, found);
    return exchange;
  }
  exchange.resendCookie = presented.resign;
  if (found === null) beginUnknown(engine, verbs, exchange);
  else if (isTombstone(found)) beginEnded(engine, verbs, exchange, found);
  else await beginFound(engine, verbs, exchange, { key, found });
  return exchange;
}

function reject({ events }: Engine, exchange: Exchange, reason: CookieRejection): void {
  events.emit("cookie-rejected", { reason, client: exchange.sender });
}

/** What is at the key; with `onStoreError: 'anonymous'` the error of a store that is away. */
async function read(
  engine: Engine,
  key: RecordKey,
): Promise<StoredRecord | Tombstone | null | SojournError> {
  const { kind, onStoreError } = engine.settings;
  try {
    return await engine.store.call("read", (store) => store.read({ kind, key }));
  } catch (error) {
    if (onStoreError === "anonymous" && isAway(error)) return error;
    throw error;
  }
}

/** The cookie stays as it is: it may be good, and nobody can tell. */
function beginDetached(
  engine: Engine,
  verbs: Verbs,
  exchange: Exchange,
  outage: SojournError,
): void {
  openSession(engine, exchange, verbs, EMPTY_DATA).detach(outage);
  engine.events.emit("degraded", { standing: "anonymous", handle: null, principal: null });
}

/** Why the session shows nothing to this request, or null. */
function lockOf(
  engine: Engine,
  exchange: Exchange,
  found: StoredRecord,
  facts: Facts,
): LockReason | null {
  if (isIdle(timeoutsOf(engine, facts), found.seenAt, engine.settings.clock.now())) return "idle";
  return engine.settings.binding === "step-up" && isOtherClient(engine, exchange, found, facts)
    ? "client"
    : null;
}

/** Whether the client is another than the one that the session belongs to; tells of it. */
function isOtherClient(
  { settings: { binding }, events }: Engine,
  exchange: Exchange,
  found: StoredRecord,
  facts: Facts,
): boolean {
  if (binding === "ignore" || found.owner === null) return false;
  const { matches, reasons } = compareClients(facts, exchange.client());
  if (matches) return false;
  const who = { handle: found.handle, principal: principalOf(found) };
  events.emit("client-changed", { ...who, reasons, action: binding, client: exchange.sender });
  return true;
}

function beginUnknown(engine: Engine, verbs: Verbs, exchange: Exchange): void {
  reject(engine, exchange, "unknown");
  openSession(engine, exchange, verbs, EMPTY_DATA);
  exchange.discardToken();
}

function beginEnded(engine: Engine, verbs: Verbs, exchange: Exchange, tombstone: Tombstone): void {
  const { clock, graceMs } = engine.settings;
  const { handle, ending } = tombstone;
  const state = openSession(engine, exchange, verbs, EMPTY_DATA);
  state.tell(tombstone);
  exchange.resendCookie = false;
  if (isStraggler(ending, clock.now(), graceMs)) return state.end(tombstone);
  exchange.discardToken();
  const event = { handle, principal: principalOf(tombstone), ending, client: exchange.sender };
  if (ending.why === "idle" || ending.why === "absolute") engine.events.emit("expired", event);
  if (ending.why === "rotated") engine.events.emit("token-reused", event);
}

async function beginFound(
  engine: Engine,
  verbs: Verbs,
  exchange: Exchange,
  { key, found }: { key: RecordKey; found: StoredRecord },
): Promise<void> {
  const why = expired(found, engine.settings.clock.now());
  if (why !== null) {
    const ending: Ending = { why, at: found.expiresAt, seenAt: found.seenAt };
    return beginEnded(engine, verbs, exchange, { ...found, ending });
  }
  const decoded = engine.codec.tryDecode(found);
  if (decoded === null) return beginUnreadable(engine, verbs, exchange);
  const { facts, dataText, stale } = decoded;
  if (engine.settings.binding === "revoke" && isOtherClient(engine, exchange, found, facts)) {
    const stolen = { record: found, reason: "another client" };
    return beginEnded(engine, verbs, exchange, await revokePresent(engine, exchange, stolen));
  }
  if (engine.settings.binding === "report") isOtherClient(engine, exchange, found, facts);
  const lock = lockOf(engine, exchange, found, facts);
  if (lock !== null) {
    const state = openSession(engine, exchange, verbs, EMPTY_DATA);
    return state.lockUp({ ...found, key }, { why: lock, facts, dataText });
  }
  const state = openSession(engine, exchange, verbs, dataText);
  state.payloadStale = stale;
  state.graced = found.key !== key;
  if (state.graced) exchange.resendCookie = false;
  state.live({ ...found, key }, facts);
  const standing = engine.local?.standing(found) ?? null;
  state.stale = standing === "stale";
  const who = { handle: found.handle, principal: principalOf(found) };
  engine.events.emit("loaded", who);
  if (standing !== null) engine.events.emit("degraded", { standing, ...who });
}

/** No key opens it; perhaps a newer one is rolling out, so the cookie stays as it is. */
function beginUnreadable(engine: Engine, verbs: Verbs, exchange: Exchange): void {
  exchange.resendCookie = false;
  openSession(engine, exchange, verbs, EMPTY_DATA);
  reject(engine, exchange, "unknown-key");
}

async function commit(
  engine: Engine,
  exchange: Exchange,
  headersSent: boolean,
): Promise<ResponsePlan> {
  try {
    await flush(engine, exchange.state);
  } catch (error) {
    // The event says what was dropped; the answer of a session that ended meanwhile is no error.
    if (!isSessionEnded(error) && !dropUnsaved(engine, exchange.state, error)) throw error;
  }
  const making = cookieMaking(engine.settings, exchange.secure);
  const carried = carriedCookies(exchange, making);
  const [sealed] = carried;
  const cookie = decideCookie(exchange, making);
  const device = exchange.device?.take() ?? null;
  return planResponse(exchange, {
    cookie: cookie && sendable(engine, exchange, { cookie, headersSent }),
    device: device && sendable(engine, exchange, { cookie: device, headersSent }),
    carried: sealed && sendable(engine, exchange, { cookie: sealed, headersSent }) ? carried : [],
  });
}

function sendable(
  engine: Engine,
  exchange: Exchange,
  { cookie, headersSent }: { cookie: PlannedCookie; headersSent: boolean },
): PlannedCookie | null {
  const isInsecure = cookie.attributes.secure && !exchange.secure;
  if (!headersSent && !isInsecure) return cookie;
  const reason = headersSent ? "headers-sent" : "insecure-request";
  engine.events.emit("cookie-unsent", { reason, handle: exchange.session.handle });
  if (isInsecure) engine.settings.warnOnce("insecure-request", INSECURE);
  return null;
}

const INSECURE =
  "a session cookie could not be set because the request did not come over https. Behind a TLS proxy let the framework trust it (express: app.set('trust proxy', 1); fastify: trustProxy: true); for plain http in development set cookie.secure to 'auto'";

function misuse(): SojournError {
  return new SojournError(
    "SOJOURN_ADAPTER_MISUSE",
    "commit() was given a context that begin() did not make",
  );
}
