/** The way to Redis: runs scripts, fails fast while it is away, and lets go of what it made. */
import type { Writable } from "node:stream";
import { Bag } from "@sojourn/core/store";
import type { SojournError } from "@sojourn/core/store";
import { Batch } from "./batch.ts";
import { clientFor } from "./client.ts";
import { closed, unavailable } from "./errors.ts";
import type { StoreScript } from "./lua/script.ts";
import type { ParsedOptions, RedisClient } from "./options.ts";
import { type Running, type UnderWay, Work } from "./under-way.ts";
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
  readonly batch: Batch;
  readonly #running: Running = new Bag();
  /** Called when the connection is lost, or there. */
  readonly #waiting = new Set<() => void>();
  #lastError: Error | undefined;
  #closing: Promise<void> | null = null;

  constructor({ client, address }: ParsedOptions) {
    this.#own = client === null;
    this.client = client ?? this.#connect(address);
    this.batch = new Batch(this.client);
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
  operation<T>(name: string, work: () => Promise<T>): Promise<T> {
    return this.ask(new Work({ name, work, decode: same }));
  }

  /** As {@link operation}, of one that is made already. */
  ask<T>(operation: UnderWay<T>): Promise<T> {
    if (this.#closing) return Promise.reject(closed());
    operation.join(this.#running);
    if (this.isOpen) this.#begin(operation);
    else void this.#beginWhenReady(operation);
    return operation.told;
  }

  /**
   * Runs a script by its hash; sends its source when the server does not know it. In a cluster it is sent with a
   * second key, and neither is ever written: a cluster answers TRYAGAIN to two absent keys while it
   * moves their slot, where it would let a script with one of them run on the half that has arrived.
   */
  run(
    { sha, source }: StoreScript,
    key: string,
    now: number,
    args: readonly (string | number)[],
  ): Promise<unknown> {
    const keys = this.client.isCluster ? [key, `${key}:`] : [key];
    return this.client.evalsha(sha, keys.length, ...keys, now, ...args).catch((error: unknown) => {
      if (!(error instanceof Error) || !error.message.startsWith("NOSCRIPT")) throw error;
      return this.client.eval(source, keys.length, ...keys, now, ...args);
    });
  }

  /**
   * Whether what is sent now goes to the server. A client says `ready` for a moment longer than it has a socket, and would
   * keep for the next one what has been told as failed.
   */
  get isOpen(): boolean {
    const { status, stream } = this.client as RedisClient & { readonly stream?: Partial<Writable> };
    return status === "ready" && stream?.writable !== false;
  }

  /** The error of an operation that the connection is not there for. */
  lost(operation: string): SojournError {
    const { status } = this.client;
    return unavailable(operation, status === "ready" ? "closing" : status, this.#lastError);
  }

  /** Resolves when nothing is under way any more. */
  async drain(): Promise<void> {
    if (this.#closing) throw closed();
    this.batch.send();
    await this.#settled();
  }

  /** Waits for what is under way, then closes a client of its own. Idempotent. */
  close(): Promise<void> {
    this.batch.send();
    this.#closing ??= this.#shutDown();
    return this.#closing;
  }

  async #beginWhenReady<T>(operation: UnderWay<T>): Promise<void> {
    try {
      await this.#ready(operation.name);
    } catch (error) {
      return operation.fail(error);
    }
    if (!operation.isOver) this.#begin(operation);
  }

  #begin<T>(operation: UnderWay<T>): void {
    this.batch.join();
    try {
      operation.begin();
    } catch (thrown) {
      operation.fail(thrown);
    }
  }

  /** Waits for a connection that is being made; one that is broken is waited for by nobody. */
  async #ready(name: string): Promise<void> {
    if (this.client.status === "wait") void this.client.connect().catch(() => {});
    if (COMING.has(this.client.status)) await this.#decided();
    if (!this.isOpen) throw this.lost(name);
  }

  /** Resolves when the connection is there or lost, or after a while. */
  #decided(): Promise<void> {
    return new Promise((resolve) => {
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
    for (const operation of this.#running.list()) operation.fail(this.lost(operation.name));
  };

  async #settled(): Promise<void> {
    await Promise.all(this.#running.list().map((operation) => operation.over()));
  }

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
    await Promise.race([this.#settled(), patience]);
    clearTimeout(timer);
    if (this.#own) this.client.disconnect();
    this.client.off("ready", this.#onReady);
    this.client.off("close", this.#onLost);
    this.client.off("end", this.#onLost);
  }
}

function same<T>(answer: T): T {
  return answer;
}
