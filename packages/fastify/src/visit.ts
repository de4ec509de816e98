/** One request on its way through the core: begun, then committed before and after the answer. */
import type { Pipeline, RequestContext, Session } from "@sojourn/core";
import type { FastifyReply, FastifyRequest } from "fastify";
import { applyPlan, discardAnswer } from "./reply.ts";

/** Drives the pipeline for one request. After a failure it leaves the reply alone. */
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

  /** Loads the session. @throws SOJOURN_STORE_… */
  async begin(): Promise<void> {
    const request = this.#request;
    try {
      this.#context = await this.#pipeline.begin({
        cookieHeader: request.headers.cookie,
        secure: request.protocol === "https",
        client: () => ({ ip: request.ip, userAgent: request.headers["user-agent"] }),
      });
    } catch (error) {
      this.#failure = { error };
      throw error;
    }
    this.#reply.raw.once("close", () => void this.#commitLate(this.#context));
  }

  /**
   * Commits before the headers leave and returns the payload to send. Fastify calls it again for
   * an error answer. @throws SOJOURN_STORE_… and whatever else keeps the changes from being written
   */
  async commit(payload: unknown): Promise<unknown> {
    if (this.#context === undefined || this.#failure || this.#reply.raw.headersSent) return payload;
    try {
      const plan = await this.#pipeline.commit(this.#context);
      return applyPlan(this.#reply, plan, payload);
    } catch (error) {
      this.#failure = { error };
      discardAnswer(this.#reply, payload, error);
      throw error;
    }
  }

  /** For what changed after the headers: streams, hijacked replies, raw writes, aborted requests. */
  async #commitLate(context: RequestContext | undefined): Promise<void> {
    if (context === undefined || this.#failure) return;
    try {
      await this.#pipeline.commit(context, { headersSent: true });
    } catch (error) {
      this.#request.log.error({ err: error }, "session changes made after the answer are lost");
    }
  }
}
