/** Session management, framework-agnostic: what adapters, stores and applications use of the core. */
export { createSessionManager, type SessionManager } from "./create.ts";
export type { Pipeline, RequestContext } from "./pipeline.ts";
export type { ClientFacts, RequestFacts } from "./request/facts.ts";
export { UNSEEN_PLAN } from "./response/decide.ts";
export type { PlannedCookie, ResponsePlan } from "./response/plan.ts";
export { type CacheHeaders, privacyHeaders } from "./response/privacy.ts";
export { type TimeoutAnswer, timeoutAnswer } from "./response/timeout.ts";
export { networkOf } from "./policy/client.ts";
export type { Freshness } from "./policy/freshness.ts";
export { type Preset, PRESETS } from "./policy/presets.ts";
export { AUDIT_CHANNEL, type AuditRecord, type AuditSink } from "./audit.ts";
export { METRICS, type MetricName, type Metrics } from "./metrics.ts";
export {
  csrfFacts,
  csrfPolicy,
  csrfRejected,
  type CsrfFacts,
  type CsrfOptions,
  type CsrfPolicy,
  type CsrfRejection,
  type CsrfRequest,
} from "./csrf/policy.ts";
export { serializeCookie } from "./cookie/serialize.ts";
export type { CookieAttributes, CookieOptions } from "./cookie/spec.ts";
export type {
  Binding,
  BreakerSettings,
  ClearSiteData,
  DataView,
  EncryptionSettings,
  OnStoreError,
  SessionOptions,
} from "./options/types.ts";
export type { Duration } from "./options/duration.ts";
export type { StandardSchema } from "./options/standard-schema.ts";
export { DEFAULTS } from "./options/defaults.ts";
export type * from "./session/types.ts";
export type * from "./manager/types.ts";
export type * from "./snapshot/types.ts";
export type { PolicyDescription, PolicyPoint } from "./manager/describe.ts";
export type { UpgradeOptions, UpgradeRequest } from "./manager/upgrade.ts";
export type { WatchOptions } from "./manager/watch.ts";
export { memoryStore, type MemoryStoreOptions } from "./store/memory/store.ts";
export type {
  Counts,
  Ending,
  EndingReason,
  Handle,
  Lifetime,
  OnLimit,
  Store,
} from "./store/contract.ts";
export { EVENT_CHANNEL } from "./events.ts";
export type {
  AnySessionEvent,
  CookieRejection,
  Degraded,
  Logger,
  SessionEvents,
} from "./events.ts";
export {
  ERROR_CODES,
  type ErrorCode,
  isSojournError,
  SojournError,
  thrownError,
} from "./errors.ts";
export { type Clock, systemClock, type UnixMs } from "./clock.ts";
export { type KeyInfo, KeyRing, type KeySource } from "./keys/key-ring.ts";
export type { ExternalKey, SecretBytes } from "./keys/key.ts";
export type { SecretGenerator } from "./token/token.ts";
export type { MaxSessions } from "./policy/admission.ts";
