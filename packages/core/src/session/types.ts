/** What an application sees of a session: the type of `req.session` and its parts. */
import type { UnixMs } from "../clock.ts";
import type { CsrfFacts, CsrfPolicy, CsrfRejection } from "../csrf/policy.ts";
import type { Degraded } from "../events.ts";
import type { Ending, Handle, OnLimit } from "../store/contract.ts";
import type { Freshness } from "../policy/freshness.ts";
import type { Duration } from "../options/duration.ts";

/**
 * The application's own data. Extend it by declaration merging:
 * `declare module "@sojourn/fastify" { interface SessionData { cart?: string[] } }`
 * (or `"@sojourn/express"`, or `"@sojourn/core"`).
 */
// oxlint-disable-next-line typescript/no-empty-object-type, typescript/no-empty-interface -- filled by merging
export interface SessionData {}

/** Options of {@link SessionMethods.login}. Each overrides the plugin's option for this session. */
export interface LoginOptions {
  /** At most so many sessions of this principal; 0 = unlimited. */
  readonly max?: number;
  /** What to do with one too many. */
  readonly onLimit?: OnLimit;
  /** Idle timeout of this session; null = none. */
  readonly idle?: Duration | null;
  /** Absolute timeout of this session. */
  readonly absolute?: Duration;
  /** Authentication level reached; default 1. */
  readonly level?: number;
  /** Anything that changes with the credentials, such as the password's hash; see {@link SessionMethods.verifyAuthVersion}. */
  readonly authVersion?: string;
}

/** Options of {@link SessionMethods.reauthenticate}. */
export interface ReauthenticateOptions {
  /** The new version of the credentials, after a change of password. */
  readonly authVersion?: string;
}

/** Options of {@link SessionMethods.elevate}. */
export interface ElevateOptions {
  /** The new level; default one more than the present. Never lower. */
  readonly level?: number;
}

/** Result of {@link SessionMethods.checkClient}. */
export interface ClientCheck {
  readonly matches: boolean;
  /** What differs from the client that was seen when the session began. */
  readonly reasons: readonly ("network-changed" | "user-agent-changed" | "device-changed")[];
}

/** A node-style callback. */
export type Callback = (error?: unknown) => void;

/** The methods of a session. A data key never shadows one of them. */
export interface SessionMethods {
  /** Reads a data key; also one that is named like a method. */
  get<K extends keyof SessionData>(key: K): SessionData[K] | undefined;
  get(key: string): unknown;
  /** Writes a data key; also one that is named like a method. Returns the session. */
  set<K extends keyof SessionData>(key: K, value: SessionData[K]): this;
  set(key: string, value: unknown): this;
  /** Whether the data key exists. */
  has(key: string): boolean;
  /** Removes a data key; true if it was there. */
  delete(key: string): boolean;
  /** Removes all data; the session lives on. */
  clear(): void;
  /**
   * Logs a principal in: a new token, the old one dead in the same step, limits kept, data kept.
   * @throws SOJOURN_LIMIT_REACHED with `onLimit: 'reject'`; SOJOURN_PRINCIPAL_INVALID;
   * SOJOURN_STORE_… when the store fails: then nobody is logged in.
   */
  login(principal: string | number, options?: LoginOptions): Promise<void>;
  /** Raises the level after a further factor: a new token without grace, `authenticatedAt` now. */
  elevate(options?: ElevateOptions): Promise<void>;
  /**
   * The same principal proved it again: a new token, both timeouts start anew (NIST 800-63B-4 5.2), a locked
   * session is unlocked, and this client is now the one that it belongs to.
   */
  reauthenticate(options?: ReauthenticateOptions): Promise<void>;
  /** Ends this session. The request goes on with a fresh, anonymous one. */
  logout(): Promise<void>;
  /** A new token for the same session; the old one works for the grace time. */
  rotate(): Promise<void>;
  /** Writes changes now; resolves when the store has them. @throws SOJOURN_SESSION_ENDED */
  save(callback?: Callback): Promise<void>;
  /** Throws local changes away and reads again. @throws SOJOURN_SESSION_ENDED */
  reload(callback?: Callback): Promise<void>;
  /** {@link logout} in express style. */
  destroy(callback?: Callback): Promise<void>;
  /** A new, empty, anonymous session in place of this one (express style; passport calls it). */
  regenerate(callback?: Callback): Promise<void>;
  /** Slides the idle timeout at the end of this request, whatever the touch throttle says. */
  touch(): void;
  /**
   * Exact read-modify-write: `change` gets the newest data and is called again after a conflict.
   * It must be synchronous. Resolves when written. @throws SOJOURN_SESSION_ENDED
   */
  update(change: (data: SessionData & Record<string, unknown>) => void): Promise<void>;
  /** Ends every other session of this principal; resolves to how many. */
  revokeOthers(reason?: string): Promise<number>;
  /**
   * Goes on only if somebody proved who they are within a time, or at a level (ASVS 7.5.1).
   * @throws SOJOURN_NOT_LOGGED_IN; SOJOURN_REAUTHENTICATION_REQUIRED, 401, whose `details.reason` is `stale` or `level`
   */
  requireFresh(asked: Freshness): void;
  /**
   * After a second check: allows one use of `action` with exactly these parameters (ASVS 7.5.3), for two minutes unless
   * `within` says otherwise.
   */
  approve(
    action: string,
    params?: unknown,
    options?: { readonly within?: Duration },
  ): Promise<void>;
  /**
   * Uses an approval up; true once, false for any other action, parameters or session.
   * @throws SOJOURN_SESSION_ENDED when this session ended while the request was open
   */
  useApproval(action: string, params?: unknown): Promise<boolean>;
  /**
   * False, and the session is ended, if the credentials changed since its login: call it where the user was looked up
   * anyway, with what `login(…, { authVersion })` was given.
   */
  verifyAuthVersion(version: string): Promise<boolean>;
  /** Compares this request's client with the one that began the session. */
  checkClient(): ClientCheck;
  /**
   * A token for the forms and scripts of this page, to be sent back in the header `x-csrf-token` or the field
   * `_csrf`; good until the session gets a new token, as at login. A visitor without a session gets one.
   */
  csrfToken(): string;
  /** What `csrfGuard` asks: null, or why the request is refused. Tells of it (event `csrf-rejected`). */
  checkCsrf(facts: CsrfFacts, policy: CsrfPolicy): CsrfRejection | null;
  /** A plain copy of the data. */
  toJSON(): Record<string, unknown>;
}

/** Why a session is no more, and whose it was. */
export interface EndedSession extends Ending {
  /** Who was logged in; null: nobody, so nobody was signed out. */
  readonly principal: string | null;
}

/** A session that shows nothing until its user has proved again who they are. */
export interface LockedSession {
  /** `idle`: not used for too long. `client`: another client came with it. */
  readonly why: "idle" | "client";
  /** Whose it is: the one who has to prove it. */
  readonly principal: string;
}

/** The facts of a session. Read-only: `session.set('level', …)` would be data, not the fact. */
export interface SessionFacts {
  /** Public, stable id; null until the session is saved for the first time. */
  readonly handle: Handle | null;
  /** Who is logged in, or null. */
  readonly principal: string | null;
  readonly createdAt: UnixMs | null;
  /** Last login, re-authentication or elevation, or null. */
  readonly authenticatedAt: UnixMs | null;
  readonly expiresAt: UnixMs | null;
  readonly absoluteExpiresAt: UnixMs | null;
  /** True until the store has it. */
  readonly isNew: boolean;
  /** Why the session that this browser came with is no more, or null. Told once. */
  readonly ending: EndedSession | null;
  /** 0 anonymous, 1 logged in, higher by {@link SessionMethods.elevate}. */
  readonly level: number;
  /**
   * Not null: the session lives, but has no principal, level or data until `reauthenticate()` (options `onIdle` and
   * `binding`). Until then what is changed in it is dropped.
   */
  readonly locked: LockedSession | null;
  /**
   * Null while the store answers. Else, by the option `onStoreError`: `stale`, read a moment ago and not to
   * be changed; `provisional`, made meanwhile and known to this process alone; `anonymous`, nothing
   * is known: not written, and no login.
   */
  readonly degraded: Degraded | null;
}

/** `req.session`: methods, facts, and the application's data as plain properties. */
export type Session = SessionMethods & SessionFacts & Partial<SessionData>;
