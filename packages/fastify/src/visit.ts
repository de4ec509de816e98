/** One request on its way through the core: begun, then committed before and after the answer. */
import type { Pipeline, RequestContext, ResponsePlan, Session } from "@sojourn/core";
import type { FastifyReply, FastifyRequest } from "fastify";
import { Facts } from "./facts.ts";
import { applyPlan, discardAnswer } from "./reply.ts";

type Done = (error?: Error) => void;
type Sent = (error: Error | null, payload?: unknown) => void;

/**
 * Drives the pipeline for one request, as hooks of Fastify do: where there is nothing to wait for, the callback is
 * called at once; else the promise is the answer, for Fastify catches what goes wrong behind it. After a
 * failure it leaves the reply alone.
 */
export class Visit {
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

  /** Loads the session. Rejects with SOJOURN_STORE_… */
  begin(done: Done): Promise<void> | undefined {
    const begun = this.#pipeline.begin(new Facts(this.#request));
    if (begun instanceof Promise)
      return begun.then(
        (context) => this.#begun(context),
        (error: unknown) => this.#fail(error),
      );
    this.#begun(begun);
    done();
    return undefined;
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

  #begun(context: RequestContext): void {
    this.#context = context;
    this.#reply.raw.on("close", () => void this.#commitLate(context));
  }

  async #committed(planned: Promise<ResponsePlan>, payload: unknown): Promise<unknown> {
    let plan: ResponsePlan;
    try {
      plan = await planned;
    } catch (error) {
      return this.#discard(error, payload);
    }
    return this.#applied(plan, payload);
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
  async #commitLate(context: RequestContext): Promise<void> {
    if (this.#failure) return;
    try {
      await this.#pipeline.commit(context, { headersSent: true });
    } catch (error) {
      this.#request.log.error({ err: error }, "session changes made after the answer are lost");
    }
  }
}
