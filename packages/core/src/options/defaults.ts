/** The defaults, in one place; the docs print them. */

/** Default options. NIST SP 800-63B-4 2.2.3 (AAL2) allows at most 1 h idle and 24 h absolute. */
export const DEFAULTS = {
  idle: "30m",
  onIdle: "end",
  binding: "ignore",
  deviceCookie: false,
  clearSiteData: false,
  absolute: "24h",
  grace: "10s",
  max: 0,
  onLimit: "evict-oldest",
  namespace: "",
  storeDeadline: "2s",
  onStoreError: "fail",
  staleFor: "60s",
} as const;

/** Defaults of the option `breaker`. */
export const BREAKER_DEFAULTS = { failures: 5, pause: "1s" } as const;
