/** Session management for Express 4 and 5, `node:http` and HTTP/2: see {@link sessionMiddleware}. */
export * from "@sojourn/core";
export { csrfGuard, type CsrfGuardOptions } from "./csrf-guard.ts";
export { sessionMiddleware } from "./middleware.ts";
export type { ExpressSessionOptions, SessionMiddleware } from "./middleware.ts";
export type { SessionRequest, SessionResponse } from "./types.ts";
