/** A server for the tests of a file or of a group, and what they use it through. */
import type { Redis } from "ioredis";
import type { Store } from "@sojourn/core/store";
import { redisStore } from "../../src/index.ts";
import type { RedisStoreOptions } from "../../src/index.ts";
import { startServer } from "./server.ts";
import type { Server } from "./server.ts";

/** A server, a client of it, and stores on it. */
export interface RunningServer {
  readonly server: Server;
  /** For settings, and to look behind the stores. */
  readonly admin: Redis;
  /** Makes a store with a client of its own. */
  readonly storeOf: (settings?: Omit<RedisStoreOptions, "client" | "url">) => Store;
  /** Closes every store that was made, disconnects `admin`, stops the server. */
  readonly stop: () => Promise<void>;
}

/** Starts it with options of the command line, for a `beforeAll` that returns `stop`. */
export async function runningServer(...options: string[]): Promise<RunningServer> {
  const server = await startServer(...options);
  const admin = server.client();
  const stores: Store[] = [];
  return {
    server,
    admin,
    storeOf(settings) {
      const store = redisStore({ url: server.url, ...settings });
      stores.push(store);
      return store;
    },
    async stop() {
      await Promise.all(stores.map((store) => store.close()));
      admin.disconnect();
      await server.stop();
    },
  };
}
