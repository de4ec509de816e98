/** What protects every page: headers, no posts from other sites, no redirects to other sites. */

/**
 * For every answer. Nothing is loaded from elsewhere, nobody frames the page; a script runs only
 * where pages are `live`, and only ours.
 */
export const securityHeaders = ({ live = false } = {}) => ({
  "Content-Security-Policy":
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'" +
    (live ? "; script-src 'self'; connect-src 'self'" : ""),
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "same-origin",
  "X-Content-Type-Options": "nosniff",
});

/** Whether a request that may change something was sent by a page of another origin. */
export function isCrossSite({ method, headers }) {
  if (method === "GET" || method === "HEAD") return false;
  const site = headers["sec-fetch-site"];
  if (site) return site !== "same-origin" && site !== "none";
  return isOfOtherOrigin(headers); // browsers before 2023
}

/** Whether the header `Origin` names another site; a client without it is no browser. */
export function isOfOtherOrigin({ origin, host }) {
  return origin !== undefined && (!URL.canParse(origin) || new URL(origin).host !== host);
}

/** A path of this site, or `/`. */
export function localPath(path) {
  return /^\/(?![/\\])[\w\-/?=&%.]*$/.test(path ?? "") ? path : "/";
}

const FRESH_MS = 5 * 60_000;

/** Whether the last authentication is recent enough for a sensitive step. */
export const isFresh = (session, now) => now - (session.authenticatedAt ?? 0) <= FRESH_MS;

/** Where to prove it again before going on to `path`. */
export const confirmPath = (path) => `/confirm?next=${encodeURIComponent(path)}`;
