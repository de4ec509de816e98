/** The plugin: where a session begins and is committed on the way of a Fastify request. */
import { createSessionManager, SojournError } from "@sojourn/core";
import type { Logger, Session, SessionOptions, Sessions } from "@sojourn/core";
import type { FastifyInstance, FastifyPluginAsync, FastifyRequest } from "fastify";
import fastifyPlugin from "fastify-plugin";
import { hasOptedOut, Visits } from "./visits.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** The session of this request. Throws SOJOURN_ADAPTER_MISUSE where the route has none. */
    session: Session;
  }
  interface FastifyInstance {
    /** The session manager, for code outside a request. */
    sessions: Sessions;
  }
  interface FastifyContextConfig {
    /** `false`: no session on this route, and no store call. */
    session?: boolean;
  }
}

/** Options of {@link sessionPlugin}: those of the core, and the session's name on the request. */
export type SessionPluginOptions = SessionOptions & {
  /**
   * The session is `request[property]`, its manager `app[property + "s"]`, and a route goes without
   * by `config: { [property]: false }`. Default `"session"`.
   */
  readonly property?: string;
};

/**
 * `await app.register(sessionPlugin, options)`: `request.session` on every route of the scope.
 * The response leaves after the commit; a commit that fails is an error answer in its place.
 * The store is opened here, so errors of start-up come out of `register` or `app.ready()`.
 * @throws SOJOURN_OPTIONS_INVALID; SOJOURN_STORE_… when the store cannot be opened;
 * SOJOURN_ADAPTER_MISUSE when the scope already has this property or this cookie.
 */
export const sessionPlugin: FastifyPluginAsync<SessionPluginOptions> = fastifyPlugin(register, {
  name: "@sojourn/fastify",
  fastify: ">=5",
});

async function register(
  app: FastifyInstance,
  { property = "session", ...options }: SessionPluginOptions,
): Promise<void> {
  claim(app, property, options);
  const logger = options.logger ?? loggerOf(app);
  const { sessions, pipeline } = createSessionManager({ ...options, logger });
  const visits = new Visits(pipeline, property);

  app.decorate<Sessions>(`${property}s`, sessions);
  app.decorateRequest<Session>(property, {
    getter(this: FastifyRequest) {
      return visits.of(this)?.session ?? refuse(this, property);
    },
  });
  app.decorateRequest(visits.key, null);
  app.addHook("onRequest", (request, reply, ready) => visits.begin(request, reply, ready));
  app.addHook("onSend", (request, _reply, payload, done) => {
    const visit = visits.begun(request);
    if (visit === null) return done(null, payload);
    return visit.commit(payload, done);
  });
  app.addHook("onClose", () => sessions.close());
  await sessions.ready();
}

/**
 * Two sessions over one property or one cookie would undo each other's work. An enclosing scope may
 * get its session after this one, so that is looked at again when everything is registered.
 */
function claim(app: FastifyInstance, property: string, { cookie = {} }: SessionOptions): void {
  const { name = "sid", path = "/", domain = "" } = cookie;
  const mark = `sojourn cookie ${name};${path};${domain}`;
  const look = (scope: object): void => {
    if (`${property}s` in scope) throw taken(`app.${property}s`, property);
    if (mark in scope) throw taken(`the cookie '${name}' with path '${path}'`, property);
  };
  if (app.hasRequestDecorator(property)) throw taken(`request.${property}`, property);
  look(app);
  app.decorate(mark, true);
  app.addHook("onReady", async () => look(Object.getPrototypeOf(app) as object));
}

function taken(what: string, property: string): SojournError {
  return misuse(
    `sessionPlugin for request.${property}: ${what} is taken in this scope or an enclosing one. ` +
      "Register it once, or give the second session names of its own: " +
      "{ property: 'adminSession', cookie: { name: 'admin' } }",
  );
}

/** Without `logger: true` Fastify's is one empty function for all levels: then warnings need another way. */
function loggerOf({ log }: FastifyInstance): Logger | undefined {
  return log.info === log.error ? undefined : log;
}

function refuse(request: FastifyRequest, property: string): never {
  const route = `${request.method} ${request.routeOptions.url ?? request.url}`;
  throw misuse(
    hasOptedOut(request, property)
      ? `request.${property} was read on ${route}, which has config: { ${property}: false }. ` +
          "Remove that from the route, or do without the session there"
      : `request.${property} was read on ${route} before the session began. ` +
          "Register sessionPlugin before the onRequest hook that reads it",
  );
}

function misuse(message: string): SojournError {
  return new SojournError("SOJOURN_ADAPTER_MISUSE", message);
}
