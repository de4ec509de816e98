/** The options of a session manager, as an application writes them. */
import type { Clock } from "../clock.ts";
import type { CookieOptions } from "../cookie/spec.ts";
import type { AuditSink } from "../audit.ts";
import type { Logger } from "../events.ts";
import type { Metrics } from "../metrics.ts";
import type { MaxSessions } from "../policy/admission.ts";
import type { Preset } from "../policy/presets.ts";
import type { SessionData } from "../session/types.ts";
import type { OnLimit, Store } from "../store/contract.ts";
import type { KeyRing, KeySource } from "../keys/key-ring.ts";
import type { SecretGenerator } from "../token/token.ts";
import type { Duration } from "./duration.ts";
import type { StandardSchema } from "./standard-schema.ts";

/** The application's data as its own functions see it. */
export type DataView = Readonly<Partial<SessionData> & Record<string, unknown>>;

/** See {@link SessionOptions.onStoreError}. */
export type OnStoreError = "fail" | "anonymous" | "local";

/** See {@link SessionOptions.breaker}. */
export interface BreakerSettings {
  readonly failures?: number | undefined;
  readonly pause?: Duration | undefined;
}

/** See {@link SessionOptions.clearSiteData}; W3C Clear Site Data 3.1. */
export type ClearSiteData = "cache" | "cookies" | "storage" | "executionContexts" | "*";

/** See {@link SessionOptions.binding}. */
export type Binding = "ignore" | "report" | "step-up" | "revoke";

/** See {@link SessionOptions.encryption}. */
export interface EncryptionSettings {
  /** Keys of its own, as in `secret`. Default: those of `secret`. */
  readonly keys?: KeySource | readonly KeySource[] | KeyRing | undefined;
  /** Compresses data of 1 KiB and more before it is encrypted. Default false. */
  readonly compress?: boolean | undefined;
  /** Takes over sessions that were stored unencrypted; switch it off when they are gone. Default false. */
  readonly acceptPlain?: boolean | undefined;
}

/** Options of a manager, of `sessionPlugin` and of `sessionMiddleware`. */
export interface SessionOptions {
  /**
   * The keys that sign the cookie: secrets of at least 32 characters, objects that sign, or a `KeyRing`,
   * whose keys can be changed later. The first signs, all verify. Default: the environment variable `SESSION_SECRET`, comma-separated. Without either: an error in
   * production, a generated secret with a warning elsewhere.
   */
  readonly secret?: KeySource | readonly KeySource[] | KeyRing | undefined;
  /**
   * Encrypts what is stored of a session (AES-256-GCM), so that a stolen store shows nothing. `true`:
   * with the keys of `secret`. Default: not.
   */
  readonly encryption?: boolean | EncryptionSettings | undefined;
  /** Where sessions are kept. Default: a memory store (with a warning in production). */
  readonly store?: Store | undefined;
  readonly cookie?: CookieOptions | undefined;
  /**
   * Takes `idle` and `absolute` from an authenticator assurance level of NIST SP 800-63B-4: `'aal1'` none and
   * 30 days, `'aal2'` 1 h and 24 h, `'aal3'` 15 min and 12 h. Longer ones of your own need a `justification`.
   */
  readonly preset?: Preset | undefined;
  /** Why timeouts are longer than the preset allows; `sessions.describePolicy()` prints it (ASVS 7.1.1). */
  readonly justification?: string | undefined;
  /** A session dies when it was not used for so long. Default `'30m'`; null = never by idleness. */
  readonly idle?: Duration | null | undefined;
  /**
   * What the idle timeout does to a session that somebody is logged in to: `'end'`, the default, or `'lock'`: it is kept until the
   * absolute timeout, and shows nothing until `session.reauthenticate()` (NIST 800-63B-4 2.2.3).
   */
  readonly onIdle?: "end" | "lock" | undefined;
  /**
   * What to do when another client comes with a session: another network, another kind of browser. `'ignore'`, the default;
   * `'report'` tells of it (event `client-changed`); `'step-up'` locks the session for that client until
   * `reauthenticate()`; `'revoke'` ends it.
   */
  readonly binding?: Binding | undefined;
  /**
   * Gives each browser that gets a session a lasting random id in a cookie of its own, signed, so that `checkClient()` and `binding`
   * notice a session that was copied to another browser. Default false.
   */
  readonly deviceCookie?: boolean | undefined;
  /**
   * What a browser is told to clear at logout (header `Clear-Site-Data`, ASVS 14.3.1): `true` = cookies and
   * storage. Beware: all cookies of the host and its sub-domains. Default false.
   */
  readonly clearSiteData?: boolean | readonly ClearSiteData[] | undefined;
  /** A session dies so long after login, whatever happens. Default `'24h'`. */
  readonly absolute?: Duration | undefined;
  /** How long a session is used before that is written. Default a tenth of idle, at most `'60s'`. */
  readonly touchAfter?: Duration | undefined;
  /** How long a rotated token still works for requests under way. Default `'10s'`; at most `'60s'`. */
  readonly grace?: Duration | undefined;
  /** Sessions a principal may have, or a function that tells; 0 = unlimited, the default. */
  readonly max?: MaxSessions | undefined;
  /** What to do with one too many. Default `'evict-oldest'`. */
  readonly onLimit?: OnLimit | undefined;
  /** Takes the principal from the data, for applications that keep it there (passport). */
  readonly principal?: ((data: DataView) => string | number | null | undefined) | undefined;
  /** What the session may do; when its result changes, the token is rotated by itself. */
  readonly privileges?:
    | ((data: DataView, facts: { readonly principal: string | null }) => readonly unknown[])
    | undefined;
  /** Checks the data when it is read and before it is written: any Standard Schema, for example zod. */
  readonly schema?: StandardSchema | undefined;
  /** Keeps applications apart that share a store. Default `''`. */
  readonly namespace?: string | undefined;
  /** Longest wait for one store call. Default `'2s'`. */
  readonly storeDeadline?: Duration | undefined;
  /**
   * What a request gets while the store is away. `'fail'`, the default: 503. `'anonymous'`: an unsaved
   * session that cannot log in. `'local'`: what this process knows, within bounds; needs a store
   * that processes share, such as `redisStore()`. Endings always fail loudly.
   */
  readonly onStoreError?: OnStoreError | undefined;
  /** With `'local'`: how long a session may be used after it was last read. Default and most: `'60s'`. */
  readonly staleFor?: Duration | undefined;
  /**
   * After so many `failures` in a row (default 5) the store is left alone, and tried again after
   * pauses that grow from 100 ms to `pause` (default `'1s'`). `false`: it is always asked.
   */
  readonly breaker?: BreakerSettings | false | undefined;
  /** A pino-like logger for security events and warnings; false = none. */
  readonly logger?: Logger | false | undefined;
  /**
   * Takes a record of every security event: who, what, when, from where, with which result, and the NIST
   * SP 800-53 controls that it is evidence for. A function, or a pino-like logger. Default: none.
   */
  readonly audit?: AuditSink | undefined;
  /** Takes counters and histograms, by the names in `METRICS`. Default: none. */
  readonly metrics?: Metrics | undefined;
  /** Tells the time. Default: the store's clock. */
  readonly clock?: Clock | undefined;
  /** Makes the 32 secret bytes of a token. Default: the CSPRNG of node:crypto. */
  readonly generateSecret?: SecretGenerator | undefined;
}
