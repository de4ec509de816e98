/** A line: one connection that hears channels until it is lost, and knows when it is. */
import type { PostgresClient, PostgresNotification } from "./options.ts";

/** How long each question may take, in ms. */
const ANSWER_WITHIN = 5_000;
/** How often a silent line is asked whether it is still there, in ms. */
const ASK_EVERY = 5_000;
const LOST = "The line was lost";

/** What a line does with what it hears, and with its connection in the end. */
export interface LineEnds {
  readonly heard: (channel: string, text: string) => void;
  readonly giveBack: () => void;
}

/** Hears on a connection of its own; whoever wants to go on hearing makes another line. */
export class Line {
  /** Resolves when the connection is gone, or given back. */
  readonly lost: Promise<void>;
  readonly #client: PostgresClient;
  readonly #ends: LineEnds;
  readonly #heartbeat: NodeJS.Timeout;
  #closed = false;
  #lose: () => void = () => {};

  constructor(client: PostgresClient, ends: LineEnds) {
    this.#client = client;
    this.#ends = ends;
    this.lost = new Promise((resolve) => {
      this.#lose = resolve;
    });
    client.on("notification", this.#onNotification);
    client.on("error", this.#onLost);
    client.on("end", this.#onLost);
    this.#heartbeat = setInterval(() => void this.#ask("SELECT 1").catch(() => {}), ASK_EVERY);
    this.#heartbeat.unref();
  }

  /** Hears a channel from now on. Rejects when it cannot; the line is then lost. */
  async hear(channel: string): Promise<void> {
    await this.#ask(`LISTEN ${channel}`);
  }

  /** Hears a channel no more. */
  leave(channel: string): void {
    this.#ask(`UNLISTEN ${channel}`).catch(() => {});
  }

  /** Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#heartbeat);
    this.#client.removeListener("notification", this.#onNotification);
    this.#client.removeListener("error", this.#onLost);
    this.#client.removeListener("end", this.#onLost);
    this.#ends.giveBack();
    this.#lose();
  }

  async #ask(text: string): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(LOST)), ANSWER_WITHIN);
      timer.unref();
    });
    try {
      await Promise.race([this.#client.query({ text }), tooLate]);
    } catch (error) {
      this.close();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  readonly #onNotification = ({ channel, payload = "" }: PostgresNotification): void => {
    this.#ends.heard(channel, payload);
  };

  readonly #onLost = (): void => this.close();
}
