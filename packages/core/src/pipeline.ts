/** The way of a request, in two steps: `begin` before the handler, `commit` before the response. */
import { readCookie } from "./cookie/read.ts";
import { Device } from "./cookie/device.ts";
import { type CookieSpecs, specFor } from "./cookie/spec.ts";
import { SojournError } from "./errors.ts";
import type { CookieRejection } from "./events.ts";
import { principalOf } from "./policy/principal.ts";
import { type Engine, isSessionEnded, openSession, timeoutsOf } from "./lifecycle/engine.ts";
import { dropUnsaved, flush, isTouchDue } from "./lifecycle/flush.ts";
import { createVerbs } from "./lifecycle/verbs.ts";
import { carriedOf, engineOver } from "./lifecycle/carried.ts";
import { isStraggler } from "./policy/endings.ts";
import { compareClients } from "./policy/client.ts";
import { expired, isIdle } from "./policy/expiry.ts";
import type { RequestFacts } from "./request/facts.ts";
import { carriedCookies } from "./response/carried.ts";
import { cookieMaking, decideCookie, plainPlan, planResponse } from "./response/decide.ts";
import type { PlannedCookie, ResponsePlan } from "./response/plan.ts";
import { EMPTY_DATA } from "./session/data.ts";
import type { Facts } from "./session/payload.ts";
import { Exchange, type LockReason, type SessionState, type Verbs } from "./session/state.ts";
import type { Session } from "./session/types.ts";
import {
  type Ending,
  type Found,
  isTombstone,
  type RecordKey,
  type StoredRecord,
  type Tombstone,
} from "./store/contract.ts";
import { revokePresent } from "./lifecycle/revoke.ts";
import { isAway } from "./store/guard.ts";
import { openCookies } from "./token/cookie-value.ts";
import { digestToken, type Token } from "./token/token.ts";

/** One request on its way. `session` changes identity only in `regenerate()`: read it each time. */
export interface RequestContext {
  readonly session: Session;
}

/** What an adapter drives. Both steps answer at once where there is nothing to wait for, and never throw. */
export interface Pipeline {
  /**
   * Whether a `Cookie` header may bring a session, or what is left of one. A request without is a visitor's: it is begun
   * when its session is asked for, which most often nobody does.
   */
  mayBring(cookieHeader: string | undefined): boolean;
  /** As `begin`, for a request that {@link mayBring} nothing. */
  beginVisitor(facts: RequestFacts): RequestContext;
  /** Cookie → token → record → policy → session. Rejects with SOJOURN_STORE_… when the store fails. */
  begin(facts: RequestFacts): RequestContext | Promise<RequestContext>;
  /**
   * Writes what the request changed and plans the response. Call it before the headers leave; a
   * rejection must become an error answer. May be called again (streams, hijacked replies) with
   * `headersSent: true`: data is still written, a cookie that cannot be sent becomes an event.
   */
  commit(
    context: RequestContext,
    sent?: { readonly headersSent: boolean },
  ): ResponsePlan | Promise<ResponsePlan>;
}

/** Builds the pipeline of one manager. */
export function createPipeline(engine: Engine, verbs: Verbs): Pipeline {
  const names = namesOf(engine.settings.cookies);
  return {
    mayBring: (header) => header !== undefined && names.some((name) => header.includes(name)),
    beginVisitor: (facts) => beginVisitor(engine, verbs, facts),
    begin(facts) {
      try {
        return begin(engine, verbs, facts);
      } catch (error) {
        return Promise.reject(error);
      }
    },
    commit(context, { headersSent } = NOT_SENT) {
      if (!(context instanceof Exchange)) return Promise.reject(misuse());
      const own = engineOver(engine, context.carried);
      try {
        return context.atOnce(() => commit(own, context, headersSent));
      } catch (error) {
        return Promise.reject(error);
      }
    },
  };
}

const NOT_SENT = { headersSent: false };

function namesOf({ secure, plain }: CookieSpecs): string[] {
  return plain === null ? [secure.name] : [secure.name, plain.name];
}

function begin(
  shared: Engine,
  sharedVerbs: Verbs,
  facts: RequestFacts,
): RequestContext | Promise<RequestContext> {
  const { signing, cookies } = shared.settings;
  const { secure } = facts;
  const { name } = specFor(cookies, secure);
  const presented = openCookies(signing, name, readCookie(facts.cookieHeader, name));
  if (presented.status === "none") return beginVisitor(shared, sharedVerbs, facts, secure);
  const token = presented.status === "token" ? presented.token : null;
  const key = token && digestToken(token);
  const { engine, verbs, exchange } = arrive(shared, sharedVerbs, facts, { secure, token, key });
  if (presented.status === "rejected" || key === null) {
    if (presented.status === "rejected") reject(engine, exchange, presented.reason);
    openSession(engine, exchange, verbs, EMPTY_DATA);
    return begun(engine, exchange);
  }
  if (presented.amongOthers) reject(engine, exchange, "duplicate");
  exchange.resendCookie = presented.resign;
  const { kind } = engine.settings;
  const found = engine.store.read({ kind, key });
  if (!(found instanceof Promise)) return beginWith(engine, verbs, exchange, { key, found });
  return found.then(
    (read) => beginWith(engine, verbs, exchange, { key, found: read }),
    (error: unknown) => beginDetached(engine, verbs, exchange, error),
  );
}

/** Of a request that brings nothing. */
function beginVisitor(
  shared: Engine,
  sharedVerbs: Verbs,
  facts: RequestFacts,
  secure: boolean = facts.secure,
): RequestContext {
  const brings = { secure, token: null, key: null };
  const { engine, verbs, exchange } = arrive(shared, sharedVerbs, facts, brings);
  openSession(engine, exchange, verbs, EMPTY_DATA);
  return begun(engine, exchange);
}

/** What is known of a request that arrives. */
interface Brings {
  readonly secure: boolean;
  readonly token: Token | null;
  readonly key: RecordKey | null;
}

/** What a request is served with. */
interface Arrival {
  readonly engine: Engine;
  readonly verbs: Verbs;
  readonly exchange: Exchange;
}

function arrive(
  shared: Engine,
  sharedVerbs: Verbs,
  facts: RequestFacts,
  { secure, token, key }: Brings,
): Arrival {
  const { cookies, deviceSigning } = shared.settings;
  const { cookieHeader } = facts;
  const spec = specFor(cookies, secure);
  const carried = carriedOf(shared, { spec, key, cookieHeader });
  const engine = engineOver(shared, carried);
  const verbs = carried === null ? sharedVerbs : createVerbs(engine);
  const device = deviceSigning && new Device(deviceSigning, spec, cookieHeader);
  const exchange = new Exchange({ facts, secure, presented: token, device, carried });
  return { engine, verbs, exchange };
}

/** With what is at the key. */
function beginWith(
  engine: Engine,
  verbs: Verbs,
  exchange: Exchange,
  { key, found }: { key: RecordKey; found: Found },
): RequestContext | Promise<RequestContext> {
  let revoked: Promise<void> | null = null;
  if (found === null) beginUnknown(engine, verbs, exchange);
  else if (isTombstone(found)) beginEnded(engine, verbs, exchange, found);
  else revoked = beginFound(engine, verbs, exchange, { key, found });
  return revoked ? revoked.then(() => begun(engine, exchange)) : begun(engine, exchange);
}

/** Of some requests there is something to commit, whatever their handler does. */
function begun(engine: Engine, exchange: Exchange): RequestContext {
  const { principal, privileges } = engine.settings;
  if (principal || privileges || exchange.hasNews || isTouchDue(engine, exchange.state))
    exchange.noteWork();
  return exchange;
}

function reject({ events }: Engine, exchange: Exchange, reason: CookieRejection): void {
  events.emit("cookie-rejected", { reason, client: exchange.sender });
}

/**
 * With `onStoreError: 'anonymous'`, when the store is away. The cookie stays as it is: it may be good,
 * and nobody can tell.
 */
function beginDetached(
  engine: Engine,
  verbs: Verbs,
  exchange: Exchange,
  error: unknown,
): RequestContext {
  if (engine.settings.onStoreError !== "anonymous" || !isAway(error)) throw error;
  exchange.resendCookie = false;
  openSession(engine, exchange, verbs, EMPTY_DATA).detach(error);
  engine.events.emit("degraded", { standing: "anonymous", handle: null, principal: null });
  return exchange;
}

/** Why the session shows nothing to this request, or null. */
function lockOf(
  engine: Engine,
  exchange: Exchange,
  found: StoredRecord,
  facts: Facts,
): LockReason | null {
  const { binding, clock, onIdle } = engine.settings;
  if (onIdle === "lock" && isIdle(timeoutsOf(engine, facts), found.seenAt, clock.now()))
    return "idle";
  return binding === "step-up" && isOtherClient(engine, exchange, found, facts) ? "client" : null;
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

/** Null: begun at once; a promise where the session has to be ended first. */
function beginFound(
  engine: Engine,
  verbs: Verbs,
  exchange: Exchange,
  { key, found }: { key: RecordKey; found: StoredRecord },
): Promise<void> | null {
  const why = expired(found, engine.settings.clock.now());
  if (why !== null) {
    const ending: Ending = { why, at: found.expiresAt, seenAt: found.seenAt };
    beginEnded(engine, verbs, exchange, { ...found, ending });
    return null;
  }
  const decoded = engine.codec.tryDecode(found);
  if (decoded === null) {
    beginUnreadable(engine, verbs, exchange);
    return null;
  }
  const { facts, dataText } = decoded;
  const { binding } = engine.settings;
  if (binding === "revoke" && isOtherClient(engine, exchange, found, facts))
    return beginStolen(engine, verbs, exchange, found);
  if (binding === "report") isOtherClient(engine, exchange, found, facts);
  const isGraced = found.key !== key;
  const record = isGraced ? { ...found, key } : found;
  const lock = lockOf(engine, exchange, found, facts);
  if (lock !== null) {
    const state = openSession(engine, exchange, verbs, EMPTY_DATA);
    state.lockUp(record, { why: lock, facts, dataText });
    return null;
  }
  const state = openSession(engine, exchange, verbs, dataText);
  state.payloadStale = decoded.stale;
  state.graced = isGraced;
  if (isGraced) exchange.resendCookie = false;
  state.live(record, facts);
  tellLoaded(engine, state, found);
  return null;
}

/** Of another client than the one that it belongs to. */
async function beginStolen(
  engine: Engine,
  verbs: Verbs,
  exchange: Exchange,
  record: StoredRecord,
): Promise<void> {
  const tombstone = await revokePresent(engine, exchange, { record, reason: "another client" });
  beginEnded(engine, verbs, exchange, tombstone);
}

function tellLoaded({ local, events }: Engine, state: SessionState, found: StoredRecord): void {
  const standing = local?.standing(found) ?? null;
  state.stale = standing === "stale";
  if (standing === null && !events.wants("loaded")) return;
  const who = { handle: found.handle, principal: principalOf(found) };
  events.emit("loaded", who);
  if (standing !== null) events.emit("degraded", { standing, ...who });
}

/** No key opens it; perhaps a newer one is rolling out, so the cookie stays as it is. */
function beginUnreadable(engine: Engine, verbs: Verbs, exchange: Exchange): void {
  exchange.resendCookie = false;
  openSession(engine, exchange, verbs, EMPTY_DATA);
  reject(engine, exchange, "unknown-key");
}

function commit(
  engine: Engine,
  exchange: Exchange,
  headersSent: boolean,
): ResponsePlan | Promise<ResponsePlan> {
  let written: Promise<void> | null = null;
  try {
    written = flush(engine, exchange.state);
  } catch (error) {
    forgive(engine, exchange, error);
  }
  if (written === null) return plan(engine, exchange, headersSent);
  return written.then(
    () => plan(engine, exchange, headersSent),
    (error: unknown) => {
      forgive(engine, exchange, error);
      return plan(engine, exchange, headersSent);
    },
  );
}

/**
 * The event says what was dropped; the answer of a session that ended meanwhile is no error.
 * @throws what was given, where it is one
 */
function forgive(engine: Engine, { state }: Exchange, error: unknown): void {
  if (!isSessionEnded(error) && !dropUnsaved(engine, state, error)) throw error;
}

function plan(engine: Engine, exchange: Exchange, headersSent: boolean): ResponsePlan {
  const plain = plainPlan(exchange);
  if (plain !== null) return plain;
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
