/**
 * One connection on which a server tells of every key that changes: `CLIENT TRACKING … BCAST`, sent to itself as
 * messages, which RESP2 can carry. Makes one attempt; whoever wants to go on opens another.
 */
import { RECEIVER_OPTIONS } from "../line.ts";
import type { RedisClient } from "../options.ts";

/** The channel that the server sends invalidations on, to who was redirected to. */
const INVALIDATIONS = "__redis__:invalidate";
/** How long connecting and each command may take, in ms. */
const ANSWER_WITHIN = 2_000;

/** Who hears. */
export interface Hearer {
  /** Keys changed; null: perhaps all of them did. */
  changed(keys: readonly string[] | null): void;
  /** Nothing is heard any more. Told once. */
  lost(): void;
}

/** What a channel needs of ioredis. */
interface Tracker {
  connect(): Promise<void>;
  disconnect(): void;
  client(...args: (string | number)[]): Promise<unknown>;
  subscribe(channel: string): Promise<unknown>;
  on(event: "messageBuffer", listener: (channel: Buffer, keys: unknown) => void): unknown;
  on(event: "error" | "end", listener: () => void): unknown;
}

/** See the top of the file. */
export class Channel {
  readonly #tracker: Tracker;
  readonly #hearer: Hearer;
  #isOver = false;

  /** @param client to whose server it goes; it is not used itself */
  constructor(client: RedisClient, hearer: Hearer) {
    this.#tracker = client.duplicate?.({ ...RECEIVER_OPTIONS, protocol: 2 }) as Tracker;
    this.#hearer = hearer;
    this.#tracker.on("error", () => this.close());
    this.#tracker.on("end", () => this.close());
    this.#tracker.on("messageBuffer", (_channel, keys) => this.#hear(keys));
  }

  /** Hears of every key that begins so, from now on. Rejects when it cannot; it is then over. */
  async open(prefix: string): Promise<void> {
    const timer = setTimeout(() => this.close(), ANSWER_WITHIN).unref();
    try {
      await this.#tracker.connect();
      const id = String(await this.#tracker.client("ID"));
      const tracking = ["TRACKING", "ON", "REDIRECT", id, "BCAST", "PREFIX", prefix];
      await this.#tracker.client(...tracking);
      await this.#tracker.subscribe(INVALIDATIONS);
    } catch (error) {
      this.close();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Idempotent. */
  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#tracker.disconnect();
    this.#hearer.lost();
  }

  #hear(keys: unknown): void {
    if (this.#isOver) return;
    this.#hearer.changed(Array.isArray(keys) ? keys.map(String) : null);
  }
}
