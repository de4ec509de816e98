/** The mutable side of one request: its session, and what its response will have to say. */
import type { UnixMs } from "../clock.ts";
import type { Carried } from "../cookie/carried.ts";
import type { Device } from "../cookie/device.ts";
import type { CsrfFacts, CsrfPolicy, CsrfRejection } from "../csrf/policy.ts";
import type { SojournError } from "../errors.ts";
import type { Degraded } from "../events.ts";
import type { ClientFacts, RequestFacts } from "../request/facts.ts";
import type { Duration } from "../options/duration.ts";
import type { Freshness } from "../policy/freshness.ts";
import { principalOf } from "../policy/principal.ts";
import type { StoredRecord, Tombstone } from "../store/contract.ts";
import type { Token } from "../token/token.ts";
import { EMPTY_DATA, type TrackedData } from "./data.ts";
import { ANONYMOUS, type Facts } from "./payload.ts";
import type {
  ElevateOptions,
  EndedSession,
  LoginOptions,
  ReauthenticateOptions,
  Session,
} from "./types.ts";

/** One use of one action. */
export interface Approval {
  readonly action: string;
  readonly params: unknown;
  readonly within: Duration | undefined;
}

/** What the methods of a session do; the lifecycle implements it. */
export interface Verbs {
  login(state: SessionState, principal: string | number, options: LoginOptions): Promise<void>;
  elevate(state: SessionState, options: ElevateOptions): Promise<void>;
  reauthenticate(state: SessionState, options: ReauthenticateOptions): Promise<void>;
  requireFresh(state: SessionState, asked: Freshness): void;
  approve(state: SessionState, asked: Approval): Promise<void>;
  useApproval(state: SessionState, asked: Omit<Approval, "within">): Promise<boolean>;
  verifyAuthVersion(state: SessionState, version: string): Promise<boolean>;
  rotate(state: SessionState): Promise<void>;
  logout(state: SessionState): Promise<void>;
  regenerate(state: SessionState): Promise<void>;
  save(state: SessionState): Promise<void>;
  reload(state: SessionState): Promise<void>;
  update(state: SessionState, change: (data: Record<string, unknown>) => void): Promise<void>;
  revokeOthers(state: SessionState, reason: string | undefined): Promise<number>;
  degraded(state: SessionState): Degraded | null;
  csrfToken(state: SessionState): string;
  checkCsrf(state: SessionState, facts: CsrfFacts, policy: CsrfPolicy): CsrfRejection | null;
}

/**
 * `fresh`: the store has nothing of it; `alive`: loaded or created; `ended`: it ended while this
 * request had it, or this request came too late: nothing of it is written any more; `detached`: the
 * store was away when the request came: nothing of it is known, and nothing is written; `locked`: it
 * lives, but shows and takes nothing until the user has proved again who they are.
 */
export type Phase = "fresh" | "alive" | "ended" | "detached" | "locked";

/** Why a session is locked: it was not used for too long, or another client came with it. */
export type LockReason = "idle" | "client";

/** What a locked session holds back. */
interface Lock {
  readonly why: LockReason;
  readonly facts: Facts;
  readonly dataText: string;
}

/** What an exchange begins with. */
export interface ExchangeParts {
  readonly facts: Pick<RequestFacts, "client" | "hasWork">;
  readonly secure: boolean;
  /** The token that the browser brought. */
  readonly presented: Token | null;
  /** Null without the option `deviceCookie`. */
  readonly device: Device | null;
  /** Null where records do not travel with the browser. */
  readonly carried: Carried | null;
}

/** One request: what it brought and what must be answered. */
export class Exchange {
  readonly secure: boolean;
  readonly device: Device | null;
  readonly carried: Carried | null;
  readonly #facts: ExchangeParts["facts"];
  #session: Session | null = null;
  #state: SessionState | null = null;
  /** Session data or facts were looked at: caches must know. */
  accessed = false;
  /** The browser holds a cookie of a session that is no more. */
  clearCookie = false;
  /** What the header `Clear-Site-Data` will say. */
  clearSiteData: string | null = null;
  /** The presented token must be sent again: newer signature, or a later deadline. */
  resendCookie = false;
  /** The token changed in this request already. */
  rotated = false;
  #hasWork = false;
  /** The verbs under way: those of one request run one after the other. */
  #turn: Promise<unknown> | null = null;
  readonly #presented: Token | null;
  #minted: Token | null = null;

  constructor({ facts, secure, presented, device, carried }: ExchangeParts) {
    this.secure = secure;
    this.device = device;
    this.carried = carried;
    this.#facts = facts;
    this.#presented = presented;
  }

  /** The client that sent the request. */
  client(): ClientFacts {
    const device = this.device?.digest;
    return device === undefined ? this.#facts.client() : { ...this.#facts.client(), device };
  }

  /** As events tell of it: without the device. */
  get sender(): ClientFacts {
    const { ip, userAgent } = this.#facts.client();
    return { ip, userAgent };
  }

  /** The client that a session is about to belong to; its browser gets a device cookie, if it is to have one. */
  newClient(): ClientFacts {
    this.device?.introduce();
    return this.client();
  }

  /** The session of this request; another one after `regenerate()`. */
  get session(): Session {
    if (!this.#session) throw new Error("the exchange was not opened");
    return this.#session;
  }

  get state(): SessionState {
    if (!this.#state) throw new Error("the exchange was not opened");
    return this.#state;
  }

  open(state: SessionState, session: Session): void {
    this.#state = state;
    this.#session = session;
  }

  /** From now on there is, or may be, something to commit. */
  noteWork(): void {
    if (this.#hasWork) return;
    this.#hasWork = true;
    this.#facts.hasWork?.();
  }

  /** Runs `verb` when the verbs before it are done. */
  inTurn<T>(verb: () => T | Promise<T>): Promise<T> {
    this.noteWork();
    const done = (this.#turn ?? Promise.resolve()).then(verb);
    this.#wait(done);
    return done;
  }

  /** True while a verb is under way. */
  get isBusy(): boolean {
    return this.#turn !== null;
  }

  /** What a verb answers that began while no other was under way; those that come meanwhile wait for it. */
  keepTurn<T>(answer: T | Promise<T>): T | Promise<T> {
    if (answer instanceof Promise) this.#wait(answer);
    return answer;
  }

  #wait(verb: Promise<unknown>): void {
    const over = (): void => {
      if (this.#turn === turn) this.#turn = null;
    };
    const turn = verb.then(over, over);
    this.#turn = turn;
  }

  /** Whether the response may have anything to tell the browser but what caches are told. */
  get hasNews(): boolean {
    return (
      this.#minted !== null ||
      this.resendCookie ||
      this.clearCookie ||
      this.clearSiteData !== null ||
      this.carried !== null ||
      this.device !== null
    );
  }

  /** Takes a new token, to be sent with the response. */
  mint(token: Token): void {
    this.#minted = token;
    this.rotated = true;
    this.clearCookie = false;
    this.resendCookie = false;
  }

  /** Forgets the token: the session it belonged to has ended. */
  discardToken(): void {
    this.#minted = null;
    this.resendCookie = false;
    this.clearCookie = this.#presented !== null;
  }

  /** After a logout: what the browser is told to clear, once. */
  takeClearSiteData(): string | null {
    const value = this.clearSiteData;
    this.clearSiteData = null;
    return value;
  }

  /** The token to put into the cookie, once. */
  takeToken(): Token | null {
    const token = this.#minted ?? (this.resendCookie ? this.#presented : null);
    this.#minted = null;
    this.resendCookie = false;
    return token;
  }
}

/** One session within a request. */
export class SessionState {
  readonly exchange: Exchange;
  readonly verbs: Verbs;
  readonly data: TrackedData;
  phase: Phase = "fresh";
  record: StoredRecord | null = null;
  facts: Facts = ANONYMOUS;
  /** Why the session that the browser came with is no more. */
  ending: EndedSession | null = null;
  touchWanted = false;
  /** The payload is to be written anew with the next touch: an older key encrypted it, or none. */
  payloadStale = false;
  #reserved: Token | null = null;
  /** The record is reached through an old key in its grace time. */
  graced = false;
  /** The record was read earlier; the store could not be asked now. */
  stale = false;
  /** Why the store could not be asked, where the session is detached. */
  outage: SojournError | null = null;
  #lock: Lock | null = null;

  constructor(exchange: Exchange, verbs: Verbs, data: TrackedData) {
    this.exchange = exchange;
    this.verbs = verbs;
    this.data = data;
  }

  /** The token that a session without a record will get, where something was bound to it already. */
  get reserved(): Token | null {
    return this.#reserved;
  }

  set reserved(token: Token | null) {
    this.#reserved = token;
    if (token !== null) this.exchange.noteWork();
  }

  /** The next commit is to count as a use, also before a touch is due. */
  wantTouch(): void {
    this.touchWanted = true;
    this.exchange.noteWork();
  }

  /** The session is this record now. */
  live(record: StoredRecord, facts: Facts): void {
    this.phase = "alive";
    this.record = record;
    this.facts = facts;
    this.stale = false;
  }

  /** Nothing is known of the session that the browser came with, because of an outage. */
  detach(outage: SojournError): void {
    this.phase = "detached";
    this.outage = outage;
  }

  /** The session is this record, which shows nothing until it is unlocked. */
  lockUp(record: StoredRecord, lock: Lock): void {
    this.phase = "locked";
    this.record = record;
    this.facts = ANONYMOUS;
    this.#lock = lock;
    this.data.load(EMPTY_DATA);
  }

  /** Why the session is locked, or null. */
  get lock(): LockReason | null {
    return this.phase === "locked" ? (this.#lock?.why ?? null) : null;
  }

  /** The facts, also while they are held back. */
  get heldFacts(): Facts {
    return this.lock === null ? this.facts : (this.#lock?.facts ?? this.facts);
  }

  /** Shows what was held back; returns the function that locks it up again. */
  unlock(): () => void {
    const [record, lock] = [this.record, this.#lock];
    if (this.phase !== "locked" || !record || !lock) return () => {};
    this.live(record, lock.facts);
    this.data.load(lock.dataText);
    return () => this.lockUp(record, lock);
  }

  /** Takes note of why the session that the browser came with is no more. */
  tell({ ending, owner }: Pick<Tombstone, "ending" | "owner">): void {
    this.ending = { ...ending, principal: principalOf({ owner }) };
  }

  /** The session ended while the request had it. */
  end(tombstone: Tombstone | null): void {
    this.phase = "ended";
    if (tombstone) this.tell(tombstone);
  }

  /** Back to a session that the store knows nothing of. */
  reset(): void {
    this.phase = "fresh";
    this.record = null;
    this.reserved = null;
    this.facts = ANONYMOUS;
    this.graced = false;
    this.stale = false;
    this.touchWanted = false;
  }

  touched(seenAt: UnixMs, expiresAt: UnixMs): void {
    if (this.record) this.record = { ...this.record, seenAt, expiresAt };
    this.touchWanted = false;
  }
}
