/** A request of a browser, for whatever sends it. */
import type { Route } from "../contender.ts";
import { FORWARDED } from "../sites/uses.ts";

/** What is sent; none has a body. */
export interface BrowserRequest {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly headers: Record<string, string>;
}

const METHODS: Record<Route, BrowserRequest["method"]> = {
  none: "GET",
  read: "GET",
  write: "POST",
  login: "POST",
  anon: "GET",
  visitor: "GET",
};

/** Whoever asks for these brings no cookie. */
const WITHOUT_COOKIE: ReadonlySet<Route> = new Set(["anon", "visitor"]);

/** Asks for a route. @param cookie sent with most @param user who logs in */
export function requestFor(
  route: Route,
  cookie: string | undefined,
  user?: string,
): BrowserRequest {
  const method = METHODS[route];
  const headers = {
    host: "sessions.example",
    "user-agent": "sojourn-bench",
    accept: "*/*",
    ...FORWARDED,
    ...(method === "POST" ? { "content-length": "0" } : {}),
    ...(cookie === undefined || WITHOUT_COOKIE.has(route) ? {} : { cookie }),
    ...(user === undefined ? {} : { "x-user": user }),
  };
  return { method, path: route === "visitor" ? "/none" : `/${route}`, headers };
}
