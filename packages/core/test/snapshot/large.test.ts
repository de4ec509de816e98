/**
 * Many records: memory, time, and how long others wait. `RECORDS=1000000 npx vitest run --project core snapshot/large`
 * prints the table of docs/guides/snapshots.md.
 */
import { createReadStream, createWriteStream, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Store } from "../../src/store/contract.ts";
import { memoryStore } from "../../src/store/memory/store.ts";
import { fakeClock } from "../support/clock.ts";
import { interceptStore } from "../support/intercept.ts";
import { world } from "../support/world.ts";
import { exported, heapMb, imported, sessionRecord } from "./support.ts";

const RECORDS = Number(process.env["RECORDS"] ?? 100_000);
const MOST_GROWTH = 50;
const LONG = { timeout: 60_000 + RECORDS };

const clock = fakeClock();
const data = { text: "x".repeat(800), cart: ["milk", "bread"] };

/** A store of so many sessions of about 1 KB. */
async function filled(count: number): Promise<Store> {
  const store = memoryStore({ clock, maxRecords: 2 * count });
  for (let index = 0; index < count; index++)
    await store.create(sessionRecord(clock, { user: `user ${index % 5_000}`, data }));
  return store;
}

/** A store that takes every record, and keeps none. */
function bottomless(): Store {
  return interceptStore(memoryStore({ clock }), async (operation, run) => {
    if (operation === "adopt") return { status: "created", evicted: [] };
    return operation === "read" ? null : run();
  });
}

/** Processor time of this process so far, in ms: a busy machine changes it little. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** Measures now and then what lives on the heap, and the processor time of everything else. */
class Growth {
  readonly #before = heapMb();
  readonly #every: number;
  #calls = 0;
  mostMb = 0;
  #began = cpuMs();

  constructor(times: number) {
    this.#every = Math.ceil(RECORDS / 500 / times);
  }

  readonly look = (): void => {
    this.#calls += 1;
    if (this.#calls % this.#every !== 0) return;
    const began = cpuMs();
    this.mostMb = Math.max(this.mostMb, heapMb() - this.#before);
    this.#began += cpuMs() - began;
  };

  get tookMs(): number {
    return cpuMs() - this.#began;
  }
}

/** Processor time between two turns of the event loop: for so long others wait. */
class Turns {
  readonly #waits: number[] = [];
  #isOver = false;

  constructor() {
    const turn = (before: number): void => {
      const now = cpuMs();
      this.#waits.push(now - before);
      if (!this.#isOver) setImmediate(turn, now);
    };
    setImmediate(turn, cpuMs());
  }

  /** Ends it; the 99th percentile of those above 1 ms, and the most, in words. */
  stop(): string {
    this.#isOver = true;
    const waits = this.#waits.filter((ms) => ms > 1).toSorted((one, other) => one - other);
    const [usual = 0, most = 0] = [waits[Math.floor(waits.length * 0.99)], waits.at(-1)];
    return `${usual.toFixed(0)} ms (p99), ${most.toFixed(0)} ms at most`;
  }
}

const drain = (): Writable => new Writable({ write: (_chunk, _encoding, done) => done() });
const directory = mkdtempSync(join(tmpdir(), "sojourn-large-"));
afterAll(() => rmSync(directory, { recursive: true }));
const written: string[] = [];
const note = (what: string, ms: number, more: string): void => {
  const perSecond = Math.round((RECORDS / ms) * 1_000).toLocaleString("en-US");
  written.push(`${what}: ${perSecond} records a second of processor time, ${more}`);
};

describe(`[A-01] [A-23] [A-28] ${RECORDS} sessions of 1 KB`, () => {
  let store: Store;
  let perSession = 0;
  beforeAll(async () => {
    const before = heapMb();
    store = await filled(RECORDS);
    perSession = ((heapMb() - before) * 1_000_000) / RECORDS;
    written.push(`${perSession.toFixed(0)} B on the heap for a session of 1 KB`);
    return () => console.info([`${RECORDS} sessions:`, ...written].join("\n  "));
  }, LONG.timeout);

  test("[A-28] [A-22] take less than 2 KB of memory each, with every index", () => {
    expect(perSession).toBeGreaterThan(900);
    expect(perSession).toBeLessThan(2_000);
  });

  for (const encrypt of RECORDS > 100_000 ? [true, false] : [true]) {
    const how = encrypt ? "encrypted" : "plain";

    test(
      `[A-01] out and in, ${how}: the heap grows by less than ${MOST_GROWTH} MB`,
      LONG,
      async () => {
        const { sessions } = world({ clock, store });
        const path = join(directory, how);
        const out = new Growth(3);
        const file = createWriteStream(path);
        const result = await sessions.export(file, { encrypt, onProgress: out.look });
        const { tookMs } = out;
        expect(result.exported).toBe(RECORDS);
        expect(out.mostMb).toBeLessThan(MOST_GROWTH);
        note(`export, ${how}`, tookMs, `heap +${out.mostMb.toFixed(1)} MB`);

        const taking = world({ clock, store: bottomless() }).sessions;
        const into = new Growth(3);
        const options = { acceptPlain: true, onProgress: into.look };
        const taken = await taking.import(createReadStream(path), options);
        expect(taken.restored).toBe(RECORDS);
        expect(into.mostMb).toBeLessThan(MOST_GROWTH);
        const target = world({ clock, store: memoryStore({ clock, maxRecords: 2 * RECORDS }) });
        const turns = new Turns();
        const began = cpuMs();
        await target.sessions.import(createReadStream(path), { acceptPlain: true });
        const importMs = cpuMs() - began;
        const waits = `others wait ${turns.stop()}`;
        note(`import, ${how}`, importMs, `heap +${into.mostMb.toFixed(1)} MB, ${waits}`);
      },
    );
  }

  test("[A-23] newest first needs an index of each record: less than 200 bytes", LONG, async () => {
    const { sessions } = world({ clock, store });
    const heap = new Growth(2);
    await sessions.export(drain(), { newestFirst: true, onProgress: heap.look });
    const each = (heap.mostMb * 1_000_000) / RECORDS;
    expect(each).toBeGreaterThan(20);
    expect(each).toBeLessThan(200);
    written.push(`newestFirst: ${each.toFixed(0)} B a record`);
  });
});

test("[A-22] 1,000 records of 1 KB out and in: the times are printed", async () => {
  const from = world({ clock, store: await filled(1_000) });
  await exported(from.sessions);
  const { bytes, result } = await exported(from.sessions);
  await imported(world({ clock }).sessions, bytes);
  const to = world({ clock });
  const { tookMs, restored } = await imported(to.sessions, bytes);
  expect(restored).toBe(1_000);
  console.info(`1,000 records: ${result.tookMs.toFixed(0)} ms out, ${tookMs.toFixed(0)} ms in`);
});
