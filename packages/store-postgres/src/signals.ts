/** Messages between the processes that share a database: LISTEN and NOTIFY. */
import { assertText, Ears, SojournError } from "@sojourn/core/store";
import type { Ear, SignalListener, Signals } from "@sojourn/core/store";
import type { Connection } from "./connection.ts";
import { Line } from "./line.ts";
import { channelOf } from "./names.ts";
import { decode, encode } from "./text.ts";

/** What a notification has room for, in bytes (Postgres manual, NOTIFY). */
const MOST_BYTES = 7_999;
/** Longest wait between attempts to listen, in ms; the first ones come at once. */
const LONGEST_PAUSE = 1_000;
const PAUSE_STEP = 50;
const NOTIFY = { text: "SELECT pg_notify($1, $2)" };

/**
 * Listens on a connection of the pool, which it keeps while anybody listens; another one is taken when
 * it is lost, for ever.
 */
export class PostgresSignals implements Signals {
  readonly #connection: Connection;
  readonly #ears = new Ears<Line>();
  #line: Line | null = null;
  #running = false;
  /** Attempts in vain since the last line that heard. */
  #failures = 0;
  #wake: () => void = () => {};

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** @throws SOJOURN_DATA_TOO_LARGE over 7,999 bytes; SOJOURN_STORE_UNAVAILABLE and its like */
  async send(topic: string, text: string): Promise<void> {
    assertText("the message", text);
    const payload = encode(text);
    const bytes = Buffer.byteLength(payload);
    if (bytes > MOST_BYTES) throw tooLarge(bytes);
    await this.#connection.ask("send an event", NOTIFY, [this.#channel(topic), payload]);
  }

  listen(topic: string, listener: SignalListener): () => void {
    const ear = this.#ears.add(this.#channel(topic), listener);
    if (this.#line) this.#ears.tune(this.#line).catch(() => {});
    if (!this.#running) void this.#keepListening();
    return () => this.#forget(ear);
  }

  /** Hears nothing any more. */
  close(): void {
    for (const ear of this.#ears.list()) this.#forget(ear);
  }

  #channel(topic: string): string {
    return channelOf(this.#connection.names, topic);
  }

  #forget(ear: Ear): void {
    if (!this.#ears.remove(ear)) return;
    if (this.#ears.size === 0) {
      this.#line?.close();
      this.#wake();
    } else if (!this.#ears.wants(ear.channel)) {
      this.#line?.leave(ear.channel);
    }
  }

  async #keepListening(): Promise<void> {
    this.#running = true;
    while (this.#ears.size > 0) {
      await this.#listenOnce();
      if (this.#ears.size > 0) await this.#pause();
    }
    this.#running = false;
  }

  /** Hears until the line is lost. */
  async #listenOnce(): Promise<void> {
    const since = performance.now();
    try {
      const line = await this.#open();
      this.#line = line;
      if (this.#ears.size === 0) line.close();
      await this.#ears.tune(line);
      await line.lost;
    } catch {
      // the next attempt may go better
    } finally {
      this.#line?.close();
      this.#line = null;
      if (performance.now() - since > LONGEST_PAUSE) this.#failures = 0;
    }
  }

  async #open(): Promise<Line> {
    const connection = this.#connection;
    const client = await connection.lend("listen");
    return new Line(client, {
      heard: (channel, text) => this.#ears.tell(channel, decode(text)),
      giveBack: () => connection.give(client, false),
    });
  }

  /** Longer and longer; ends when nobody listens any more. */
  async #pause(): Promise<void> {
    const ms = Math.min(this.#failures * PAUSE_STEP, LONGEST_PAUSE);
    this.#failures += 1;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      timer.unref();
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function tooLarge(bytes: number): SojournError {
  return new SojournError(
    "SOJOURN_DATA_TOO_LARGE",
    `A message of ${bytes} bytes does not fit into a notification of Postgres (limit ${MOST_BYTES})`,
    { details: { bytes, limit: MOST_BYTES } },
  );
}
