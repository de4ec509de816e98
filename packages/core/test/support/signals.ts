/** Messages between managers in one process, which can be lost, held back, refused and listened to. */
import type { SignalListener, Signals, Store } from "../../src/store/contract.ts";

/** One bus for any number of managers. Delivers at once, unless told otherwise. */
export class Bus implements Signals {
  /** Every message that was sent, lost ones too. */
  readonly sent: { topic: string; text: string }[] = [];
  /** What happens to the next messages. */
  mode: "deliver" | "lose" | "hold" | "fail" | "hang" = "deliver";
  readonly #listeners = new Set<{ topic: string; listener: SignalListener }>();
  #held: { topic: string; text: string }[] = [];

  /** How many are listening. */
  get listening(): number {
    return this.#listeners.size;
  }

  async send(topic: string, text: string): Promise<void> {
    this.sent.push({ topic, text });
    if (this.mode === "hang") await new Promise(() => {});
    if (this.mode === "fail") throw new Error("no connection");
    if (this.mode === "hold") this.#held.push({ topic, text });
    if (this.mode === "deliver") this.deliver(topic, text);
  }

  listen(topic: string, listener: SignalListener): () => void {
    const entry = { topic, listener };
    this.#listeners.add(entry);
    queueMicrotask(() => {
      if (this.#listeners.has(entry)) listener.opened();
    });
    return () => void this.#listeners.delete(entry);
  }

  /** A message as if a stranger had sent it. */
  deliver(topic: string, text: string): void {
    for (const one of this.#listeners) if (one.topic === topic) one.listener.message(text);
  }

  /** What was held back arrives, and later messages at once. */
  release(): void {
    this.mode = "deliver";
    for (const { topic, text } of this.#held.splice(0)) this.deliver(topic, text);
  }

  /** The connection was lost and is there again. */
  reopen(): void {
    this.mode = "deliver";
    for (const { listener } of this.#listeners) listener.opened();
  }
}

/** The store, with signals. */
export function withSignals(store: Store, signals: Signals): Store {
  return new Proxy(store, {
    get: (target, name): unknown => (name === "signals" ? signals : Reflect.get(target, name)),
    has: (target, name) => name === "signals" || name in target,
  });
}
