/** The stores under test, each opened in a place of its own and opened again after a restart. */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { memoryStore } from "@sojourn/core";
import type { Clock, Store } from "@sojourn/core";
import { fileStore } from "@sojourn/store-file";
import { postgres } from "./postgres.ts";
import { redisKinds } from "./redis.ts";

/** Where the records of one scenario are. */
export interface Place {
  /** Opens what is there; after a restart again. */
  open(): Promise<Store>;
  /** Everything that it keeps outside the process, as text; empty where there is nothing. */
  bytes(): Promise<string>;
  remove(): Promise<void>;
}

/** A store under test. */
export interface StoreKind {
  readonly name: "memory" | "file" | "redis" | "redis cluster" | "postgres" | "cookie";
  /** Whether sessions outlive the process. */
  readonly survives: boolean;
  /** Whether it counts what has been since its beginning: sessions created, ended, at most. */
  readonly totals: boolean;
  place(clock: Clock): Promise<Place>;
}

const memory: StoreKind = {
  name: "memory",
  survives: false,
  totals: true,
  place: async (clock) => ({
    open: async () => memoryStore({ clock }),
    bytes: async () => "",
    remove: async () => {},
  }),
};

const file: StoreKind = {
  name: "file",
  survives: true,
  totals: true,
  async place(clock) {
    const directory = await mkdtemp(join(tmpdir(), "sojourn-scenario-"));
    return {
      async open() {
        const store = fileStore({ path: join(directory, "sessions.sojourn"), clock });
        await store.open?.();
        return store;
      },
      async bytes() {
        const names = await readdir(directory);
        const texts = names.map((name) => readFile(join(directory, name), "latin1"));
        return (await Promise.all(texts)).join("\n");
      },
      remove: () => rm(directory, { recursive: true, force: true }),
    };
  },
};

/** Every store under test. */
export const stores: readonly StoreKind[] = [memory, file, postgres, ...redisKinds];
