/** The way of a request, in two steps: `begin` before the handler, `commit` before the response. */
import { readCookie } from "./cookie/read.ts";
import { type CookieSpecs, specFor } from "./cookie/spec.ts";
import { SojournError } from "./errors.ts";
import { Arrival, type Served, TokenArrival } from "./lifecycle/arrival.ts";
import { engineOver } from "./lifecycle/carried.ts";
import { type Engine, isSessionEnded } from "./lifecycle/engine.ts";
import { dropUnsaved, flush } from "./lifecycle/flush.ts";
import type { RequestFacts } from "./request/facts.ts";
import { carriedCookies } from "./response/carried.ts";
import { cookieMaking, decideCookie, plainPlan, planResponse } from "./response/decide.ts";
import type { PlannedCookie, ResponsePlan } from "./response/plan.ts";
import { Exchange, type Verbs } from "./session/state.ts";
import type { Session } from "./session/types.ts";
import { openCookies } from "./token/cookie-value.ts";

/** One request on its way. `session` changes identity only in `regenerate()`: read it each time. */
export interface RequestContext {
  readonly session: Session;
}

/** What an adapter drives. Both steps answer at once where there is nothing to wait for, and never throw. */
export interface Pipeline {
  /**
   * Whether a `Cookie` header may bring a session, or what is left of one. A request without is a visitor's: it is begun
   * when its session is asked for, which most often nobody does.
   */
  mayBring(cookieHeader: string | undefined): boolean;
  /** As `begin`, for a request that {@link mayBring} nothing. */
  beginVisitor(facts: RequestFacts): RequestContext;
  /** Cookie → token → record → policy → session. Rejects with SOJOURN_STORE_… when the store fails. */
  begin(facts: RequestFacts): RequestContext | Promise<RequestContext>;
  /**
   * Writes what the request changed and plans the response. Call it before the headers leave; a
   * rejection must become an error answer. May be called again (streams, hijacked replies) with
   * `headersSent: true`: data is still written, a cookie that cannot be sent becomes an event.
   */
  commit(
    context: RequestContext,
    sent?: { readonly headersSent: boolean },
  ): ResponsePlan | Promise<ResponsePlan>;
}

/** Builds the pipeline of one manager. */
export function createPipeline(engine: Engine, verbs: Verbs): Pipeline {
  const served = { engine, verbs };
  const names = namesOf(engine.settings.cookies);
  return {
    mayBring: (header) => header !== undefined && names.some((name) => header.includes(name)),
    beginVisitor: (facts) => new Arrival(served, facts, facts.secure, null).begin(),
    begin(facts) {
      try {
        return begin(served, facts);
      } catch (error) {
        return Promise.reject(error);
      }
    },
    commit(context, { headersSent } = NOT_SENT) {
      if (!(context instanceof Exchange)) return Promise.reject(misuse());
      const own = engineOver(engine, context.carried);
      try {
        return context.isBusy
          ? commitInTurn(own, context, headersSent)
          : context.keepTurn(commit(own, context, headersSent));
      } catch (error) {
        return Promise.reject(error);
      }
    },
  };
}

const NOT_SENT = { headersSent: false };

function namesOf({ secure, plain }: CookieSpecs): string[] {
  return plain === null ? [secure.name] : [secure.name, plain.name];
}

function begin(served: Served, facts: RequestFacts): RequestContext | Promise<RequestContext> {
  const { signing, cookies } = served.engine.settings;
  const { secure } = facts;
  const { name } = specFor(cookies, secure);
  const presented = openCookies(signing, name, readCookie(facts.cookieHeader, name));
  if (presented.status === "token")
    return new TokenArrival(served, facts, secure, presented).find();
  const arrival = new Arrival(served, facts, secure, null);
  return presented.status === "none" ? arrival.begin() : arrival.beginRejected(presented.reason);
}

function commitInTurn(
  engine: Engine,
  exchange: Exchange,
  headersSent: boolean,
): Promise<ResponsePlan> {
  return exchange.inTurn(() => commit(engine, exchange, headersSent));
}

function commit(
  engine: Engine,
  exchange: Exchange,
  headersSent: boolean,
): ResponsePlan | Promise<ResponsePlan> {
  let written: Promise<void> | null = null;
  try {
    written = flush(engine, exchange.state);
  } catch (error) {
    forgive(engine, exchange, error);
  }
  if (written === null) return plan(engine, exchange, headersSent);
  return written.then(
    () => plan(engine, exchange, headersSent),
    (error: unknown) => {
      forgive(engine, exchange, error);
      return plan(engine, exchange, headersSent);
    },
  );
}

/**
 * The event says what was dropped; the answer of a session that ended meanwhile is no error.
 * @throws what was given, where it is one
 */
function forgive(engine: Engine, { state }: Exchange, error: unknown): void {
  if (!isSessionEnded(error) && !dropUnsaved(engine, state, error)) throw error;
}

function plan(engine: Engine, exchange: Exchange, headersSent: boolean): ResponsePlan {
  const plain = plainPlan(exchange);
  if (plain !== null) return plain;
  const making = cookieMaking(engine.settings, exchange.secure);
  const carried = carriedCookies(exchange, making);
  const [sealed] = carried;
  const cookie = decideCookie(exchange, making);
  const device = exchange.device?.take() ?? null;
  return planResponse(exchange, {
    cookie: cookie && sendable(engine, exchange, { cookie, headersSent }),
    device: device && sendable(engine, exchange, { cookie: device, headersSent }),
    carried: sealed && sendable(engine, exchange, { cookie: sealed, headersSent }) ? carried : [],
  });
}

function sendable(
  engine: Engine,
  exchange: Exchange,
  { cookie, headersSent }: { cookie: PlannedCookie; headersSent: boolean },
): PlannedCookie | null {
  const isInsecure = cookie.attributes.secure && !exchange.secure;
  if (!headersSent && !isInsecure) return cookie;
  const reason = headersSent ? "headers-sent" : "insecure-request";
  engine.events.emit("cookie-unsent", { reason, handle: exchange.session.handle });
  if (isInsecure) engine.settings.warnOnce("insecure-request", INSECURE);
  return null;
}

const INSECURE =
  "a session cookie could not be set because the request did not come over https. Behind a TLS proxy let the framework trust it (express: app.set('trust proxy', 1); fastify: trustProxy: true); for plain http in development set cookie.secure to 'auto'";

function misuse(): SojournError {
  return new SojournError(
    "SOJOURN_ADAPTER_MISUSE",
    "commit() was given a context that begin() did not make",
  );
}
