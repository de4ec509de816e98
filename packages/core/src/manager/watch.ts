/** Watches sessions that something long-lived hangs on, as a WebSocket does, and tells when they end. */
import type { AnySessionEvent, SessionEvents } from "../events.ts";
import { endingNow, type Engine } from "../lifecycle/engine.ts";
import { parseDuration, type Duration } from "../options/duration.ts";
import { expired } from "../policy/expiry.ts";
import { type Ending, type Handle, isTombstone } from "../store/contract.ts";
import { ownerKey } from "../token/tag.ts";
import { parseHandle } from "../token/token.ts";
import { SojournError } from "../errors.ts";

/** Longest and default time between two looks at a watched session, in ms. */
const LOOK_EVERY = 30_000;
const TELLING = ["logout", "revoked", "evicted", "expired", "login"] as const;

/** Options of `sessions.watch`. */
export interface WatchOptions {
  /** How often the store is asked anyway, in case a message was lost. Default `'30s'`. */
  readonly every?: Duration;
}

/** The watched sessions of one manager. */
export class Watches {
  readonly #engine: Engine;
  readonly #all = new Set<Watch>();
  #silence: (() => void)[] = [];
  #closed = false;

  constructor(engine: Engine) {
    this.#engine = engine;
    const lookAtAll = (): void => {
      for (const watch of this.#all) watch.look();
    };
    engine.relay?.onOpened(lookAtAll);
    engine.local?.onEnding(lookAtAll);
  }

  /** See `Sessions.watch`. @throws SOJOURN_OPTIONS_INVALID, SOJOURN_STORE_UNSUPPORTED, SOJOURN_STORE_CLOSED */
  add(text: string, onEnded: (ending: Ending) => void, { every }: WatchOptions = {}): () => void {
    const handle = parseHandle(text);
    if (handle === null) throw invalid("handle: must be that of a session, as session.handle is");
    const everyMs = every === undefined ? LOOK_EVERY : duration(every);
    if (this.#engine.settings.store.carrier) throw outOfSight();
    if (this.#closed) throw closed();
    if (this.#all.size === 0) this.#listen();
    const watch = new Watch(this.#engine, { handle, everyMs }, (ending) => {
      this.#remove(watch);
      this.#tell(onEnded, ending);
    });
    this.#all.add(watch);
    watch.look();
    return () => this.#remove(watch);
  }

  close(): void {
    this.#closed = true;
    for (const watch of this.#all) this.#remove(watch);
  }

  /** As with events: who listens badly disturbs nobody. */
  #tell(onEnded: (ending: Ending) => unknown, ending: Ending): void {
    const complain = (error: unknown): void => {
      const message = "a listener of sessions.watch() threw";
      const { logger } = this.#engine.settings;
      if (logger) logger.error({ err: error }, message);
      else process.emitWarning(`${message}: ${String(error)}`, "SojournWarning");
    };
    try {
      const answer = onEnded(ending);
      if (answer instanceof Promise) answer.catch(complain);
    } catch (error) {
      complain(error);
    }
  }

  #remove(watch: Watch): void {
    watch.stop();
    this.#all.delete(watch);
    if (this.#all.size > 0) return;
    for (const silence of this.#silence.splice(0)) silence();
  }

  #listen(): void {
    this.#engine.relay?.listen();
    this.#silence = TELLING.map((type) =>
      this.#engine.events.on(type, (event) => {
        for (const watch of this.#all) watch.hear(event);
      }),
    );
  }
}

/** One watched session. Events and timers only make it look: the store's word counts. */
class Watch {
  readonly #engine: Engine;
  readonly #handle: Handle;
  readonly #everyMs: number;
  readonly #onEnded: (ending: Ending) => void;
  #timer: NodeJS.Timeout | undefined;
  #principal: string | null | undefined;
  #stopped = false;

  constructor(
    engine: Engine,
    { handle, everyMs }: { handle: Handle; everyMs: number },
    onEnded: (ending: Ending) => void,
  ) {
    this.#engine = engine;
    this.#handle = handle;
    this.#everyMs = everyMs;
    this.#onEnded = onEnded;
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  hear(event: AnySessionEvent): void {
    const ending = this.#endingIn(event);
    if (ending) this.look(ending);
  }

  /** `told`: how it is said to have ended, which counts where the store cannot be asked. */
  look(told: Ending | null = null): void {
    void this.#look(told);
  }

  async #look(told: Ending | null): Promise<void> {
    const { kind } = this.#engine.settings;
    let ending = told;
    let waitMs = this.#everyMs;
    try {
      const found = await this.#engine.store.read({ kind, handle: this.#handle });
      const now = this.#engine.settings.clock.now();
      if (found === null) ending = told ?? endingNow(this.#engine, "revoked", UNKNOWN);
      else if (isTombstone(found)) ({ ending } = found);
      else {
        const why = expired(found, now);
        ending = why === null ? null : { why, at: found.expiresAt, seenAt: found.seenAt };
        this.#principal = found.owner;
        waitMs = Math.min(waitMs, Math.max(1, found.expiresAt - now));
      }
    } catch {
      // The store is away: what was told counts, and without that the next look will tell.
    }
    if (this.#stopped) return;
    clearTimeout(this.#timer);
    if (ending === null) this.#timer = setTimeout(() => this.look(), waitMs).unref();
    else {
      this.stop();
      this.#onEnded(ending);
    }
  }

  #endingIn(event: AnySessionEvent): Ending | null {
    if (event.type === "login") return this.#replaced(event);
    if (!("ending" in event) || !event.ending) return null;
    if (event.type === "revoked" && event.handle === null) {
      return this.#isMeant(event) ? event.ending : null;
    }
    return event.handle === this.#handle ? event.ending : null;
  }

  #replaced({ previous, handle, at }: SessionEvents["login"]): Ending | null {
    return previous === this.#handle ? { why: "rotated", at, successor: handle } : null;
  }

  #isMeant({ principal, except }: SessionEvents["revoked"]): boolean {
    if (except === this.#handle) return false;
    if (principal === null || this.#principal === undefined) return true;
    return this.#principal === ownerKey(this.#engine.settings.namespace, principal);
  }
}

const UNKNOWN = { reason: "nothing is known of this session" };

function duration(value: Duration): number {
  const ms = parseDuration(value);
  if (typeof ms === "number" && ms > 0 && ms <= 2 ** 31 - 1) return ms;
  const problem = typeof ms === "number" ? "must be longer than 0 and at most 24 days" : ms.problem;
  throw invalid(`every: ${problem}`);
}

function outOfSight(): SojournError {
  return new SojournError(
    "SOJOURN_STORE_UNSUPPORTED",
    "sessions.watch() needs a store that can be asked for a session; with this one sessions are in the browsers",
  );
}

function closed(): SojournError {
  return new SojournError(
    "SOJOURN_STORE_CLOSED",
    "sessions.watch() after close(): usually a connection that came in while the server was going down",
  );
}

function invalid(problem: string): SojournError {
  return new SojournError("SOJOURN_OPTIONS_INVALID", `sessions.watch(): ${problem}`);
}
