/** `sessionMiddleware()`: translates a request for the core, and the core's plan for the response. */
import { createSessionManager, SojournError } from "@sojourn/core";
import type { Pipeline, RequestContext, SessionOptions, Sessions } from "@sojourn/core";
import { holdResponse } from "./held-response.ts";
import { factsOf } from "./request-facts.ts";
import { shareShape } from "./shared-shape.ts";
import type { SessionRequest, SessionResponse } from "./types.ts";

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
  const contextKey = Symbol(`sojourn ${property}`);
  const accessor = accessorOf(contextKey);

  const middleware = (
    request: SessionRequest,
    response: SessionResponse,
    next: (error?: unknown) => void,
  ): void => {
    if (Reflect.has(request, contextKey) || skip?.(request)) return next();
    if (Reflect.get(request, property) !== undefined) return next(propertyTaken(property));
    shareShape(request, "url");
    shareShape(response, "sendDate");
    const serve = (context: RequestContext): void => {
      Reflect.set(request, contextKey, context);
      Object.defineProperty(request, property, accessor);
      const commit: Commit = (headersSent) => pipeline.commit(context, { headersSent });
      commitWith(response, commit, { next, report: reporter(options) });
      next();
    };
    const begun = pipeline.begin(factsOf(request));
    if (begun instanceof Promise) begun.then(serve, next);
    else serve(begun);
  };
  return Object.assign(middleware, { sessions });
}

/**
 * The session's identity changes in `regenerate()`: whoever asks gets the present one. One accessor for all requests:
 * V8 then gives them all one shape.
 */
function accessorOf(contextKey: symbol): PropertyDescriptor {
  return {
    get(this: SessionRequest) {
      return (Reflect.get(this, contextKey) as RequestContext).session;
    },
    configurable: true,
    enumerable: true,
  };
}

type Commit = (headersSent: boolean) => ReturnType<Pipeline["commit"]>;

interface Outcomes {
  readonly next: (error: unknown) => void;
  readonly report: (error: unknown) => void;
}

/** Commits before the answer leaves, and what was changed after that when it is over. */
function commitWith(response: SessionResponse, commit: Commit, { next, report }: Outcomes): void {
  let isDropped = false;
  holdResponse(response, {
    commit: () => commit(false),
    dropped: (error) => {
      isDropped = true;
      next(error);
    },
  });
  if (!("once" in response)) return;
  response.once("close", () => {
    if (isDropped) return;
    const planned = commit(true);
    if (planned instanceof Promise) planned.catch(report);
  });
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
