/** Sends the commands of one turn of the event loop together: a write to the socket costs as much as all else of a read. */
// By name, for clocks that tests put in its place leave this one alone.
import { setImmediate } from "node:timers";
import type { RedisClient } from "./options.ts";

/** Operations that leave together; with more, Redis would have nothing to do while they are gathered. */
const MOST = 8;

/** What a socket is to a batch (`stream.Writable`). */
interface Holdable {
  cork(): void;
  uncork(): void;
}

/** What is asked of one client. */
export class Batch {
  readonly #client: RedisClient;
  readonly #beforeLeaving: (() => void)[] = [];
  /** The sockets that are held now; null: none, and nothing waits. */
  #held: readonly Holdable[] | null = null;
  #operations = 0;

  constructor(client: RedisClient) {
    this.#client = client;
  }

  /** Calls it each time before commands leave; it may send some that leave with them. */
  beforeLeaving(send: () => void): void {
    this.#beforeLeaving.push(send);
  }

  /** Called before an operation is begun: it leaves when the turn ends, or before the ninth is begun. */
  join(): void {
    if (this.#held === null) setImmediate(this.send);
    if (this.#operations === MOST) this.send();
    if (this.#held === null) this.#hold();
    this.#operations += 1;
  }

  #hold(): void {
    this.#held = socketsOf(this.#client);
    for (const socket of this.#held) socket.cork();
  }

  /** Sends what waits for the end of the turn. */
  readonly send = (): void => {
    for (const send of this.#beforeLeaving) send();
    for (const socket of this.#held ?? []) socket.uncork();
    this.#held = null;
    this.#operations = 0;
  };
}

/** Of a cluster, those of all masters: which of them a command goes to is the client's affair. */
function socketsOf(client: RedisClient): readonly Holdable[] {
  const nodes = client.isCluster ? (client.nodes?.("master") ?? []) : [client];
  return nodes.map((node) => (node as RedisClient).stream).filter((stream) => isHoldable(stream));
}

function isHoldable(stream: unknown): stream is Holdable {
  return typeof stream === "object" && stream !== null && "cork" in stream && "uncork" in stream;
}
