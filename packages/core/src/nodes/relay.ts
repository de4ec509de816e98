/** Tells the other processes on a store what happened in this one, and hears what happened there. */
import { randomUUID } from "node:crypto";
// By name, for clocks that tests put in its place leave this one alone.
import { setImmediate } from "node:timers";
import { Pending } from "../collections/pending.ts";
import { isSojournError, SojournError } from "../errors.ts";
import type { AnySessionEvent, Events } from "../events.ts";
import type { Signals } from "../store/contract.ts";
import { withDeadline } from "../store/deadline.ts";
import { crosses, decodeEvents, encodeEvents } from "./crossing.ts";

/** What a relay works between. */
export interface RelayParts {
  readonly signals: Signals;
  /** Managers hear each other on one topic: their kind. */
  readonly topic: string;
  readonly events: Events;
  /** Longest wait for messages under way when it closes, in ms. */
  readonly deadlineMs: number;
}

/**
 * Sends events as they happen, those of one turn of the event loop together, without waiting: a message that is
 * lost costs time, no guarantee. Listens only once somebody wants to know.
 */
export class Relay {
  readonly #parts: RelayParts;
  readonly #node = randomUUID();
  readonly #onOpened = new Set<() => void>();
  readonly #sending = new Pending();
  /** What happened in this turn. */
  #told: AnySessionEvent[] = [];
  #stop: (() => void) | null = null;
  #closed = false;

  constructor(parts: RelayParts) {
    this.#parts = parts;
    parts.events.forwardTo({ wants: crosses, tell: (event) => this.#tell(event) });
  }

  /** Begins to listen, if it does not yet. */
  listen(): void {
    if (this.#stop || this.#closed) return;
    const { signals, topic, events } = this.#parts;
    this.#stop = signals.listen(topic, {
      message: (text) => {
        for (const event of decodeEvents(this.#node, text)) events.deliver(event);
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

  /** Hears nothing any more, and waits for what is being sent. */
  async close(): Promise<void> {
    this.#sendTold();
    this.#closed = true;
    this.#stop?.();
    this.#stop = null;
    await withDeadline(this.#sending.settled(), this.#parts.deadlineMs, tooLate).catch(() => {});
  }

  #tell(event: AnySessionEvent): void {
    if (this.#closed) return;
    if (this.#told.length === 0) setImmediate(() => this.#sendTold());
    this.#told.push(event);
  }

  #sendTold(): void {
    const told = this.#told;
    this.#told = [];
    for (const message of encodeEvents(this.#node, told))
      void this.#sending.add(this.#send(message));
  }

  async #send(message: string): Promise<void> {
    const { signals, topic, events } = this.#parts;
    try {
      await signals.send(topic, message);
    } catch (error) {
      const code = isSojournError(error) ? error.code : "SOJOURN_STORE_UNAVAILABLE";
      events.emit("store-failed", { operation: "signal", code });
    }
  }
}

function tooLate(): SojournError {
  return new SojournError("SOJOURN_STORE_TIMEOUT", "some events could not be sent in time");
}
