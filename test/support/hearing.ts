/** A listener of the signals that keeps what it heard. */
import type { Signals, Store } from "@sojourn/core/store";
import { eventually } from "./waiting.ts";

/** What was heard, and how to wait for it. */
export class Hearing {
  readonly heard: string[] = [];
  readonly stop: () => void;
  #opened = 0;

  constructor(store: Store, topic: string = "session") {
    this.stop = signalsIn(store).listen(topic, {
      message: (text) => void this.heard.push(text),
      opened: () => {
        this.#opened += 1;
      },
    });
  }

  /** How often listening began. */
  get opened(): number {
    return this.#opened;
  }

  /** Waits until listening has begun so many times. */
  async open(times: number = 1, within: number = 30_000): Promise<this> {
    await eventually(async () => this.#opened >= times, within);
    return this;
  }

  /** Waits for a message. */
  async hears(text: string): Promise<void> {
    await eventually(async () => this.heard.includes(text));
  }
}

/** The signals that a store must have. */
export function signalsIn({ signals }: Store): Signals {
  if (!signals) throw new Error("a store without signals");
  return signals;
}
