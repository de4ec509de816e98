/** `csrfGuard`: refuses what another site may have made a browser send. */
import {
  type CsrfOptions,
  csrfFacts,
  csrfPolicy,
  csrfRejected,
  type Session,
  SojournError,
} from "@sojourn/core";
import type { FastifyInstance, FastifyPluginAsync } from "fastify";
import fastifyPlugin from "fastify-plugin";

declare module "fastify" {
  interface FastifyContextConfig {
    /** `false`: the CSRF guard lets this route alone, as for a webhook. */
    csrf?: boolean;
  }
}

/** Options of {@link csrfGuard}. */
export interface CsrfGuardOptions extends CsrfOptions {
  /** Where the session is: `request[property]`. Default `"session"`. */
  readonly property?: string;
}

/**
 * `await app.register(csrfGuard, options)`, after `sessionPlugin`: guards every unsafe request of the scope, but
 * for routes with `config: { csrf: false }`. Answers 403 with SOJOURN_CSRF_REJECTED. A token is looked
 * for in the header `x-csrf-token`, then in the field `_csrf` of the parsed body.
 * @throws SOJOURN_OPTIONS_INVALID; SOJOURN_ADAPTER_MISUSE without a session in the scope
 */
export const csrfGuard: FastifyPluginAsync<CsrfGuardOptions> = fastifyPlugin(register, {
  name: "@sojourn/fastify/csrf",
  fastify: ">=5",
});

async function register(
  app: FastifyInstance,
  { property = "session", ...options }: CsrfGuardOptions,
): Promise<void> {
  const policy = csrfPolicy(options);
  if (!app.hasRequestDecorator(property)) {
    throw new SojournError(
      "SOJOURN_ADAPTER_MISUSE",
      `csrfGuard needs request.${property}: register sessionPlugin before it, in this scope or an enclosing one`,
    );
  }
  app.addHook("preValidation", async (request, reply) => {
    if (request.routeOptions.config?.csrf === false) return;
    const session = Reflect.get(request, property) as Session;
    const reason = session.checkCsrf(csrfFacts(request), policy);
    if (reason === null) return;
    reply.header("vary", "Sec-Fetch-Site, Origin");
    throw csrfRejected(reason);
  });
}
