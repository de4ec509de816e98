/** A request that has arrived, and what session it gets: by what it brought, and by what the store has of that. */
import { Device } from "../cookie/device.ts";
import { specFor } from "../cookie/spec.ts";
import type { CookieRejection } from "../events.ts";
import { compareClients } from "../policy/client.ts";
import { isStraggler } from "../policy/endings.ts";
import { expired, isIdle } from "../policy/expiry.ts";
import { principalOf } from "../policy/principal.ts";
import type { RequestFacts } from "../request/facts.ts";
import { EMPTY_DATA } from "../session/data.ts";
import type { Decoded, Facts } from "../session/payload.ts";
import { Exchange, type LockReason, type SessionState, type Verbs } from "../session/state.ts";
import {
  type Ending,
  type Found,
  isTombstone,
  type RecordKey,
  type StoredRecord,
  type Tombstone,
} from "../store/contract.ts";
import { isAway } from "../store/guard.ts";
import type { Reader } from "../store/reader.ts";
import type { PresentedToken } from "../token/cookie-value.ts";
import { digestToken, type Token } from "../token/token.ts";
import { carriedOf, engineOver } from "./carried.ts";
import { type Engine, openSession, timeoutsOf } from "./engine.ts";
import { isTouchDue } from "./flush.ts";
import { revokePresent } from "./revoke.ts";
import { createVerbs } from "./verbs.ts";

/** What requests are served with. */
export interface Served {
  readonly engine: Engine;
  readonly verbs: Verbs;
}

/** The token of a request, and where the store has its record. */
interface Brought {
  readonly token: Token;
  readonly key: RecordKey;
}

/** What every arrival has; by itself, one that brings nothing that leads to a session. */
export class Arrival {
  protected readonly engine: Engine;
  protected readonly exchange: Exchange;
  readonly #verbs: Verbs;

  constructor(served: Served, facts: RequestFacts, secure: boolean, brought: Brought | null) {
    const { engine: shared, verbs } = served;
    const { cookies, deviceSigning } = shared.settings;
    const { cookieHeader } = facts;
    const { token, key } = brought ?? NOTHING;
    const spec = specFor(cookies, secure);
    const carried = carriedOf(shared, { spec, key, cookieHeader });
    const device = deviceSigning && new Device(deviceSigning, spec, cookieHeader);
    this.engine = engineOver(shared, carried);
    this.exchange = new Exchange({ facts, secure, presented: token, device, carried });
    this.#verbs = carried === null ? verbs : createVerbs(this.engine);
  }

  /** With a session that nobody had before. */
  begin(): Exchange {
    this.open(EMPTY_DATA);
    return this.begun();
  }

  /** As {@link begin}, and tells why what came as a token is none. */
  beginRejected(reason: CookieRejection): Exchange {
    this.reject(reason);
    return this.begin();
  }

  protected reject(reason: CookieRejection): void {
    this.engine.events.emit("cookie-rejected", { reason, client: this.exchange.sender });
  }

  protected open(text: string): SessionState {
    return openSession(this.engine, this.exchange, this.#verbs, text);
  }

  /** Of some requests there is something to commit, whatever their handler does. */
  protected begun(): Exchange {
    const { engine, exchange } = this;
    const { principal, privileges } = engine.settings;
    if (principal || privileges || exchange.hasNews || isTouchDue(engine, exchange.state))
      exchange.noteWork();
    return exchange;
  }
}

const NOTHING = { token: null, key: null };

/** A request that brings a token. Its session is what the store has of that. */
export class TokenArrival extends Arrival implements Reader<Found, Exchange> {
  readonly #key: RecordKey;

  constructor(served: Served, facts: RequestFacts, secure: boolean, presented: PresentedToken) {
    const { token, resign, amongOthers } = presented;
    const key = digestToken(token);
    super(served, facts, secure, { token, key });
    this.#key = key;
    this.exchange.resendCookie = resign;
    if (amongOthers) this.reject("duplicate");
  }

  /** Rejects with SOJOURN_STORE_… */
  find(): Exchange | Promise<Exchange> {
    const { settings, store } = this.engine;
    const ref = { kind: settings.kind, key: this.#key };
    if (settings.onStoreError !== "anonymous") return store.readFor(this, ref);
    const found = store.read(ref);
    if (!(found instanceof Promise)) return this.answered(found);
    return found.then(
      (read) => this.answered(read),
      (error: unknown) => this.#detached(error),
    );
  }

  answered(found: Found): Exchange | Promise<Exchange> {
    if (found === null) return this.#unknown();
    if (isTombstone(found)) return this.#ended(found);
    return this.#found(found);
  }

  /**
   * With `onStoreError: 'anonymous'`, when the store is away. The cookie stays as it is: it may be good,
   * and nobody can tell.
   */
  #detached(error: unknown): Exchange {
    if (!isAway(error)) throw error;
    this.exchange.resendCookie = false;
    this.open(EMPTY_DATA).detach(error);
    this.engine.events.emit("degraded", { standing: "anonymous", handle: null, principal: null });
    return this.exchange;
  }

  #unknown(): Exchange {
    this.reject("unknown");
    this.open(EMPTY_DATA);
    this.exchange.discardToken();
    return this.begun();
  }

  #ended(tombstone: Tombstone): Exchange {
    const { exchange } = this;
    const { clock, graceMs } = this.engine.settings;
    const state = this.open(EMPTY_DATA);
    state.tell(tombstone);
    exchange.resendCookie = false;
    if (isStraggler(tombstone.ending, clock.now(), graceMs)) state.end(tombstone);
    else {
      exchange.discardToken();
      this.#tellEnded(tombstone);
    }
    return this.begun();
  }

  #tellEnded(tombstone: Tombstone): void {
    const { handle, ending } = tombstone;
    const { events } = this.engine;
    const client = this.exchange.sender;
    const event = { handle, principal: principalOf(tombstone), ending, client };
    if (ending.why === "idle" || ending.why === "absolute") events.emit("expired", event);
    if (ending.why === "rotated") events.emit("token-reused", event);
  }

  #found(found: StoredRecord): Exchange | Promise<Exchange> {
    const { settings, codec } = this.engine;
    const why = expired(found, settings.clock.now());
    if (why !== null) {
      const ending: Ending = { why, at: found.expiresAt, seenAt: found.seenAt };
      return this.#ended({ ...found, ending });
    }
    const decoded = codec.tryDecode(found);
    if (decoded === null) return this.#unreadable();
    const { binding } = settings;
    if (binding === "revoke" && this.#isOtherClient(found, decoded.facts))
      return this.#stolen(found);
    if (binding === "report") this.#isOtherClient(found, decoded.facts);
    this.#enter(found, decoded);
    return this.begun();
  }

  #enter(found: StoredRecord, { facts, dataText, stale }: Decoded): void {
    const isGraced = found.key !== this.#key;
    const record = isGraced ? { ...found, key: this.#key } : found;
    const why = this.#lockOf(found, facts);
    if (why !== null) return this.open(EMPTY_DATA).lockUp(record, { why, facts, dataText });
    const state = this.open(dataText);
    state.payloadStale = stale;
    state.graced = isGraced;
    if (isGraced) this.exchange.resendCookie = false;
    state.live(record, facts);
    this.#tellLoaded(state, found);
  }

  #tellLoaded(state: SessionState, found: StoredRecord): void {
    const { local, events } = this.engine;
    const standing = local?.standing(found) ?? null;
    state.stale = standing === "stale";
    if (standing === null && !events.wants("loaded")) return;
    const who = { handle: found.handle, principal: principalOf(found) };
    events.emit("loaded", who);
    if (standing !== null) events.emit("degraded", { standing, ...who });
  }

  /** Of another client than the one that it belongs to. */
  async #stolen(record: StoredRecord): Promise<Exchange> {
    const how = { record, reason: "another client" };
    return this.#ended(await revokePresent(this.engine, this.exchange, how));
  }

  /** No key opens it; perhaps a newer one is rolling out, so the cookie stays as it is. */
  #unreadable(): Exchange {
    this.exchange.resendCookie = false;
    this.open(EMPTY_DATA);
    this.reject("unknown-key");
    return this.begun();
  }

  /** Why the session shows nothing to this request, or null. */
  #lockOf(found: StoredRecord, facts: Facts): LockReason | null {
    const { binding, clock, onIdle } = this.engine.settings;
    if (onIdle === "lock" && isIdle(timeoutsOf(this.engine, facts), found.seenAt, clock.now()))
      return "idle";
    return binding === "step-up" && this.#isOtherClient(found, facts) ? "client" : null;
  }

  /** Whether the client is another than the one that the session belongs to; tells of it. */
  #isOtherClient(found: StoredRecord, facts: Facts): boolean {
    const { settings, events } = this.engine;
    if (settings.binding === "ignore" || found.owner === null) return false;
    const { matches, reasons } = compareClients(facts, this.exchange.client());
    if (matches) return false;
    const who = { handle: found.handle, principal: principalOf(found) };
    const client = this.exchange.sender;
    events.emit("client-changed", { ...who, reasons, action: settings.binding, client });
    return true;
  }
}
