/** `req.session` itself: data as properties, with methods and facts that no data can shadow. */
import { inspect } from "node:util";
import type { CsrfFacts, CsrfPolicy, CsrfRejection } from "../csrf/policy.ts";
import { SojournError } from "../errors.ts";
import type { Degraded } from "../events.ts";
import type { Duration } from "../options/duration.ts";
import { compareClients } from "../policy/client.ts";
import type { Freshness } from "../policy/freshness.ts";
import type { Handle } from "../store/contract.ts";
import { parseTaggedOwner } from "../token/tag.ts";
import { callbackOrPromise } from "./express-style.ts";
import type { SessionState } from "./state.ts";
import type {
  Callback,
  ClientCheck,
  ElevateOptions,
  EndedSession,
  LockedSession,
  LoginOptions,
  ReauthenticateOptions,
  Session,
} from "./types.ts";

const STATE = Symbol("sojourn.state");

/** Methods and facts; what a session has beside them is data. Reached through the proxy below. */
class SessionMembers {
  readonly [STATE]: SessionState;

  constructor(state: SessionState) {
    this[STATE] = state;
  }

  get handle(): Handle | null {
    return this[STATE].record?.handle ?? null;
  }
  get principal(): string | null {
    const { record, lock } = this[STATE];
    return record?.owner && lock === null ? parseTaggedOwner(record.owner) : null;
  }
  get createdAt(): number | null {
    return this[STATE].record?.createdAt ?? null;
  }
  get authenticatedAt(): number | null {
    return this[STATE].facts.authenticatedAt;
  }
  get expiresAt(): number | null {
    return this[STATE].record?.expiresAt ?? null;
  }
  get absoluteExpiresAt(): number | null {
    return this[STATE].record?.absoluteExpiresAt ?? null;
  }
  get isNew(): boolean {
    const { phase } = this[STATE];
    return phase === "fresh" || phase === "detached";
  }
  get ending(): EndedSession | null {
    return this[STATE].ending;
  }
  get level(): number {
    return this[STATE].facts.level;
  }
  get locked(): LockedSession | null {
    const { record, lock } = this[STATE];
    if (lock === null || !record?.owner) return null;
    return { why: lock, principal: parseTaggedOwner(record.owner) };
  }
  get degraded(): Degraded | null {
    return this[STATE].verbs.degraded(this[STATE]);
  }

  get(key: string): unknown {
    return this[STATE].data.get(key);
  }
  set(key: string, value: unknown): this {
    this[STATE].data.set(key, value);
    return this;
  }
  has(key: string): boolean {
    return this[STATE].data.has(key);
  }
  delete(key: string): boolean {
    return this[STATE].data.delete(key);
  }
  clear(): void {
    this[STATE].data.clear();
  }

  login(principal: string | number, options: LoginOptions = {}): Promise<void> {
    return this[STATE].verbs.login(this[STATE], principal, options);
  }
  elevate(options: ElevateOptions = {}): Promise<void> {
    return this[STATE].verbs.elevate(this[STATE], options);
  }
  reauthenticate(options: ReauthenticateOptions = {}): Promise<void> {
    return this[STATE].verbs.reauthenticate(this[STATE], options);
  }
  requireFresh(asked: Freshness): void {
    this[STATE].verbs.requireFresh(this[STATE], asked);
  }
  approve(action: string, params?: unknown, options: { within?: Duration } = {}): Promise<void> {
    return this[STATE].verbs.approve(this[STATE], { action, params, within: options.within });
  }
  useApproval(action: string, params?: unknown): Promise<boolean> {
    return this[STATE].verbs.useApproval(this[STATE], { action, params });
  }
  verifyAuthVersion(version: string): Promise<boolean> {
    return this[STATE].verbs.verifyAuthVersion(this[STATE], version);
  }
  logout(): Promise<void> {
    return this[STATE].verbs.logout(this[STATE]);
  }
  rotate(): Promise<void> {
    return this[STATE].verbs.rotate(this[STATE]);
  }
  save(callback?: Callback): Promise<void> {
    return callbackOrPromise(this[STATE].verbs.save(this[STATE]), callback);
  }
  reload(callback?: Callback): Promise<void> {
    return callbackOrPromise(this[STATE].verbs.reload(this[STATE]), callback);
  }
  destroy(callback?: Callback): Promise<void> {
    return callbackOrPromise(this[STATE].verbs.logout(this[STATE]), callback);
  }
  regenerate(callback?: Callback): Promise<void> {
    return callbackOrPromise(this[STATE].verbs.regenerate(this[STATE]), callback);
  }
  touch(): void {
    this[STATE].wantTouch();
  }
  update(change: (data: Record<string, unknown>) => void): Promise<void> {
    return this[STATE].verbs.update(this[STATE], change);
  }
  revokeOthers(reason?: string): Promise<number> {
    return this[STATE].verbs.revokeOthers(this[STATE], reason);
  }
  checkClient(): ClientCheck {
    const { heldFacts, exchange } = this[STATE];
    return compareClients(heldFacts, exchange.client());
  }
  csrfToken(): string {
    return this[STATE].verbs.csrfToken(this[STATE]);
  }
  checkCsrf(facts: CsrfFacts, policy: CsrfPolicy): CsrfRejection | null {
    return this[STATE].verbs.checkCsrf(this[STATE], facts, policy);
  }
  toJSON(): Record<string, unknown> {
    return this[STATE].data.copy();
  }

  [inspect.custom](): unknown {
    const { handle, principal, isNew, level } = this;
    return { Session: { handle, principal, isNew, level, data: this[STATE].data.copy() } };
  }
}

const MEMBERS: ReadonlySet<string> = new Set(
  Object.getOwnPropertyNames(SessionMembers.prototype).filter((name) => name !== "constructor"),
);

function isDataKey(key: string | symbol): key is string {
  return typeof key === "string" && !MEMBERS.has(key);
}

function dataOf(target: SessionMembers): SessionState["data"] {
  target[STATE].exchange.accessed = true;
  return target[STATE].data;
}

function refuse(key: string | symbol): never {
  throw new SojournError(
    "SOJOURN_NAME_RESERVED",
    `session.${String(key)} is a method or a fact and cannot be assigned; to keep data under that name use session.set('${String(key)}', value)`,
  );
}

const handler: ProxyHandler<SessionMembers> = {
  get(target, key) {
    if (isDataKey(key)) return dataOf(target).get(key);
    if (key !== STATE) target[STATE].exchange.accessed = true;
    return Reflect.get(target, key, target);
  },
  set(target, key, value) {
    if (!isDataKey(key)) refuse(key);
    dataOf(target).set(key, value);
    return true;
  },
  has: (target, key) => (isDataKey(key) ? dataOf(target).has(key) : key in target),
  deleteProperty(target, key) {
    if (isDataKey(key)) dataOf(target).delete(key);
    return true;
  },
  ownKeys: (target) => dataOf(target).keys(),
  getOwnPropertyDescriptor(target, key) {
    if (!isDataKey(key) || !dataOf(target).has(key)) return undefined;
    const value = target[STATE].data.get(key);
    return { value, writable: true, enumerable: true, configurable: true };
  },
  defineProperty(target, key, descriptor) {
    if (!isDataKey(key) || !("value" in descriptor)) refuse(key);
    dataOf(target).set(key, descriptor.value);
    return true;
  },
  setPrototypeOf: () => false,
  preventExtensions: () => false,
};

/** Makes the object that the application sees. */
export function createSession(state: SessionState): Session {
  const session: unknown = new Proxy(new SessionMembers(state), handler);
  return session as Session;
}
