/** The way to Postgres: one statement on one connection of the pool, with deadlines and typed errors. */
import { Pending, withDeadline } from "@sojourn/core/store";
import { closed, hung, stateOf, toSojournError, unavailable } from "./errors.ts";
import { migrate } from "./migrate.ts";
import { namesFor } from "./names.ts";
import type { Names } from "./names.ts";
import type { ParsedOptions, PostgresClient, PostgresPool } from "./options.ts";
import { poolFor } from "./pool.ts";
import type { Statement } from "./statements.ts";

/** A connection that owes an answer for so long, in ms, is given up: its server hangs, or the network does. */
const HUNG_AFTER = 5_000;
/** The same for opening, which may wait for another process to migrate. */
const OPEN_WITHIN = 60_000;
/** How long `close` waits for operations under way, in ms. */
const DRAIN_WITHIN = 2_000;
/** Serialization failure and deadlock: the transaction left nothing behind, and may be tried again. */
const AGAIN = new Set(["40001", "40P01"]);
const TRIES = 5;
const LONGEST_PAUSE = 50;
/** No such table, function or schema: somebody dropped them, and they are made again. */
const VANISHED = new Set(["42P01", "42883", "3F000"]);

/** A pool and what is under way on it. */
export class Connection {
  readonly names: Names;
  readonly pool: PostgresPool;
  readonly #own: boolean;
  readonly #migrate: boolean;
  readonly #connectWithin: number;
  /** Operations under way. */
  readonly #running = new Pending();
  #ready: Promise<void> | null = null;
  #closing: Promise<void> | null = null;

  constructor(options: ParsedOptions) {
    const { pool, url, schema, table, connectWithin } = options;
    this.names = namesFor(schema, table);
    this.#own = pool === null;
    this.pool = pool ?? poolFor(url ?? "", connectWithin);
    this.#migrate = options.migrate;
    this.#connectWithin = connectWithin;
    this.pool.on("error", ignore);
    this.pool.on("connect", guard);
  }

  /** Connects, and migrates where that is needed; once, or again after it failed. */
  async open(): Promise<void> {
    if (this.#closing) throw closed();
    this.#ready ??= this.#prepare();
    await this.#ready;
  }

  /** Sends a statement, and gives the rows of its answer. @throws SOJOURN_STORE_… */
  async ask(
    operation: string,
    statement: Pick<Statement, "text">,
    values: unknown[],
  ): Promise<readonly unknown[]> {
    if (this.#closing) throw closed();
    return this.#running.add(this.#asked(operation, statement, values));
  }

  /**
   * A connection of the pool, for as long as its taker wants; `give` takes it back.
   * @throws SOJOURN_STORE_UNAVAILABLE when there is none in time
   */
  async lend(operation: string): Promise<PostgresClient> {
    const asked = this.pool.connect();
    try {
      const none = (): Error => unavailable(operation, this.#whyNone());
      const client = await withDeadline(asked, this.#connectWithin, none);
      client.on("error", ignore);
      return client;
    } catch (error) {
      asked.then((unwanted) => unwanted.release()).catch(() => {});
      throw error;
    }
  }

  /** Takes a connection back; one that is not `whole` is closed. */
  give(client: PostgresClient, whole: boolean): void {
    client.removeListener("error", ignore);
    client.release(!whole);
  }

  /** Resolves when nothing is under way any more. */
  async drain(): Promise<void> {
    if (this.#closing) throw closed();
    await this.#running.settled();
  }

  /** Waits for what is under way, then ends a pool of its own. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#shutDown();
    return this.#closing;
  }

  async #asked(
    operation: string,
    statement: Pick<Statement, "text">,
    values: unknown[],
  ): Promise<readonly unknown[]> {
    const unready = (): Error => unavailable(operation, "its tables are still being made ready");
    await withDeadline(this.open(), this.#connectWithin, unready);
    for (let attempt = 1; ; attempt += 1) {
      try {
        const query = { ...statement, values };
        const run = (client: PostgresClient) => client.query(query);
        return (await this.#once(operation, HUNG_AFTER, run)).rows;
      } catch (error) {
        const state = stateOf(error) ?? "";
        if (VANISHED.has(state)) this.#ready = null;
        if (attempt === TRIES || !AGAIN.has(state)) throw toSojournError(operation, error);
        await pause(Math.random() * LONGEST_PAUSE);
      }
    }
  }

  async #prepare(): Promise<void> {
    const settings = { names: this.names, migrate: this.#migrate };
    try {
      await this.#once("open", OPEN_WITHIN, (client) => migrate(client, settings));
    } catch (error) {
      this.#ready = null;
      throw toSojournError("open", error);
    }
  }

  /** Does something on a connection; one that has not answered in time, or is broken, is closed. */
  async #once<T>(
    operation: string,
    ms: number,
    run: (client: PostgresClient) => Promise<T>,
  ): Promise<T> {
    const client = await this.lend(operation);
    let whole = false;
    try {
      const result = await withDeadline(run(client), ms, () => hung(operation, ms));
      whole = true;
      return result;
    } catch (error) {
      whole = isRefusal(error);
      throw error;
    } finally {
      this.give(client, whole);
    }
  }

  #whyNone(): string {
    const { totalCount, options } = this.pool;
    if (totalCount !== undefined && totalCount >= (options?.max ?? Infinity)) {
      return (
        `all ${totalCount} connections of the pool were in use for ${this.#connectWithin} ms: ` +
        "give it a larger max, or find out who holds them"
      );
    }
    return `no connection within ${this.#connectWithin} ms: check that the server runs and can be reached`;
  }

  async #shutDown(): Promise<void> {
    await Promise.race([this.#running.settled(), pause(DRAIN_WITHIN)]);
    if (this.#own) await Promise.race([this.pool.end(), pause(DRAIN_WITHIN)]);
    else {
      this.pool.removeListener("error", ignore);
      this.pool.removeListener("connect", guard);
    }
  }
}

/** True for an error that Postgres answered with, on a connection that goes on. */
function isRefusal(error: unknown): boolean {
  return typeof error === "object" && error !== null && Reflect.get(error, "severity") === "ERROR";
}

/** Without a listener, the loss of an idle connection would end the process. What asks next is told. */
function ignore(): void {}

/**
 * For the moment between a new connection and its taker, when neither the pool listens nor the taker: the
 * server may have ended it in the very message that said it was ready.
 */
function guard(client: PostgresClient): void {
  client.on("error", ignore);
  setImmediate(() => client.removeListener("error", ignore));
}

async function pause(ms: number): Promise<void> {
  await new Promise<void>((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
