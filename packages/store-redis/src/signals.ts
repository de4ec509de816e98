/** Messages between the processes that share a Redis: pub/sub, sharded on a cluster. */
import { type Ear, Ears, type SignalListener, type Signals } from "@sojourn/core/store";
import type { Connection } from "./connection.ts";
import { Line, RECEIVER_OPTIONS } from "./line.ts";
import type { Receiver } from "./line.ts";
import { has } from "./options.ts";
import type { ParsedOptions, RedisClient } from "./options.ts";

/** Longest wait between attempts to listen, in ms; the first ones come at once. */
const LONGEST_PAUSE = 1_000;
const PAUSE_STEP = 50;

/** The signals of a store; undefined where its client has no pub/sub, or `events` is false. */
export function signalsOf(
  connection: Connection,
  { prefix, events }: ParsedOptions,
): RedisSignals | undefined {
  const { client } = connection;
  const able = has(client, client.isCluster ? ["nodes", "spublish"] : ["duplicate", "publish"]);
  return able && events ? new RedisSignals(connection, prefix) : undefined;
}

/**
 * Sends on the store's client. Listens on a connection of its own, which is there while anybody
 * listens and the client has not ended, and is made again for ever when it is lost.
 */
export class RedisSignals implements Signals {
  readonly #connection: Connection;
  readonly #client: RedisClient;
  readonly #sharded: boolean;
  readonly #prefix: string;
  readonly #ears = new Ears<Line>();
  #line: Line | null = null;
  #running = false;
  /** Attempts in vain since the last line that heard. */
  #failures = 0;
  /** Counts the nodes of a cluster: the line goes to whichever has the channels' slot. */
  #turn = 0;
  #wake: () => void = () => {};

  constructor(connection: Connection, prefix: string) {
    this.#connection = connection;
    this.#client = connection.client;
    this.#sharded = this.#client.isCluster === true;
    this.#prefix = prefix;
  }

  /** @throws SOJOURN_STORE_UNAVAILABLE and its like: nobody may have heard */
  async send(topic: string, text: string): Promise<void> {
    const { keyPrefix = "" } = this.#client.options ?? {};
    const channel = this.#channel(topic);
    await this.#connection.operation("send an event", async () => {
      // SPUBLISH takes the client's keyPrefix for its channel, PUBLISH does not
      if (this.#sharded) await this.#client.spublish?.(channel, text);
      else await this.#client.publish?.(`${keyPrefix}${channel}`, text);
    });
  }

  listen(topic: string, listener: SignalListener): () => void {
    const { keyPrefix = "" } = this.#client.options ?? {};
    if (this.#ears.size === 0) {
      this.#client.on("ready", this.#onReady);
      this.#client.on("end", this.#onEnd);
    }
    const ear = this.#ears.add(`${keyPrefix}${this.#channel(topic)}`, listener);
    if (this.#line?.isOpen) this.#ears.tune(this.#line).catch(() => {});
    this.#start();
    return () => this.#forget(ear);
  }

  /** Hears nothing any more. */
  close(): void {
    for (const ear of this.#ears.list()) this.#forget(ear);
  }

  /** One hash tag for all topics, so that one line of a cluster hears them all; one db, one channel. */
  #channel(topic: string): string {
    const { db = 0 } = this.#client.options ?? {};
    return `${this.#prefix}:{events}:${db}:${encodeURIComponent(topic)}`;
  }

  #forget(ear: Ear): void {
    if (!this.#ears.remove(ear)) return;
    const { channel } = ear;
    if (this.#ears.size === 0) {
      this.#client.off("ready", this.#onReady);
      this.#client.off("end", this.#onEnd);
      this.#hangUp();
    } else if (!this.#ears.wants(channel)) {
      this.#line?.leave(channel);
    }
  }

  #start(): void {
    if (this.#running) return;
    this.#running = true;
    void this.#keepListening();
  }

  async #keepListening(): Promise<void> {
    while (this.#ears.size > 0 && this.#client.status !== "end") {
      await this.#listenOnce();
      if (this.#ears.size > 0) await this.#pause();
    }
    this.#running = false;
  }

  /** Hears until the line is lost. */
  async #listenOnce(): Promise<void> {
    const receiver = this.#receiver();
    if (!receiver) return;
    const line = new Line(receiver, {
      sharded: this.#sharded,
      heard: (channel, text) => this.#ears.tell(channel, text),
    });
    this.#line = line;
    try {
      await line.open();
      await this.#ears.tune(line);
      const since = performance.now();
      await line.lost;
      if (performance.now() - since > LONGEST_PAUSE) this.#failures = 0;
    } catch {
      this.#turn += 1;
    } finally {
      line.close();
      if (this.#line === line) this.#line = null;
    }
  }

  /** A connection of its own: to the server, or to one node of the cluster after the other. */
  #receiver(): Receiver | undefined {
    if (!this.#sharded) return this.#client.duplicate?.(RECEIVER_OPTIONS) as Receiver;
    const nodes = this.#nodes();
    const node = nodes[this.#turn % nodes.length];
    return node?.duplicate?.(RECEIVER_OPTIONS) as Receiver | undefined;
  }

  /** Masters first: a replica hears too, but not once it is cut off from its master. */
  #nodes(): readonly RedisClient[] {
    const masters = this.#client.nodes?.("master") ?? [];
    const all = this.#client.nodes?.("all") ?? [];
    return [...masters, ...all.filter((node) => !masters.includes(node))] as RedisClient[];
  }

  /** Goes round the nodes at once, then waits longer and longer; ends when the client is ready. */
  async #pause(): Promise<void> {
    this.#failures += 1;
    const round = this.#sharded ? this.#nodes().length : 1;
    if (this.#failures % round === 0) this.#client.refreshSlotsCache?.();
    const ms = Math.min(Math.max(this.#failures - round, 0) * PAUSE_STEP, LONGEST_PAUSE);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      timer.unref();
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #hangUp(): void {
    this.#line?.close();
    this.#line = null;
    this.#wake();
  }

  readonly #onReady = (): void => {
    this.#wake();
    this.#start();
  };

  readonly #onEnd = (): void => this.#hangUp();
}
