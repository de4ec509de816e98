/** The servers that the contenders of one run share. */
import type { Places, Service } from "./contender.ts";
import { startService } from "./services.ts";
import type { Running } from "./services.ts";

/** Databases of one Redis that contenders are given in turn; the last is left free. */
const DATABASES = 63;

/** Started servers. `stop` them. */
export class Servers {
  readonly #running: ReadonlyMap<Service, Running>;
  #given = 0;

  private constructor(running: ReadonlyMap<Service, Running>) {
    this.#running = running;
  }

  static async start(services: Iterable<Service>): Promise<Servers> {
    const running = new Map<Service, Running>();
    for (const service of new Set(services)) running.set(service, await startService(service));
    return new Servers(running);
  }

  /** The port of a server; 0 where there is none. */
  portOf(service: Service | undefined): number {
    return (service && this.#running.get(service)?.port) ?? 0;
  }

  /** The next Redis database, and the Postgres that all share; empty where the server is not there. */
  places(): Omit<Places, "directory"> {
    const [redis, postgres] = [this.portOf("redis"), this.portOf("postgres")];
    const database = this.#given % DATABASES;
    this.#given += 1;
    return {
      redis: redis === 0 ? "" : `redis://127.0.0.1:${redis}/${database}`,
      postgres: postgres === 0 ? "" : `postgres://sojourn@127.0.0.1:${postgres}/postgres`,
    };
  }

  async stop(): Promise<void> {
    for (const each of this.#running.values()) await each.stop();
  }
}
