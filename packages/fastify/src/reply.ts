/** What a session does to a reply: the cookie, the headers for caches, an answer taken back. */
import type { Readable } from "node:stream";
import { isSojournError, privacyHeaders, serializeCookie } from "@sojourn/core";
import type { PlannedCookie, ResponsePlan } from "@sojourn/core";
import type { FastifyReply } from "fastify";

/** Headers that describe the payload (RFC 9110 8) or say where it is and how long it may be kept. */
const PAYLOAD_HEADERS = [
  "accept-ranges",
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "content-length",
  "content-location",
  "content-range",
  "content-type",
  "etag",
  "expires",
  "last-modified",
  "location",
  "transfer-encoding",
] as const;

/** Sets what the plan says. Returns the payload to send. */
export function applyPlan(reply: FastifyReply, plan: ResponsePlan, payload: unknown): unknown {
  if (plan.cookie) setCookie(reply, plan.cookie);
  if (plan.device) setCookie(reply, plan.device);
  for (const cookie of plan.carried) setCookie(reply, cookie);
  if (plan.clearSiteData !== null) reply.header("clear-site-data", plan.clearSiteData);
  if (plan.privacy === "none") return payload;
  const sent = isResponse(payload) ? unpack(reply, payload) : payload;
  const headers = privacyHeaders(plan.privacy, {
    vary: headerOf(reply, "vary"),
    cacheControl: headerOf(reply, "cache-control"),
  });
  // `reply.headers` would make a list of their names for each reply.
  for (const name in headers) reply.header(name, headers[name]);
  return sent;
}

/**
 * Takes an answer back that must not leave: frees its stream, drops what described it, and says
 * in its place what `error` says.
 */
export function discardAnswer(reply: FastifyReply, payload: unknown, error: unknown): void {
  release(payload);
  for (const name of PAYLOAD_HEADERS) reply.removeHeader(name);
  reply.code(isSojournError(error) ? error.statusCode : 500);
  if (isSojournError(error) && error.headers) reply.headers(error.headers);
}

/** Not by `reply.setCookie`, whose `parseOptions` are defaults of all cookies; it leaves this header as it is. */
function setCookie(reply: FastifyReply, { name, value, attributes }: PlannedCookie): void {
  reply.header("set-cookie", serializeCookie(name, value, attributes));
}

function headerOf(reply: FastifyReply, name: string): string | undefined {
  const value = reply.getHeader(name);
  return value === undefined ? undefined : [value].flat().join(", ");
}

function isResponse(payload: unknown): payload is Response {
  return Object.prototype.toString.call(payload) === "[object Response]";
}

/** Fastify would let the headers of a web `Response` win over ours: it gets them now instead. */
function unpack(reply: FastifyReply, response: Response): unknown {
  if (response.bodyUsed) return response;
  reply.code(response.status);
  for (const [name, value] of response.headers) reply.header(name, value);
  return response.body;
}

/** Lets go of a payload that nobody will read, as Fastify does for 204. */
function release(payload: unknown): void {
  const body = isResponse(payload) ? payload.body : payload;
  if (body instanceof ReadableStream) body.cancel().catch(() => {});
  else if (isNodeStream(body)) body.on("error", () => {}).destroy();
}

function isNodeStream(body: unknown): body is Readable {
  return typeof body === "object" && body !== null && "pipe" in body && "destroy" in body;
}
