/** A manager with sealed sessions, browsers that carry them, and a ledger whose calls are counted. */
import {
  createSessionManager,
  isSojournError,
  memoryStore,
  type AnySessionEvent,
  type ErrorCode,
  type PlannedCookie,
  type RequestContext,
  type ResponsePlan,
  type Session,
  type SessionManager,
  type SessionOptions,
  type Store,
} from "@sojourn/core";
import { cookieStore, type CookieStoreOptions } from "../../src/index.ts";

export const SECRET = "a secret of the cookie store's tests";
export const SECOND = 1_000;
export const MINUTE: number = 60 * SECOND;
export const HOUR: number = 60 * MINUTE;
export const DAY: number = 24 * HOUR;

/** A clock that stands still until it is turned. */
export class HandClock {
  #now = Date.UTC(2030, 0, 1);
  now = (): number => this.#now;
  advance(ms: number): void {
    this.#now += ms;
  }
}

/** A ledger that tells what it was asked, and can be made to fail. */
export interface WatchedLedger {
  readonly store: Store;
  /** Names of the calls so far. */
  calls: string[];
  /** Replace it to hold or fail calls. */
  around: (operation: string, call: () => Promise<unknown>) => Promise<unknown>;
}

export function watched(inner: Store): WatchedLedger {
  const ledger: WatchedLedger = {
    calls: [],
    around: (_operation, call) => call(),
    store: new Proxy(inner, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== "function" || name === "scan" || name === "close") return member;
        return (...args: unknown[]) => {
          ledger.calls.push(String(name));
          return ledger.around(String(name), async () => member.apply(target, args) as unknown);
        };
      },
    }),
  };
  return ledger;
}

/** One manager on a cookie store. */
export interface World extends SessionManager {
  readonly clock: HandClock;
  readonly ledger: WatchedLedger;
  readonly events: AnySessionEvent[];
  browser(): Browser;
  /** A browser in which a user has logged in. */
  loggedIn(user: string): Promise<Browser>;
}

/** What a world is made of; `ledger` and `clock` may be shared with another one. */
export interface Wanted {
  readonly clock?: HandClock;
  readonly ledger?: WatchedLedger;
  readonly options?: SessionOptions;
  readonly store?: Partial<CookieStoreOptions>;
}

export function world({
  clock = new HandClock(),
  ledger = watched(memoryStore({ clock })),
  options = {},
  store = {},
}: Wanted = {}): World {
  const manager = createSessionManager({
    secret: SECRET,
    logger: false,
    clock,
    ...options,
    store: cookieStore({ epochs: ledger.store, clock, ...store }),
  });
  const events: AnySessionEvent[] = [];
  manager.sessions.on("*", (event) => events.push(event));
  const browser = (): Browser => new Browser(manager, options.cookie?.secure !== false);
  return {
    ...manager,
    clock,
    ledger,
    events,
    browser,
    async loggedIn(user) {
      const visitor = browser();
      await visitor.visit((session) => session.login(user));
      return visitor;
    },
  };
}

/** One request under way. */
export interface Visit {
  readonly context: RequestContext;
  readonly session: Session & Record<string, unknown>;
  /** Commits, and gives the cookies to the browser. */
  close(): Promise<ResponsePlan>;
}

/** A browser as the pipeline sees it. */
export class Browser {
  readonly jar = new Map<string, string>();
  readonly manager: SessionManager;
  readonly #secure: boolean;

  constructor(manager: SessionManager, secure = true) {
    this.manager = manager;
    this.#secure = secure;
  }

  get cookie(): string {
    return [...this.jar].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  /** Names of the cookies that carry the record, in order. */
  get parts(): string[] {
    return [...this.jar.keys()].filter((name) => name.includes(".")).toSorted();
  }

  /** Another browser with the same cookies, at another manager if one is given. */
  copy(manager: SessionManager = this.manager): Browser {
    const twin = new Browser(manager, this.#secure);
    for (const [name, value] of this.jar) twin.jar.set(name, value);
    return twin;
  }

  async open(cookieHeader: string = this.cookie): Promise<Visit> {
    const { pipeline } = this.manager;
    const context = await pipeline.begin({
      cookieHeader,
      secure: this.#secure,
      client: () => ({ ip: "192.0.2.7", userAgent: "Test/1" }),
    });
    return {
      context,
      get session() {
        return context.session as Session & Record<string, unknown>;
      },
      close: async () => {
        const plan = await pipeline.commit(context);
        this.take(plan);
        return plan;
      },
    };
  }

  /** A whole request; resolves to what the handler returned. */
  async visit<T>(handler: (session: Visit["session"]) => T | Promise<T>): Promise<T> {
    const visit = await this.open();
    const answer = await handler(visit.session);
    await visit.close();
    return answer;
  }

  take(plan: ResponsePlan): void {
    for (const { name, value, attributes } of cookiesOf(plan)) {
      if (attributes.maxAge === 0) this.jar.delete(name);
      else this.jar.set(name, value);
    }
  }

  /** Who is logged in with these cookies; the browser itself notices nothing. */
  async principal(): Promise<string | null> {
    return (await this.copy().open()).session.principal;
  }
}

export function cookiesOf({ cookie, carried }: ResponsePlan): PlannedCookie[] {
  return [...(cookie ? [cookie] : []), ...carried];
}

/** The code of the SojournError that the work fails with. */
export async function failureCode(work: Promise<unknown> | (() => unknown)): Promise<ErrorCode> {
  try {
    await (typeof work === "function" ? work() : work);
  } catch (error) {
    if (isSojournError(error)) return error.code;
    throw error;
  }
  throw new Error("the work was to fail, but it did not");
}
