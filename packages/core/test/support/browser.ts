/** A browser as the pipeline sees it: sends its cookie, keeps what the response says. */
import type { Pipeline, RequestContext } from "../../src/pipeline.ts";
import type { ResponsePlan } from "../../src/response/plan.ts";
import type { ClientFacts } from "../../src/request/facts.ts";
import type { SessionFacts, SessionMethods } from "../../src/session/types.ts";
import type { FakeClock } from "./clock.ts";

/** Data keys that tests use as properties. */
export interface TestData {
  a?: unknown;
  b?: unknown;
  cart?: unknown;
  count?: unknown;
  user?: unknown;
}

/** A session whose data keys are open, whatever other tests merge into `SessionData`. */
export type TestSession = SessionMethods & SessionFacts & TestData & Record<string, unknown>;

/** One request under way. */
export interface Visit {
  /** The session of the request; read it anew after `regenerate()`. */
  readonly session: TestSession;
  readonly context: RequestContext;
  /** Commits, and gives the response's cookie to the browser. */
  close(): Promise<ResponsePlan>;
}

/** What a browser is made of. */
export interface BrowserParts {
  readonly pipeline: Pipeline;
  readonly clock: FakeClock;
  readonly secure?: boolean;
  readonly client?: ClientFacts;
}

/** See the top of the file. */
export class Browser {
  readonly parts: BrowserParts;
  /** The plan of the last response. */
  plan: ResponsePlan | null = null;
  #name = "";
  #value: string | null = null;
  #expiresAt = Infinity;

  constructor(parts: BrowserParts) {
    this.parts = parts;
  }

  /** The `Cookie` header, or undefined. */
  get cookie(): string | undefined {
    const isKept = this.#value !== null && this.parts.clock.now() < this.#expiresAt;
    return isKept ? `${this.#name}=${this.#value}` : undefined;
  }

  /** The cookie's value; fails the test where there is none. */
  get value(): string {
    if (this.#value === null) throw new Error("this browser has no cookie");
    return this.#value;
  }

  /** Another browser with the same cookie: a thief, a backup, an earlier tab. */
  clone(): Browser {
    const twin = new Browser(this.parts);
    twin.#name = this.#name;
    twin.#value = this.#value;
    twin.#expiresAt = this.#expiresAt;
    return twin;
  }

  /** The same cookie sent to another manager. */
  at(pipeline: Pipeline): Browser {
    const twin = this.clone();
    return Object.assign(twin, { parts: { ...this.parts, pipeline } });
  }

  /** Begins a request with the cookie as it is now. */
  async open(header: string | undefined = this.cookie): Promise<Visit> {
    const {
      pipeline,
      secure = true,
      client = { ip: "192.0.2.7", userAgent: "Test/1" },
    } = this.parts;
    const context = await pipeline.begin({ cookieHeader: header, secure, client: () => client });
    return {
      context,
      get session() {
        return context.session as TestSession;
      },
      close: async () => {
        const plan = await pipeline.commit(context);
        this.take(plan);
        return plan;
      },
    };
  }

  /** A whole request; resolves to what the handler returned. */
  async visit<T>(handler: (session: TestSession, visit: Visit) => T | Promise<T>): Promise<T> {
    const visit = await this.open();
    const answer = await handler(visit.session, visit);
    await visit.close();
    return answer;
  }

  /** Does with the cookie what a browser does. */
  take(plan: ResponsePlan): void {
    this.plan = plan;
    if (!plan.cookie) return;
    const { name, value, attributes } = plan.cookie;
    const { maxAge } = attributes;
    this.#name = name;
    this.#value = maxAge === 0 ? null : value;
    this.#expiresAt = maxAge === undefined ? Infinity : this.parts.clock.now() + maxAge * 1_000;
  }
}

/** Who is logged in with this browser's cookie; the browser itself notices nothing. */
export function principalOf(visitor: Browser): Promise<string | null> {
  return visitor
    .clone()
    .open()
    .then(({ session }) => session.principal);
}
