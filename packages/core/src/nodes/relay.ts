/** Tells the other processes on a store what happened in this one, and hears what happened there. */
import { randomUUID } from "node:crypto";
import { isSojournError } from "../errors.ts";
import type { AnySessionEvent, Events } from "../events.ts";
import type { Signals } from "../store/contract.ts";
import { crosses, decodeEvent, encodeEvent } from "./crossing.ts";

/** What a relay works between. */
export interface RelayParts {
  readonly signals: Signals;
  /** Managers hear each other on one topic: their kind. */
  readonly topic: string;
  readonly events: Events;
}

/**
 * Sends events as they happen, without waiting: a message that is lost costs time, no guarantee.
 * Listens only once somebody wants to know.
 */
export class Relay {
  readonly #parts: RelayParts;
  readonly #node = randomUUID();
  readonly #onOpened = new Set<() => void>();
  #stop: (() => void) | null = null;
  #closed = false;

  constructor(parts: RelayParts) {
    this.#parts = parts;
    parts.events.forwardTo({ wants: crosses, tell: (event) => void this.#send(event) });
  }

  /** Begins to listen, if it does not yet. */
  listen(): void {
    if (this.#stop || this.#closed) return;
    const { signals, topic, events } = this.#parts;
    this.#stop = signals.listen(topic, {
      message: (text) => {
        const event = decodeEvent(this.#node, text);
        if (event) events.deliver(event);
      },
      opened: () => {
        for (const listener of this.#onOpened) listener();
      },
    });
  }

  /** Calls `listener` whenever listening began, or began again: messages may have been missed. */
  onOpened(listener: () => void): void {
    this.#onOpened.add(listener);
  }

  close(): void {
    this.#closed = true;
    this.#stop?.();
    this.#stop = null;
  }

  async #send(event: AnySessionEvent): Promise<void> {
    const { signals, topic, events } = this.#parts;
    if (this.#closed) return;
    try {
      await signals.send(topic, encodeEvent(this.#node, event));
    } catch (error) {
      const code = isSojournError(error) ? error.code : "SOJOURN_STORE_UNAVAILABLE";
      events.emit("store-failed", { operation: "signal", code });
    }
  }
}
