/** One request on its way through the core: begun, committed before its answer leaves, and once more when it is over. */
import { thrownError, UNSEEN_PLAN } from "@sojourn/core";
import type {
  ClientFacts,
  Pipeline,
  RequestContext,
  RequestFacts,
  ResponsePlan,
  Session,
} from "@sojourn/core";
import { type Hold, holdResponse } from "./held-response.ts";
import type { SessionRequest, SessionResponse } from "./types.ts";

/** Who is told what becomes of a request. */
export interface Outcomes {
  /** The session is there; or an error, also when the commit failed. */
  readonly next: (error?: unknown) => void;
  /** A commit failed when nobody was left to answer. */
  readonly report: (error: unknown) => void;
}

/** Drives the pipeline for one request. One that brings nothing is begun when its session is asked for. */
export class Visit implements RequestFacts, Hold {
  readonly #pipeline: Pipeline;
  readonly #request: SessionRequest;
  readonly #response: SessionResponse;
  readonly #outcomes: Outcomes;
  #context: RequestContext | null = null;
  #isDropped = false;

  constructor(
    pipeline: Pipeline,
    request: SessionRequest,
    response: SessionResponse,
    outcomes: Outcomes,
  ) {
    this.#pipeline = pipeline;
    this.#request = request;
    this.#response = response;
    this.#outcomes = outcomes;
  }

  /** Loads the session, then calls `ready`, or `next` with the error. */
  begin(ready: (visit: Visit) => void): void {
    if (!this.#pipeline.mayBring(this.cookieHeader)) return ready(this);
    const serve = (context: RequestContext): void => {
      this.#context = context;
      ready(this);
    };
    const begun = this.#pipeline.begin(this);
    if (begun instanceof Promise) begun.then(serve, (thrown: unknown) => this.#fail(thrown));
    else serve(begun);
  }

  /** The session as it is now: its identity changes in `regenerate()`. */
  get session(): Session {
    this.#context ??= this.#pipeline.beginVisitor(this);
    return this.#context.session;
  }

  /** Holds the answer back until what the request changed is committed, then calls `next`. */
  serve(): void {
    holdResponse(this.#response, this);
    this.#outcomes.next();
  }

  commit(): ResponsePlan | Promise<ResponsePlan> {
    return this.#context === null ? UNSEEN_PLAN : this.#pipeline.commit(this.#context);
  }

  dropped(error: unknown): void {
    this.#isDropped = true;
    this.#fail(error);
  }

  get cookieHeader(): string | undefined {
    return this.#request.headers.cookie;
  }

  /** As Express says, which knows the proxies to trust, and so is the client's `ip`; else as the connection is. */
  get secure(): boolean {
    const secure: unknown = Reflect.get(this.#request, "secure");
    if (typeof secure === "boolean") return secure;
    return Reflect.get(this.#request.socket, "encrypted") === true;
  }

  client(): ClientFacts {
    const { headers, socket } = this.#request;
    const ip: unknown = Reflect.get(this.#request, "ip");
    return {
      ip: typeof ip === "string" ? ip : socket.remoteAddress,
      userAgent: headers["user-agent"],
    };
  }

  /** Commits once more when the response is over: what was changed after its headers. */
  hasWork(): void {
    if ("once" in this.#response) this.#response.once("close", () => this.#commitLate());
  }

  #fail(thrown: unknown): void {
    this.#outcomes.next(thrownError(thrown));
  }

  #commitLate(): void {
    if (this.#isDropped || this.#context === null) return;
    const planned = this.#pipeline.commit(this.#context, { headersSent: true });
    if (planned instanceof Promise) planned.catch(this.#outcomes.report);
  }
}
