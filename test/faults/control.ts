/**
 * Tells what Redis lost from what we lost: after each acknowledgement a plain write of the driver's
 * own goes to the same slot of the same server. Replication keeps the order of writes, so where this
 * later one survives a failover, the acknowledged one before it must have survived as well.
 */
import type { Cluster, Redis } from "ioredis";

/** One acknowledgement, and when its control was. */
export interface Entry {
  readonly id: string;
  readonly tag: string;
  /** When its request was sent, and answered. */
  readonly startedAt: number;
  readonly ackedAt: number;
  /** When the control was acknowledged; null: it was not. */
  controlAt: number | null;
}

/** The controls of one run. */
export class Control {
  readonly #client: Redis | Cluster | null;
  readonly #running = new Set<Promise<void>>();
  readonly #tags = new Set<string>();
  #entries = 0;

  /** @param client - null: no other server takes over, so that there is nothing to tell apart */
  constructor(client: Redis | Cluster | null) {
    this.#client = client;
  }

  /** Notes an acknowledgement for what has this tag. */
  note(tag: string, { startedAt, endedAt }: { startedAt: number; endedAt: number }): Entry {
    this.#entries += 1;
    const id = String(this.#entries);
    const entry: Entry = { id, tag, startedAt, ackedAt: endedAt, controlAt: null };
    this.#tags.add(tag);
    const written = this.#write(entry).finally(() => this.#running.delete(written));
    this.#running.add(written);
    return entry;
  }

  /** The ids of the controls that are there now. */
  async survivors(): Promise<ReadonlySet<string>> {
    await Promise.all(this.#running);
    const client = this.#client;
    if (client === null) return new Set();
    const lists = await Promise.all([...this.#tags].map((tag) => client.smembers(nameOf(tag))));
    return new Set(lists.flat());
  }

  async #write(entry: Entry): Promise<void> {
    if (this.#client === null) return;
    try {
      await this.#client.sadd(nameOf(entry.tag), entry.id);
      entry.controlAt = performance.now();
    } catch {
      // Not written: then it proves nothing.
    }
  }
}

function nameOf(tag: string): string {
  return `control:{${tag}}`;
}
