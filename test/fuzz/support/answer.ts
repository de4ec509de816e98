/** A manager on a store that counts, and what it makes of one request. */
import type { AnySessionEvent, ResponsePlan, SessionOptions } from "@sojourn/core";
import { createSessionManager, isSojournError, memoryStore } from "@sojourn/core";
import type { Store } from "@sojourn/core";
import { countingStore } from "../../../packages/core/test/support/intercept.ts";

export const SECRET = "a secret of the fuzz tests that is long enough";
export const CLIENT = { ip: "192.0.2.7", userAgent: "Fuzz/1" };
export const COOKIE = "__Host-sid";

/** What a request led to. */
export interface Answer {
  readonly principal: string | null;
  readonly calls: readonly string[];
  /** Types of the events, with the reason of a rejection. */
  readonly told: readonly string[];
  readonly plan: ResponsePlan;
}

/** A manager under fuzz. */
export interface Target {
  readonly store: Store;
  /** A request with that header that looks at its session and changes nothing. */
  ask(header: string | undefined): Promise<Answer>;
  /** The value of the cookie of a new session of ada. */
  loggedIn(): Promise<string>;
}

export function target(options: SessionOptions = {}): Target {
  const { store, calls } = countingStore(memoryStore());
  const told: string[] = [];
  const { sessions, pipeline } = createSessionManager({
    secret: SECRET,
    logger: false,
    absolute: "30d",
    idle: null,
    cookie: { secure: true },
    ...options,
    store,
  });
  sessions.on("*", (event) => told.push(kindOf(event)));
  return {
    store,
    async ask(header) {
      calls.length = 0;
      told.length = 0;
      const facts = { cookieHeader: header, secure: true, client: () => CLIENT };
      const context = await pipeline.begin(facts);
      const { principal } = context.session;
      const plan = await pipeline.commit(context);
      return { principal, calls: [...calls], told: [...told], plan };
    },
    async loggedIn() {
      const { setCookie } = await sessions.create({ principal: "ada" });
      return setCookie.slice(setCookie.indexOf("=") + 1, setCookie.indexOf(";"));
    },
  };
}

function kindOf(event: AnySessionEvent): string {
  return event.type === "cookie-rejected" ? `rejected: ${event.reason}` : event.type;
}

/** Runs `work`: its code where it fails with a SojournError; every other error comes out. */
export async function codeOf(work: () => unknown): Promise<string | null> {
  try {
    await work();
    return null;
  } catch (error) {
    if (isSojournError(error)) return error.code;
    throw error;
  }
}
