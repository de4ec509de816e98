/** with near caches on, the histories still find what the model says, within a process and between several. */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Store } from "@sojourn/core";
import type { StoredRecord } from "@sojourn/core/store";
import { afterAll, expect, test } from "vitest";
import { nearKinds } from "../scenarios/redis.ts";
import type { Place, StoreKind } from "../scenarios/stores.ts";
import { runHistories, SEED } from "./runs.ts";
import type { Fault } from "./system.ts";

const STEPS = Math.ceil(Number(process.env["HISTORY_STEPS"] ?? 100_000) * 0.01);
const SCAN_EVERY = 200;

for (const kind of nearKinds) {
  test(
    `[X-03] [X-01] the histories hold on ${kind.name} with a near cache, in ${STEPS} steps`,
    { timeout: 120_000 + STEPS * 200 },
    async () => {
      const runs = { kind, seed: SEED, steps: STEPS, lookEvery: 4, scanEvery: SCAN_EVERY };
      const { failure } = await runHistories(runs);
      if (failure !== null) expect.fail(failure);
    },
  );
}

/** Writes of the contract: what the other processes are to hear of. */
const WRITES = new Set([
  "create",
  "update",
  "touch",
  "replace",
  "end",
  "endOwner",
  "endAll",
  "adopt",
  "consume",
]);

/**
 * Nodes with a store of their own each, over one Redis. Before one does anything, it has heard of all that the others
 * wrote: what is tested is that they hear of everything, not how soon.
 */
class Nodes {
  place: Place | null = null;
  readonly #stores: Store[] = [];
  #version = 0;
  #probing: Promise<StoredRecord> | null = null;
  #probe: StoredRecord | null = null;

  readonly fault: Fault = () => {
    const opening = this.#open();
    return new Proxy({} as Store, {
      get: (_target, name: string) => {
        if (name === "name") return "redis";
        if (name === "clock") return this.#clockOf();
        if (name === "scan") return (kind: string) => scanned(opening, kind);
        if (!WRITES.has(name) && !READS.has(name)) return undefined;
        return async (...given: unknown[]) => {
          const store = await opening;
          if (this.#probe) await seen(store, this.#probe, this.#version);
          const act = Reflect.get(store, name) as (...all: unknown[]) => Promise<unknown>;
          const answer = await Reflect.apply(act, store, given);
          if (WRITES.has(name)) await this.#told(store);
          return answer;
        };
      },
    });
  };

  readonly kindOf = (kind: StoreKind): StoreKind => ({
    ...kind,
    place: async (clock) => {
      await this.close();
      this.#clock = clock;
      this.place = await kind.place(clock);
      return this.place;
    },
  });

  async close(): Promise<void> {
    for (const store of this.#stores.splice(0)) await store.close();
    this.#probing = null;
    this.#probe = null;
    this.#version = 0;
  }

  #clock: Store["clock"] | null = null;
  #clockOf(): Store["clock"] {
    if (this.#clock === null) throw new Error("no place yet");
    return this.#clock;
  }

  async #open(): Promise<Store> {
    if (this.place === null) throw new Error("no place yet");
    const store = await this.place.open();
    this.#stores.push(store);
    this.#probing ??= probeIn(store);
    this.#probe = await this.#probing;
    await keeps(store, this.#probe);
    return store;
  }

  /** Changes a record that every node keeps: each reads it anew before it does anything else. */
  async #told(by: Store): Promise<void> {
    const probe = this.#probe;
    if (probe === null) return;
    for (;;) {
      const found = await by.read(probe, { fresh: true });
      if (found === null || !("version" in found)) throw new Error("the probe is gone");
      const result = await by.update(probe, found, found.version);
      if (result.status !== "updated") continue;
      this.#version = Math.max(this.#version, result.record.version);
      return;
    }
  }
}

const READS = new Set(["read", "listOwner", "count", "owners", "flush", "close", "open"]);

async function* scanned(opening: Promise<Store>, kind: string): AsyncIterable<StoredRecord> {
  yield* (await opening).scan(kind);
}

async function probeIn(store: Store): Promise<StoredRecord> {
  const now = store.clock.now();
  const far = now + 10 * 365 * 86_400_000;
  const probe = {
    kind: "probe",
    key: `AAA.${"p".repeat(42)}A`,
    handle: `AAA${"p".repeat(16)}`,
    owner: null,
    version: 1,
    createdAt: now,
    seenAt: now,
    expiresAt: far,
    absoluteExpiresAt: far,
    payload: "",
  } as unknown as StoredRecord;
  await store.create(probe);
  return probe;
}

async function keeps(store: Store, probe: StoredRecord): Promise<void> {
  while ((await store.read(probe)) !== (await store.read(probe))) await nextTurn();
}

async function seen(store: Store, probe: StoredRecord, version: number): Promise<void> {
  for (;;) {
    const found = await store.read(probe);
    if (found !== null && "version" in found && found.version >= version) return;
    await nextTurn();
  }
}

const nodes = new Nodes();
afterAll(() => nodes.close());

test(
  `[X-03] [X-01] the histories hold between processes with a near cache each, in ${STEPS} steps`,
  { timeout: 120_000 + STEPS * 200 },
  async () => {
    const [server] = nearKinds;
    if (server === undefined) throw new Error("no server");
    const runs = { seed: SEED, steps: STEPS, lookEvery: 4, scanEvery: SCAN_EVERY };
    const { failure } = await runHistories({
      ...runs,
      kind: nodes.kindOf(server),
      fault: () => nodes.fault,
    });
    if (failure !== null) expect.fail(failure);
  },
);
