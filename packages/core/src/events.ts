/** What happens to sessions, told to listeners and to `node:diagnostics_channel`. */
import { channel } from "node:diagnostics_channel";
import type { Clock, UnixMs } from "./clock.ts";
import type { CsrfRejection } from "./csrf/policy.ts";
import type { ClientFacts } from "./request/facts.ts";
import type { ClientCheck } from "./session/types.ts";
import type { ImportResult } from "./snapshot/types.ts";
import type { Ending, Handle } from "./store/contract.ts";

interface EventBase {
  readonly at: UnixMs;
  /** It happened in another process on the same store; told to listeners only, not to the log. */
  readonly remote?: true;
  /** Who sent the request that it happened in, where it was one. */
  readonly client?: ClientFacts;
}
/** An event about one session. */
interface SessionEvent extends EventBase {
  readonly handle: Handle;
  readonly principal: string | null;
}
interface EndingEvent extends SessionEvent {
  readonly ending: Ending;
}

/** Why the cookie of a request was not accepted. */
export type CookieRejection =
  | "malformed"
  | "bad-signature"
  | "unknown-key"
  | "duplicate"
  | "unknown";

/** What a session is worth while the store is away; see `session.degraded`. */
export type Degraded = "stale" | "provisional" | "anonymous";

/** Every event by name. Payloads never hold a token, a key or session data. */
export interface SessionEvents {
  created: SessionEvent & { readonly type: "created" };
  loaded: SessionEvent & { readonly type: "loaded" };
  committed: SessionEvent & { readonly type: "committed"; readonly keys: readonly string[] };
  touched: SessionEvent & { readonly type: "touched" };
  rotated: SessionEvent & {
    readonly type: "rotated";
    readonly cause: "rotate" | "elevate" | "reauthenticate" | "privileges";
  };
  /** `previous`: handle of the session that it grew out of. */
  login: SessionEvent & { readonly type: "login"; readonly previous: Handle | null };
  elevated: SessionEvent & { readonly type: "elevated"; readonly level: number };
  logout: EndingEvent & { readonly type: "logout" };
  /** One session (`handle`) or many (`handle: null`, with `count`) ended from outside. */
  revoked: EventBase & {
    readonly type: "revoked";
    readonly handle: Handle | null;
    /** Null with `handle: null`: everyone. */
    readonly principal: string | null;
    /** The session that was spared. */
    readonly except: Handle | null;
    /** Null: not counted (everyone). */
    readonly count: number | null;
    readonly ending: Ending;
  };
  evicted: EndingEvent & { readonly type: "evicted" };
  /** A browser came with a session that had expired by itself. */
  expired: EndingEvent & { readonly type: "expired" };
  /** A login was refused by the limit. */
  denied: EventBase & {
    readonly type: "denied";
    readonly principal: string;
    readonly active: number;
    readonly max: number;
  };
  "cookie-rejected": EventBase & {
    readonly type: "cookie-rejected";
    readonly reason: CookieRejection;
  };
  /** Another client than the one that the session belongs to came with it; `action`: what the option `binding` says. */
  "client-changed": SessionEvent & {
    readonly type: "client-changed";
    readonly reasons: ClientCheck["reasons"];
    readonly action: "report" | "step-up" | "revoke";
  };
  /** A request that another site may have forged. `enforced: false`: it was let through (reportOnly). */
  "csrf-rejected": EventBase & {
    readonly type: "csrf-rejected";
    readonly reason: CsrfRejection;
    readonly enforced: boolean;
    readonly handle: Handle | null;
  };
  "cookie-unsent": EventBase & {
    readonly type: "cookie-unsent";
    readonly reason: "insecure-request" | "headers-sent";
    readonly handle: Handle | null;
  };
  /** The session ended while this request changed it: the changes were not written. */
  "changes-dropped": EventBase & {
    readonly type: "changes-dropped";
    readonly handle: Handle | null;
    readonly keys: readonly string[];
    readonly ending: Ending | null;
  };
  /** A rotated token was used after its grace time: perhaps stolen. */
  "token-reused": EndingEvent & { readonly type: "token-reused" };
  /** `stale`: read earlier; `provisional`: made while the store is away; `anonymous`: nothing is known. */
  degraded: EventBase & {
    readonly type: "degraded";
    readonly standing: Degraded;
    readonly handle: Handle | null;
    readonly principal: string | null;
  };
  /** The store took over a session that was made while it was away. */
  promoted: SessionEvent & { readonly type: "promoted" };
  /** A snapshot was written. */
  exported: EventBase & {
    readonly type: "exported";
    readonly snapshot: string;
    readonly count: number;
    readonly bytes: number;
  };
  /** A snapshot was read to its end. */
  restored: EventBase & {
    readonly type: "restored";
    readonly snapshot: string;
    readonly count: number;
    readonly skipped: ImportResult["skipped"];
  };
  /** One record of a snapshot (`handle`), or all from some line on, was not restored. */
  "restore-failed": EventBase & {
    readonly type: "restore-failed";
    readonly snapshot: string | null;
    readonly handle: Handle | null;
    readonly reason: string;
  };
  /** A snapshot held more than the option `limit` of an import allows; `count` were left out. */
  "restore-limited": EventBase & {
    readonly type: "restore-limited";
    readonly snapshot: string;
    readonly limit: number;
    readonly count: number;
  };
  /** The store is left alone: its last calls got no answer. */
  "store-down": EventBase & { readonly type: "store-down"; readonly code: string };
  /** The store answers again. `downMs`: since the first call that it did not answer. */
  "store-up": EventBase & { readonly type: "store-up"; readonly downMs: number };
  "store-failed": EventBase & {
    readonly type: "store-failed";
    readonly operation: string;
    readonly code: string;
  };
}

/** Any event. */
export type AnySessionEvent = SessionEvents[keyof SessionEvents];
/** A pino-like logger: `logger.info(facts, message)` and so on. */
export interface Logger {
  debug(facts: object, message: string): void;
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
}

/** Carries events to other processes. */
interface EventRelay {
  wants(name: keyof SessionEvents): boolean;
  tell(event: AnySessionEvent): void;
}

type Listener = (event: AnySessionEvent) => void;
type Level = "debug" | "info" | "warn" | "error";

const LEVELS: Record<keyof SessionEvents, Level> = {
  created: "debug",
  loaded: "debug",
  committed: "debug",
  touched: "debug",
  rotated: "info",
  login: "info",
  elevated: "info",
  logout: "info",
  revoked: "info",
  evicted: "info",
  expired: "info",
  denied: "warn",
  "cookie-rejected": "warn",
  "client-changed": "warn",
  "csrf-rejected": "warn",
  "cookie-unsent": "warn",
  "changes-dropped": "warn",
  "token-reused": "warn",
  degraded: "debug",
  promoted: "info",
  exported: "info",
  restored: "info",
  "restore-failed": "error",
  "restore-limited": "warn",
  "store-down": "error",
  "store-up": "info",
  "store-failed": "error",
};

/** The diagnostics channel on which every event of every manager is published. */
export const EVENT_CHANNEL = "sojourn:session";
const diagnostics = channel(EVENT_CHANNEL);

/** The payload of an event without what the emitter adds. */
export type EventPayload<Name extends keyof SessionEvents> = Omit<
  SessionEvents[Name],
  "type" | "at"
>;

/**
 * Tells listeners, the channel and the log. A listener that throws or rejects disturbs nobody: its
 * error goes to the log, or to a process warning where there is no log or the log throws too.
 */
export class Events {
  readonly #listeners = new Map<keyof SessionEvents | "*", Set<Listener>>();
  readonly #clock: Clock;
  readonly #logger: Logger | undefined;
  #relay: EventRelay | undefined;

  constructor(clock: Clock, logger: Logger | undefined) {
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Adds a listener; returns the function that removes it. */
  on(name: keyof SessionEvents | "*", listener: Listener): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(name);
    };
  }

  /** True if anybody would get the event: lets hot paths skip making its payload. */
  wants(name: keyof SessionEvents): boolean {
    return (
      this.#logger !== undefined ||
      this.#relay?.wants(name) === true ||
      diagnostics.hasSubscribers ||
      this.#listeners.has(name) ||
      this.#listeners.has("*")
    );
  }

  emit<Name extends keyof SessionEvents>(name: Name, payload: EventPayload<Name>): void {
    if (!this.wants(name)) return;
    const event = { type: name, at: this.#clock.now(), ...payload } as unknown as AnySessionEvent;
    this.deliver(event);
    if (this.#relay?.wants(name)) this.#relay.tell(event);
    if (diagnostics.hasSubscribers) diagnostics.publish(event);
    this.#log(LEVELS[name], { session: event }, `session ${name}`);
  }

  /** Tells the listeners alone: for what another process has published and logged already. */
  deliver(event: AnySessionEvent): void {
    for (const key of [event.type, "*"] as const) {
      for (const listener of this.#listeners.get(key) ?? []) this.#tell(listener, event);
    }
  }

  /** Hands the events of this process on as well. */
  forwardTo(relay: EventRelay): void {
    this.#relay = relay;
  }

  #tell(listener: Listener, event: AnySessionEvent): void {
    const complain = (error: unknown): void => {
      const message = `a listener of session event '${event.type}' threw`;
      if (this.#logger) this.#log("error", { err: error }, message);
      else warn(message, error);
    };
    try {
      const answer: unknown = listener(event);
      if (answer instanceof Promise) answer.catch(complain);
    } catch (error) {
      complain(error);
    }
  }

  #log(level: Level, facts: object, message: string): void {
    try {
      this.#logger?.[level](facts, message);
    } catch (error) {
      warn(`the logger threw at '${message}'`, error);
    }
  }
}

function warn(message: string, error: unknown): void {
  process.emitWarning(`${message}: ${String(error)}`, "SojournWarning");
}
