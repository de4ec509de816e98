/** The session manager: what code outside a request can do with sessions. */
import type { UnixMs } from "../clock.ts";
import type { SessionEvents } from "../events.ts";
import type { ClientFacts } from "../request/facts.ts";
import type { LoginOptions, Session } from "../session/types.ts";
import type { Counts, Ending, Handle } from "../store/contract.ts";
import type {
  ExportOptions,
  ExportResult,
  ImportOptions,
  ImportResult,
  SnapshotSource,
  SnapshotTarget,
} from "../snapshot/types.ts";
import type { PolicyDescription } from "./describe.ts";
import type { UpgradeOptions, UpgradeRequest } from "./upgrade.ts";
import type { WatchOptions } from "./watch.ts";

/** One alive session as seen from outside: nothing in it is a credential. */
export interface SessionInfo {
  readonly handle: Handle;
  readonly principal: string | null;
  readonly createdAt: UnixMs;
  readonly authenticatedAt: UnixMs | null;
  /** Last use, exact to the touch throttle. */
  readonly seenAt: UnixMs;
  readonly expiresAt: UnixMs;
  readonly absoluteExpiresAt: UnixMs;
  readonly level: number;
  /** Who began the session. */
  readonly client: ClientFacts;
  /** A copy of the application's data. */
  readonly data: Record<string, unknown>;
  /** False: no key of the ring opens what is stored; level, client and data are then not known. */
  readonly readable: boolean;
}

/** Which sessions a batch means: all, those of one principal, those that a predicate accepts. */
export interface SessionFilter {
  readonly principal?: string | number;
  readonly where?: (session: SessionInfo) => boolean;
}

/** One page; `cursor` is null on the last. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly cursor: string | null;
}

/** Asks for a page. `limit` default 100. */
export interface PageOptions {
  readonly limit?: number;
  readonly cursor?: string | null;
}

/** Counts of a batch. With `dryRun`, `changed` is 0. */
export interface BatchResult {
  readonly matched: number;
  readonly changed: number;
}

/** What is known of a handle. */
export type Explanation =
  | { readonly status: "active"; readonly session: SessionInfo }
  | { readonly status: "ended"; readonly principal: string | null; readonly ending: Ending }
  | { readonly status: "unknown" };

/** What is going on. Lifetime figures are of this process, since it opened the store. */
export interface Stats {
  readonly active: number;
  readonly principals: number;
  readonly totalCreated: number | null;
  readonly totalEnded: number | null;
  readonly peakActive: number | null;
  /** Mean life of the ended sessions in ms; null before the first. */
  readonly averageDurationMs: number | null;
}

/** Answer of a health check. `status: 'down'` carries the error's code. */
export type Health =
  | {
      readonly status: "up";
      readonly store: string;
      readonly tookMs: number;
    }
  | {
      readonly status: "down";
      readonly store: string;
      readonly code: string;
      readonly tookMs: number;
    };

/** A session created outside a request. */
export interface CreatedSession {
  readonly session: SessionInfo;
  /** A complete `Set-Cookie` header value: the only way that the token leaves. */
  readonly setCookie: string;
}

/** Options of {@link Sessions.create}. */
export interface CreateOptions extends LoginOptions {
  readonly principal: string | number;
  readonly data?: Record<string, unknown>;
  readonly client?: ClientFacts;
  /** Which of the two cookies to make where `secure` is `'auto'`; default false. */
  readonly secureRequest?: boolean;
}

/** The manager. Principals are strings or numbers; handles come from `session.handle` or lists. */
export interface Sessions {
  /** Opens the store; errors of start-up come out here, and its advice becomes warnings. */
  ready(): Promise<void>;
  /**
   * The session of an upgrade request: `server.on("upgrade", …)`. No cookie can be set on that way, so
   * do not log in there; what is changed is written by `session.save()`.
   * @throws SOJOURN_STORE_…
   */
  fromUpgrade(request: UpgradeRequest, options?: UpgradeOptions): Promise<Session>;
  /**
   * Calls `onEnded` once, as soon as this session ends: on any process, by itself, or unknown from
   * the start. Messages between processes make that fast; the store is asked in any case. Does not
   * keep the session or the process alive. Returns the function that stops it.
   * @throws SOJOURN_OPTIONS_INVALID
   */
  watch(handle: string, onEnded: (ending: Ending) => void, options?: WatchOptions): () => void;
  /** Logs a principal in outside a request (tests, single sign-on). */
  create(options: CreateOptions): Promise<CreatedSession>;
  get(handle: string): Promise<SessionInfo | null>;
  /** The alive sessions of a principal, newest first. */
  list(principal: string | number, page?: PageOptions): Promise<Page<SessionInfo>>;
  /** The alive sessions that match, in no order; reads the whole store, page by page. */
  find(filter: SessionFilter): AsyncIterable<SessionInfo>;
  /** Ends one session; false if it was not alive. */
  revoke(handle: string, reason?: string): Promise<boolean>;
  /** Ends all sessions of a principal; resolves to how many. */
  revokeAll(principal: string | number, reason?: string): Promise<number>;
  /** Ends all sessions of a principal but one; if that one is over, or somebody else's, all. */
  revokeOthers(principal: string | number, except: string, reason?: string): Promise<number>;
  /** Ends all sessions of everyone, in a constant number of writes. */
  revokeEveryone(reason?: string): Promise<void>;
  /** Ends the sessions that match. */
  revokeWhere(
    filter: SessionFilter,
    options?: { reason?: string; dryRun?: boolean },
  ): Promise<BatchResult>;
  /** Changes the data of the sessions that match, each by an exact read-modify-write. */
  updateWhere(
    filter: SessionFilter,
    change: (data: Record<string, unknown>) => void,
    options?: { dryRun?: boolean },
  ): Promise<BatchResult>;
  /**
   * Writes the alive sessions as a snapshot, encrypted and with constant memory: handles,
   * deadlines and tokens stay good. See docs/guides/snapshots.md for the format.
   * @throws SOJOURN_OPTIONS_INVALID, SOJOURN_STORE_…, and what the stream fails with
   */
  export(to: SnapshotTarget, options?: ExportOptions): Promise<ExportResult>;
  /**
   * Restores a snapshot into the store. Nothing alive is overwritten or ended for it, nothing that ended
   * comes back, and no deadline moves; so it may be repeated. Of a damaged snapshot the good beginning
   * is restored: `error.details.result` says what.
   * @throws SOJOURN_SNAPSHOT_INVALID with `details.reason`, SOJOURN_OPTIONS_INVALID, SOJOURN_STORE_…
   */
  import(from: SnapshotSource, options?: ImportOptions): Promise<ImportResult>;
  /** Active sessions and distinct principals. */
  count(): Promise<Counts>;
  /** Principals with alive sessions and how many each. */
  principals(page?: PageOptions): Promise<Page<{ principal: string; active: number }>>;
  stats(): Promise<Stats>;
  /** Why a session is no more, for operators. */
  explain(handle: string): Promise<Explanation>;
  /** The policy in force, as points and as a Markdown table, for documents and reviews. */
  describePolicy(): PolicyDescription;
  /** Whether the store answers a read within the deadline; makes no session, and costs next to nothing. Never rejects. */
  health(): Promise<Health>;
  /**
   * Listens; returns the function that stops it. `'*'` gets every event. Of the other processes on
   * the store, `login`, `logout`, `revoked` and `evicted` are heard as well, with `remote: true`.
   */
  on<Name extends keyof SessionEvents>(
    name: Name,
    listener: (event: SessionEvents[Name]) => void,
  ): () => void;
  on(name: "*", listener: (event: SessionEvents[keyof SessionEvents]) => void): () => void;
  /** Waits until everything acknowledged is durable. */
  flush(): Promise<void>;
  /** Waits for commits under way, then closes the store, also one that it was given. Idempotent. */
  close(): Promise<void>;
}
