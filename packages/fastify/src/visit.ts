/** One request on its way through the core: begun, then committed before and after the answer. */
import type {
  ClientFacts,
  Pipeline,
  RequestContext,
  RequestFacts,
  ResponsePlan,
  Session,
} from "@sojourn/core";
import { thrownError } from "@sojourn/core";
import type { FastifyReply, FastifyRequest } from "fastify";
import { applyPlan, discardAnswer } from "./reply.ts";

/** Fastify's callback of `onRequest`. */
export type Ready = (error?: Error) => void;
type Sent = (error: Error | null, payload?: unknown) => void;

/** Drives the pipeline for one request. After a failure it leaves the reply alone. */
export class Visit implements RequestFacts {
  readonly #pipeline: Pipeline;
  readonly #request: FastifyRequest;
  readonly #reply: FastifyReply;
  #context: RequestContext | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(pipeline: Pipeline, request: FastifyRequest, reply: FastifyReply) {
    this.#pipeline = pipeline;
    this.#request = request;
    this.#reply = reply;
  }

  /** Undefined while it begins. @throws the error of {@link begin}, where that failed */
  get session(): Session | undefined {
    if (this.#context === undefined && this.#failure) throw this.#failure.error;
    return this.#context?.session;
  }

  /** Of a request that brings no session: at once. */
  beginVisitor(): void {
    this.#context = this.#pipeline.beginVisitor(this);
  }

  /** Loads the session, then calls `ready`; with SOJOURN_STORE_… where that fails. */
  begin(ready: Ready): void {
    const serve = (context: RequestContext): void => {
      this.#context = context;
      ready();
    };
    const begun = this.#pipeline.begin(this);
    if (!(begun instanceof Promise)) return serve(begun);
    begun.then(serve, (thrown: unknown) => {
      const error = thrownError(thrown);
      this.#failure = { error };
      ready(error as Error);
    });
  }

  /**
   * Commits before the headers leave; the answer is the payload to send. Rejects with SOJOURN_STORE_… and
   * whatever else keeps the changes from being written. Fastify calls it again for an error answer.
   */
  commit(payload: unknown, sent: Sent): Promise<unknown> | undefined {
    if (this.#context === undefined || this.#failure || this.#reply.raw.headersSent) {
      sent(null, payload);
      return undefined;
    }
    const planned = this.#pipeline.commit(this.#context);
    if (planned instanceof Promise) return this.#committed(planned, payload);
    sent(null, this.#applied(planned, payload));
    return undefined;
  }

  get cookieHeader(): string | undefined {
    return this.#request.headers.cookie;
  }

  /** As Fastify says, which knows the proxies to trust; so is the client's `ip`. */
  get secure(): boolean {
    return this.#request.protocol === "https";
  }

  client(): ClientFacts {
    const { ip, headers } = this.#request;
    return { ip, userAgent: headers["user-agent"] };
  }

  /** Commits once more when the response is over. */
  hasWork(): void {
    this.#reply.raw.on("close", () => this.#commitLate());
  }

  #committed(planned: Promise<ResponsePlan>, payload: unknown): Promise<unknown> {
    return planned.then(
      (plan) => this.#applied(plan, payload),
      (error: unknown) => this.#discard(error, payload),
    );
  }

  #applied(plan: ResponsePlan, payload: unknown): unknown {
    try {
      return applyPlan(this.#reply, plan, payload);
    } catch (error) {
      return this.#discard(error, payload);
    }
  }

  #discard(error: unknown, payload: unknown): never {
    discardAnswer(this.#reply, payload, error);
    return this.#fail(error);
  }

  #fail(error: unknown): never {
    this.#failure = { error };
    throw error;
  }

  /** For what changed after the headers: streams, hijacked replies, raw writes, aborted requests. */
  #commitLate(): void {
    if (this.#failure || this.#context === undefined) return;
    const planned = this.#pipeline.commit(this.#context, LATE);
    if (planned instanceof Promise) planned.catch((error: unknown) => this.#lost(error));
  }

  #lost(error: unknown): void {
    this.#request.log.error({ err: error }, "session changes made after the answer are lost");
  }
}

const LATE = { headersSent: true };
