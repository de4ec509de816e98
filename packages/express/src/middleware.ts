/** `sessionMiddleware()`: translates a request for the core, and the core's plan for the response. */
import { createSessionManager, SojournError } from "@sojourn/core";
import type { SessionOptions, Sessions } from "@sojourn/core";
import { shareShape } from "./shared-shape.ts";
import type { SessionRequest, SessionResponse } from "./types.ts";
import { Visit } from "./visit.ts";

/** The core's options, and where the session goes. */
export interface ExpressSessionOptions extends SessionOptions {
  /** Name of the property of the request; default `"session"`. */
  readonly property?: string;
  /** True: this request gets no session, and the store is not asked. */
  readonly skip?: (request: SessionRequest) => boolean;
}

/** What {@link sessionMiddleware} makes: `app.use` it. */
export interface SessionMiddleware {
  /**
   * `next` is called when the session is there; with an error when the store failed
   * (`statusCode` 503), and a second time, with the error, when the commit failed: the answer that
   * was given by then is dropped, and an error answer must be given in its place.
   */
  (request: SessionRequest, response: SessionResponse, next: (error?: unknown) => void): void;
  /** The manager, for code outside a request. */
  readonly sessions: Sessions;
}

/**
 * Makes the middleware that gives every request its session, and holds every answer until what the
 * request changed is committed.
 * @throws SOJOURN_OPTIONS_INVALID with every problem of the options. To `next` go the errors of the
 * store, and SOJOURN_ADAPTER_MISUSE when the property already belongs to something else.
 */
export function sessionMiddleware(options: ExpressSessionOptions = {}): SessionMiddleware {
  const { property = "session", skip, ...sessionOptions } = options;
  const { sessions, pipeline } = createSessionManager(sessionOptions);
  const key = Symbol(`sojourn ${property}`);
  const accessor = accessorOf(key);
  const report = reporter(options);

  const middleware = (
    request: SessionRequest,
    response: SessionResponse,
    next: (error?: unknown) => void,
  ): void => {
    if (Reflect.has(request, key) || skip?.(request)) return next();
    if (Reflect.get(request, property) !== undefined) return next(propertyTaken(property));
    shareShape(request, "url");
    shareShape(response, "sendDate");
    new Visit(pipeline, request, response, { next, report }).begin((visit) => {
      Reflect.set(request, key, visit);
      Object.defineProperty(request, property, accessor);
      visit.serve();
    });
  };
  return Object.assign(middleware, { sessions });
}

/** One accessor for all requests: V8 then gives them all one shape. */
function accessorOf(key: symbol): PropertyDescriptor {
  return {
    get(this: SessionRequest) {
      return (Reflect.get(this, key) as Visit).session;
    },
    configurable: true,
    enumerable: true,
  };
}

/** Nobody is left to answer: errors of a late commit go to the log, or to a process warning. */
function reporter({ logger }: ExpressSessionOptions): (error: unknown) => void {
  return (error) => {
    const message = "a session could not be committed after its response was over";
    if (logger) logger.error({ err: error }, message);
    else process.emitWarning(`${message}: ${String(error)}`, "SojournWarning");
  };
}

function propertyTaken(property: string): SojournError {
  return new SojournError(
    "SOJOURN_ADAPTER_MISUSE",
    `sessionMiddleware() found request.${property} already taken, by another session middleware or a second sessionMiddleware(); give this one a \`property\` of its own`,
  );
}
