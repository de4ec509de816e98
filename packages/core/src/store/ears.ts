/** Who listens to which channel. For stores whose signals come on a line that can be lost. */
import type { SignalListener } from "./contract.ts";

/** A connection that hears channels, until it is lost. */
interface Hearing {
  hear(channel: string): Promise<void>;
}

/** One who listens. */
export interface Ear {
  readonly channel: string;
  readonly listener: SignalListener;
}

/** Listeners, and the line that each is heard for on. */
export class Ears<Line extends Hearing> {
  readonly #lines = new Map<Ear, Line | null>();

  get size(): number {
    return this.#lines.size;
  }

  /** All who listen, as they are now. */
  list(): readonly Ear[] {
    return [...this.#lines.keys()];
  }

  add(channel: string, listener: SignalListener): Ear {
    const ear = { channel, listener };
    this.#lines.set(ear, null);
    return ear;
  }

  /** False: it did not listen any more. */
  remove(ear: Ear): boolean {
    return this.#lines.delete(ear);
  }

  /** Whether anybody listens to a channel. */
  wants(channel: string): boolean {
    return this.list().some((ear) => ear.channel === channel);
  }

  /** Has a line hear the channels of everyone who is not heard for on it, and tells them so. Rejects when it cannot. */
  async tune(line: Line): Promise<void> {
    for (const [ear, its] of this.#lines) {
      if (its === line) continue;
      this.#lines.set(ear, line);
      await line.hear(ear.channel);
      if (this.#lines.has(ear)) quietly(() => ear.listener.opened());
    }
  }

  /** Hands a message on. */
  tell(channel: string, text: string): void {
    for (const { channel: its, listener } of this.#lines.keys()) {
      if (its === channel) quietly(() => listener.message(text));
    }
  }
}

/** A listener that throws harms no other one. */
function quietly(call: () => void): void {
  try {
    call();
  } catch {
    // its author's to catch: there is nobody here to tell
  }
}
