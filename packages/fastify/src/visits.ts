/** Where the visit of a request is kept, and when it is begun. */
import type { Pipeline } from "@sojourn/core";
import type { FastifyReply, FastifyRequest } from "fastify";
import { type Ready, Visit } from "./visit.ts";

/** The visit; or the reply of a request that brought no cookie of ours, until somebody asks for its session. */
type Kept = Visit | FastifyReply | null;

/** Of one plugin. */
export class Visits {
  /** Of the request's own property. */
  readonly key: symbol;
  readonly #pipeline: Pipeline;
  readonly #property: string;

  constructor(pipeline: Pipeline, property: string) {
    this.key = Symbol(`sojourn ${property}`);
    this.#pipeline = pipeline;
    this.#property = property;
  }

  /**
   * Begins a request. Of one that brings nothing only the reply is kept, until somebody asks for its session: most
   * often nobody does.
   */
  begin(request: FastifyRequest, reply: FastifyReply, ready: Ready): void {
    if (!this.#pipeline.mayBring(request.headers.cookie)) this.#keep(request, reply);
    else if (!hasOptedOut(request, this.#property)) return this.#made(request, reply).begin(ready);
    ready();
  }

  /** The visit of a request; null where its route has none. */
  of(request: FastifyRequest): Visit | null {
    const kept = this.#kept(request);
    if (kept === null || kept instanceof Visit) return kept;
    if (hasOptedOut(request, this.#property)) return null;
    const visit = this.#made(request, kept);
    visit.beginVisitor();
    return visit;
  }

  /** The visit of a request, if it was begun. */
  begun(request: FastifyRequest): Visit | null {
    const kept = this.#kept(request);
    return kept instanceof Visit ? kept : null;
  }

  #made(request: FastifyRequest, reply: FastifyReply): Visit {
    const visit = new Visit(this.#pipeline, request, reply);
    this.#keep(request, visit);
    return visit;
  }

  #kept(request: FastifyRequest): Kept {
    return Reflect.get(request, this.key);
  }

  #keep(request: FastifyRequest, kept: Visit | FastifyReply): void {
    Reflect.set(request, this.key, kept);
  }
}

/** Whether the route of a request goes without a session. */
export function hasOptedOut(request: FastifyRequest, property: string): boolean {
  const config = request.routeOptions.config as unknown as Record<string, unknown> | undefined;
  return config?.[property] === false;
}
