/** `csrfGuard`: refuses what another site may have made a browser send. */
import {
  type CsrfOptions,
  csrfFacts,
  csrfPolicy,
  csrfRejected,
  type Session,
  SojournError,
} from "@sojourn/core";
import type { SessionRequest, SessionResponse } from "./types.ts";

/** Options of {@link csrfGuard}. */
export interface CsrfGuardOptions extends CsrfOptions {
  /** Where the session is: `request[property]`. Default `"session"`. */
  readonly property?: string;
  /** True: the guard lets this request alone, as for a webhook. Compare whole paths, never beginnings. */
  readonly exempt?: (request: SessionRequest) => boolean;
}

/**
 * `app.use(csrfGuard())`, after `sessionMiddleware()`, and after the body parser where tokens come in forms.
 * Calls `next` with SOJOURN_CSRF_REJECTED (403) for an unsafe request that is refused. A token is
 * looked for in the header `x-csrf-token`, then in the field `_csrf` of the parsed body.
 * @throws SOJOURN_OPTIONS_INVALID. To `next` goes SOJOURN_ADAPTER_MISUSE where the request has no session.
 */
export function csrfGuard({ property = "session", exempt, ...options }: CsrfGuardOptions = {}): (
  request: SessionRequest,
  response: SessionResponse,
  next: (error?: unknown) => void,
) => void {
  const policy = csrfPolicy(options);
  return (request, response, next) => {
    if (exempt?.(request)) return next();
    const session = Reflect.get(request, property) as Session | undefined;
    if (session === undefined) return next(noSession(property));
    const { method = "", headers } = request;
    const body: unknown = Reflect.get(request, "body");
    const facts = csrfFacts({ method, headers, host: hostOf(request), body });
    const reason = session.checkCsrf(facts, policy);
    if (reason === null) return next();
    response.appendHeader("Vary", "Sec-Fetch-Site, Origin");
    next(csrfRejected(reason));
  };
}

/** The host that the browser asked for, with its port. Express knows which proxies to trust: its `hostname` decides. */
function hostOf(request: SessionRequest): string | undefined {
  const { ":authority": authority, host, "x-forwarded-host": forwarded } = request.headers;
  const own = typeof authority === "string" ? authority : host;
  const trusted: unknown = Reflect.get(request, "hostname");
  const behindProxy = [forwarded].flat()[0]?.split(",")[0]?.trim();
  const candidates = [own, behindProxy].filter((one) => one !== undefined);
  if (typeof trusted !== "string") return own;
  return candidates.find((one) => one.replace(/:\d+$/, "") === trusted) ?? trusted;
}

function noSession(property: string): SojournError {
  return new SojournError(
    "SOJOURN_ADAPTER_MISUSE",
    `csrfGuard() found no request.${property}: put sessionMiddleware() before it`,
  );
}
