/** Fills the memory of a server with other keys, keeps it full, and frees it. */
import type { Redis } from "ioredis";
import type { Server } from "../../packages/store-redis/test/support/server.ts";

/** What the filling may take, in bytes. */
const ROOM = 4 * 1024 * 1024;
/** Sizes of the values, from large to small, so that no gap is left. */
const SIZES = [65_536, 1_024, 64];
const KEY = "flood";

/** Other keys in the memory of a server. */
export class Flood {
  readonly #server: Server;
  #admin: Redis | null = null;
  #keys = 0;
  #isRising = false;
  #filling: Promise<void> = Promise.resolve();

  constructor(server: Server) {
    this.#server = server;
  }

  /** Resolves when nothing more fits in; what others free is filled again. */
  async rise(): Promise<void> {
    this.#admin = this.#server.client();
    const used = Number(/used_memory:(\d+)/.exec(await this.#admin.info("memory"))?.[1]);
    await this.#admin.config("SET", "maxmemory-policy", "noeviction");
    await this.#admin.config("SET", "maxmemory", String(used + ROOM));
    this.#isRising = true;
    await this.#fill(this.#admin);
    this.#filling = this.#keepFull(this.#admin);
  }

  /** Resolves when the memory is free again. */
  async fall(): Promise<void> {
    this.#isRising = false;
    await this.#filling;
    const keys = Array.from({ length: this.#keys }, (_, index) => `${KEY}:${index}`);
    for (let from = 0; from < keys.length; from += 1_000) {
      await this.#admin?.del(...keys.slice(from, from + 1_000));
    }
    await this.#admin?.config("SET", "maxmemory", "0"); // what the load itself goes on to need
    await this.#admin?.quit();
  }

  async #keepFull(admin: Redis): Promise<void> {
    while (this.#isRising) await this.#fill(admin);
  }

  async #fill(admin: Redis): Promise<void> {
    for (const size of SIZES) {
      while (await this.#fits(admin, size));
    }
  }

  async #fits(admin: Redis, size: number): Promise<boolean> {
    try {
      await admin.set(`${KEY}:${this.#keys}`, "x".repeat(size));
      this.#keys += 1;
      return true;
    } catch {
      return false; // OOM
    }
  }
}
