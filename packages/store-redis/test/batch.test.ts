/** What is asked in one turn of the event loop leaves together. */
import {
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  onTestFinished,
  test,
  vi,
} from "vitest";
import { Redis } from "ioredis";
import { Redis as Redis5 } from "ioredis5";
import { systemClock } from "@sojourn/core/store";
import type { Store, StoredRecord } from "@sojourn/core/store";
import { recordOf } from "../../../test/support/records.ts";
import { times } from "../../../test/support/times.ts";
import { eventually, rejection } from "../../../test/support/waiting.ts";
import { redisStore } from "../src/index.ts";
import type { RedisClient } from "../src/index.ts";
import { clusterClient, startCluster, startServer } from "./support/server.ts";
import type { Server } from "./support/server.ts";

let server: Server;
beforeAll(async () => {
  server = await startServer();
  return () => server.stop();
});
afterEach(() => {
  vi.useRealTimers();
});

type Client = RedisClient & { readonly stream: object };

/** A store on a client that is ready, and a record in it. */
async function storeOn(client: RedisClient): Promise<{ store: Store; record: StoredRecord }> {
  const store = redisStore({ client });
  onTestFinished(async () => {
    await store.close();
    client.disconnect();
  });
  const record = recordOf(systemClock, "ada");
  await store.create(record);
  return { store, record };
}

/** How often something is written to a socket while `run` lasts. */
async function writesOf(
  { stream }: { readonly stream: object },
  run: () => Promise<unknown>,
): Promise<number> {
  const spies = (["_write", "_writev"] as const).map((name) =>
    vi.spyOn(stream as Record<typeof name, () => void>, name),
  );
  await run();
  const calls = spies.map(({ mock }) => mock.calls.length);
  for (const spy of spies) spy.mockRestore();
  return calls.reduce((sum, each) => sum + each);
}

describe.each([
  ["ioredis 6", () => new Redis(server.port)],
  ["ioredis 5", () => new Redis5(server.port)],
] as const)("%s", (_name, connect) => {
  let client: Client;
  let store: Store;
  let record: StoredRecord;
  const read = (): Promise<unknown> => Promise.resolve(store.read(record));
  beforeEach(async () => {
    client = connect();
    ({ store, record } = await storeOn(client));
    await read();
  });

  test.each([
    [1, 1],
    [8, 1],
    [9, 2],
    [20, 3],
  ])("%i reads are %i writes to the socket", async (reads, writes) => {
    const all = () => Promise.all(times(reads, read));
    expect(await writesOf(client, all)).toBe(writes);
    expect(await writesOf(client, all)).toBe(writes);
  });

  test("reads of two turns are two writes", async () => {
    const first = read();
    await new Promise(setImmediate);
    expect(await writesOf(client, () => Promise.all([first, read(), read()]))).toBe(1);
  });

  test("a connection that is lost before the turn ends fails what was asked, and the next one is not held", async () => {
    const reading = rejection(read());
    Reflect.apply(Reflect.get(client.stream, "destroy"), client.stream, []);
    expect(await reading).toMatchObject({ code: "SOJOURN_STORE_UNAVAILABLE" });
    await eventually(() => read().then(Boolean, () => false));
  });

  test("with clocks of a test in place of the timers it leaves all the same", async () => {
    vi.useFakeTimers({ toFake: ["setImmediate"] });
    expect(await read()).toMatchObject({ handle: record.handle });
  });
});

test("a client that shows no socket sends each command by itself", async () => {
  const client = new Proxy(new Redis(server.port), {
    get(target, name) {
      const value: unknown = name === "stream" ? undefined : Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const { store, record } = await storeOn(client);
  expect(await Promise.all(times(3, async () => store.read(record)))).toHaveLength(3);
});

test("a cluster: each master gets its own in one write", async () => {
  const cluster = await startCluster();
  onTestFinished(() => cluster.stop());
  const client = clusterClient(cluster);
  const { store } = await storeOn(client);
  const records = times(8, () => recordOf(systemClock, "ada"));
  await Promise.all(records.map((each) => store.create(each)));
  await Promise.all(records.map(async (each) => store.read(each)));
  const nodes = client.nodes("master") as unknown as readonly Client[];
  const masters = nodes.filter(({ stream }) => stream);
  let reading: Promise<unknown> | undefined;
  const readOnce = () => (reading ??= Promise.all(records.map(async (each) => store.read(each))));
  const writes = await Promise.all(masters.map((master) => writesOf(master, readOnce)));
  expect(Math.max(...writes)).toBe(1);
  expect(await reading).toMatchObject(records.map(({ handle }) => ({ handle })));
}, 60_000);
