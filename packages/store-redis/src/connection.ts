/** The way to Redis: runs scripts, fails fast while it is away, and lets go of what it made. */
import { clientFor } from "./client.ts";
import { closed, toSojournError, unavailable } from "./errors.ts";
import type { Script } from "./lua/script.ts";
import type { ParsedOptions, RedisClient } from "./options.ts";
import type { Address } from "./url.ts";

/** How long an operation waits for a connection that is being made, in ms: less than a deadline. */
const READY_WITHIN = 1_500;
/** How long `close` waits for operations under way, in ms. */
const DRAIN_WITHIN = 2_000;
const COMING = new Set(["connecting", "connect", "wait"]);

/** One client and what is under way on it. */
export class Connection {
  readonly client: RedisClient;
  readonly #own: boolean;
  /** Operations under way. */
  readonly #running = new Set<Promise<unknown>>();
  /** Called when the connection is lost, or there. */
  readonly #lost = new Set<(error: Error) => void>();
  readonly #waiting = new Set<() => void>();
  #lastError: Error | undefined;
  #closing: Promise<void> | null = null;

  constructor({ client, address }: ParsedOptions) {
    this.#own = client === null;
    this.client = client ?? this.#connect(address);
    this.client.on("ready", this.#onReady);
    this.client.on("close", this.#onLost);
    this.client.on("end", this.#onLost);
  }

  /** Waits until the client is ready. @throws SOJOURN_STORE_UNAVAILABLE */
  async open(): Promise<void> {
    await this.operation("connect", async () => {});
  }

  /**
   * One operation of the store: refused when closed or not connected, and rejected when the
   * connection is lost meanwhile, whatever the client does with the command later.
   */
  async operation<T>(name: string, run: () => Promise<T>): Promise<T> {
    if (this.#closing) throw closed();
    const outcome = this.#guarded(name, run);
    this.#running.add(outcome);
    try {
      return await outcome;
    } finally {
      this.#running.delete(outcome);
    }
  }

  /**
   * Runs a script by its hash; sends its source when the server does not know it. It is sent with a
   * second key, and neither is ever written: a cluster answers TRYAGAIN to two absent keys while it
   * moves their slot, where it would let a script with one of them run on the half that has arrived.
   */
  async run({ sha, source }: Script, key: string, args: readonly string[]): Promise<unknown> {
    const keys = [key, `${key}:`];
    try {
      return await this.client.evalsha(sha, 2, ...keys, ...args);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith("NOSCRIPT")) throw error;
      return this.client.eval(source, 2, ...keys, ...args);
    }
  }

  /** Resolves when nothing is under way any more. */
  async drain(): Promise<void> {
    if (this.#closing) throw closed();
    await Promise.allSettled(this.#running);
  }

  /** Waits for what is under way, then closes a client of its own. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#shutDown();
    return this.#closing;
  }

  async #guarded<T>(name: string, run: () => Promise<T>): Promise<T> {
    let onLost: ((error: Error) => void) | undefined;
    const lost = new Promise<never>((_resolve, reject) => {
      onLost = reject;
    });
    try {
      if (this.client.status !== "ready") await this.#ready(name);
      if (onLost) this.#lost.add(onLost);
      return await Promise.race([run(), lost]);
    } catch (error) {
      if (error === LOST) throw unavailable(name, this.client.status, this.#lastError);
      throw toSojournError(name, error);
    } finally {
      if (onLost) this.#lost.delete(onLost);
    }
  }

  /** Waits for a connection that is being made; one that is broken is waited for by nobody. */
  async #ready(name: string): Promise<void> {
    if (this.client.status === "wait") void this.client.connect().catch(() => {});
    if (COMING.has(this.client.status)) await this.#settled();
    if (this.client.status !== "ready") {
      throw unavailable(name, this.client.status, this.#lastError);
    }
  }

  async #settled(): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, READY_WITHIN);
      this.#waiting.add(done);
    });
  }

  readonly #onReady = (): void => {
    this.#lastError = undefined;
    for (const done of this.#waiting) done();
  };

  readonly #onLost = (): void => {
    for (const done of this.#waiting) done();
    for (const reject of this.#lost) reject(LOST);
  };

  #connect(address: Address | null): RedisClient {
    if (address === null) throw new TypeError("neither client nor address");
    const client: RedisClient = clientFor(address);
    client.on("error", (error: Error & { lastNodeError?: Error }) => {
      this.#lastError = error.lastNodeError ?? error;
    });
    return client;
  }

  async #shutDown(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, DRAIN_WITHIN);
    });
    await Promise.race([Promise.allSettled(this.#running), patience]);
    clearTimeout(timer);
    if (this.#own) this.client.disconnect();
    this.client.off("ready", this.#onReady);
    this.client.off("close", this.#onLost);
    this.client.off("end", this.#onLost);
  }
}

const LOST = new Error("The connection was lost");
