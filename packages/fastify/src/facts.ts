/** What the core needs to know of a request, from Fastify. */
import type { ClientFacts, RequestFacts } from "@sojourn/core";
import type { FastifyRequest } from "fastify";

/** Looked at when asked for: `protocol` and `ip` are Fastify's, which knows the proxies to trust. */
export class Facts implements RequestFacts {
  readonly #request: FastifyRequest;

  constructor(request: FastifyRequest) {
    this.#request = request;
  }

  get cookieHeader(): string | undefined {
    return this.#request.headers.cookie;
  }

  get secure(): boolean {
    return this.#request.protocol === "https";
  }

  client(): ClientFacts {
    const { ip, headers } = this.#request;
    return { ip, userAgent: headers["user-agent"] };
  }
}
