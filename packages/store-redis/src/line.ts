/** A line: one connection that hears channels until it is lost, and knows when it is. */

/** The client of a line: an ioredis `Redis` that nobody else uses. */
export interface Receiver {
  connect(): Promise<void>;
  disconnect(): void;
  subscribe(channel: string): Promise<unknown>;
  unsubscribe(channel: string): Promise<unknown>;
  ssubscribe(channel: string): Promise<unknown>;
  sunsubscribe(channel: string): Promise<unknown>;
  on(event: "message" | "smessage", listener: (channel: string, text: string) => void): unknown;
  on(event: "error" | "moved" | "end", listener: () => void): unknown;
}

/** What a receiver needs beside the settings of the client that it is a duplicate of. */
export const RECEIVER_OPTIONS: Readonly<Record<string, unknown>> = {
  lazyConnect: true,
  retryStrategy: null,
  reconnectOnError: null,
  sentinelRetryStrategy: null,
  autoResubscribe: false,
  enableAutoPipelining: false,
  enableOfflineQueue: true,
  readOnly: false,
  keyPrefix: "",
  himportFieldsets: undefined,
};

/** How long connecting and each subscription may take, in ms. */
const ANSWER_WITHIN = 5_000;
/** How often a silent line is asked whether it still hears, in ms. */
const ASK_EVERY = 5_000;

const LOST = "The line was lost";

/** Makes one attempt; whoever wants to go on hearing makes another line. */
export class Line {
  /** Resolves when the connection is gone, or will not hear any more. */
  readonly lost: Promise<void>;
  readonly #receiver: Receiver;
  readonly #sharded: boolean;
  readonly #channels = new Set<string>();
  readonly #waiting = new Set<(error: Error | null) => void>();
  #open = false;
  #closed = false;
  #lose: () => void = () => {};
  #heartbeat: NodeJS.Timeout | undefined;

  constructor(
    receiver: Receiver,
    { sharded, heard }: { sharded: boolean; heard: (channel: string, text: string) => void },
  ) {
    this.#receiver = receiver;
    this.#sharded = sharded;
    this.lost = new Promise((resolve) => {
      this.#lose = resolve;
    });
    receiver.on(sharded ? "smessage" : "message", heard);
    // ioredis says "moved", or in its version 5 "error", when a slot went to another node
    for (const sign of ["end", "error", "moved"] as const) receiver.on(sign, () => this.close());
  }

  /** True from when it is connected until it is lost. */
  get isOpen(): boolean {
    return this.#open;
  }

  /** Connects. Rejects when that fails, or takes too long. */
  async open(): Promise<void> {
    await this.#answered(this.#receiver.connect());
    if (this.#closed) throw new Error(LOST);
    this.#open = true;
    this.#heartbeat = setInterval(() => this.#ask(), ASK_EVERY);
    this.#heartbeat.unref();
  }

  /** Hears a channel from now on. Rejects when it cannot; the line is then lost. */
  async hear(channel: string): Promise<void> {
    this.#channels.add(channel);
    const receiver = this.#receiver;
    await this.#answered(
      this.#sharded ? receiver.ssubscribe(channel) : receiver.subscribe(channel),
    );
  }

  /** Hears a channel no more. */
  leave(channel: string): void {
    this.#channels.delete(channel);
    const receiver = this.#receiver;
    const left = this.#sharded ? receiver.sunsubscribe(channel) : receiver.unsubscribe(channel);
    left.catch(() => this.close());
  }

  /** Idempotent; ioredis would time each disconnecting anew. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#open = false;
    clearInterval(this.#heartbeat);
    this.#receiver.disconnect();
    for (const settle of this.#waiting) settle(new Error(LOST));
    this.#lose();
  }

  /** Subscribes again to what it hears: a dead connection, or a node without the slot, shows. */
  #ask(): void {
    const [channel] = this.#channels;
    if (channel !== undefined) this.hear(channel).catch(() => {});
  }

  /** Waits for an answer, not longer than for the line's own end: ioredis 5 leaves some without. */
  #answered(answer: Promise<unknown>): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.close(), ANSWER_WITHIN);
      timer.unref();
      const settle = (error: Error | null): void => {
        clearTimeout(timer);
        this.#waiting.delete(settle);
        if (error === null) resolve();
        else reject(error);
      };
      this.#waiting.add(settle);
      answer.then(
        () => settle(null),
        () => {
          this.close();
          settle(new Error(LOST));
        },
      );
    });
  }
}
