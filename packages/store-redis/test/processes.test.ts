/** G3, G4: limits and revocations are exact when several processes use one Redis. */
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "@sojourn/core/store";
import type { OnLimit, Store } from "@sojourn/core/store";
import { ownerOf, recordOf } from "../../../test/support/records.ts";
import { redisStore } from "../src/index.ts";
import type { RedisClient } from "../src/index.ts";
import { bundleWorker } from "./support/bundle.ts";
import { clusterClient, startCluster, startServer } from "./support/server.ts";
import type { Task } from "./support/worker.ts";

const PROCESSES = 4;
const IN_ALL = 200;
const MINUTE = 60_000;

interface Place {
  readonly ports: readonly number[];
  readonly client: RedisClient;
  stop(): Promise<void>;
}

async function place(layout: string): Promise<Place> {
  if (layout === "server") {
    const server = await startServer();
    const { port } = server;
    return { ports: [port], client: server.client(), stop: () => server.stop() };
  }
  const cluster = await startCluster();
  const ports = cluster.servers.map(({ port }) => port);
  return { ports, client: clusterClient(cluster), stop: () => cluster.stop() };
}

async function answerOf(worker: ChildProcess): Promise<string[]> {
  const [message] = (await once(worker, "message")) as [{ statuses?: string[]; error?: string }];
  if (message.statuses) return message.statuses;
  throw new Error(message.error);
}

describe.each(["server", "cluster"])("4 processes on one %s", (layout) => {
  let at: Place;
  let store: Store;
  let worker: Awaited<ReturnType<typeof bundleWorker>>;
  let workers: ChildProcess[];
  const all = async (task: Task): Promise<string[]> => {
    const answers = workers.map(async (each) => {
      const answer = answerOf(each);
      each.send(task);
      return answer;
    });
    return (await Promise.all(answers)).flat();
  };
  beforeAll(async () => {
    at = await place(layout);
    store = redisStore({ client: at.client });
    worker = await bundleWorker();
    workers = Array.from({ length: PROCESSES }, () =>
      fork(worker.script, [layout, at.ports.join()], { execArgv: [] }),
    );
    await Promise.all(workers.map(answerOf));
  }, MINUTE);
  afterAll(async () => {
    for (const each of workers) each.kill();
    worker.remove();
    await store.close();
    at.client.disconnect();
    await at.stop();
  });

  test.each(["evict-oldest", "evict-idle", "reject"] as OnLimit[])(
    "200 parallel logins with a limit of 3 and %s: never more than 3 alive, none leaked",
    async (onLimit) => {
      const user = `${layout} ${onLimit}`;
      const watch = { over: false, most: 0 };
      const watching = (async () => {
        while (!watch.over) {
          const alive = await store.listOwner("session", ownerOf(user));
          watch.most = Math.max(watch.most, alive.length);
        }
      })();
      const statuses = await all({ do: "login", user, onLimit, times: IN_ALL / PROCESSES });
      watch.over = true;
      await watching;
      expect(watch.most).toBeGreaterThan(0);
      expect(watch.most).toBeLessThanOrEqual(3);
      const replaced = statuses.filter((status) => status === "replaced").length;
      expect(replaced).toBe(onLimit === "reject" ? 3 : IN_ALL);
      expect(await store.listOwner("session", ownerOf(user))).toHaveLength(3);
      const { owners } = await store.owners("session", null, 1_000);
      expect(owners.find(({ owner }) => owner === ownerOf(user))?.active).toBe(3);
      const visitors = onLimit === "reject" ? IN_ALL - 3 : 0;
      expect((await store.count("session")).active).toBe(3 + visitors);
      await store.endAll("session", { why: "revoked", at: systemClock.now() });
    },
    MINUTE,
  );

  test(
    "revokeAll during 200 parallel commits of other processes: 0 alive",
    async () => {
      for (let round = 0; round < 5; round += 1) {
        const user = `busy ${round}`;
        const records = Array.from({ length: 10 }, () => recordOf(systemClock, user));
        for (const record of records) await store.create(record);
        const commits = all({ do: "commit", records, times: IN_ALL / PROCESSES });
        const ending = { why: "revoked", at: systemClock.now() } as const;
        expect(await store.endOwner("session", ownerOf(user), ending)).toBe(10);
        await commits;
        for (const record of records) {
          expect(await store.read(record)).toMatchObject({ ending: { why: "revoked" } });
        }
        expect(await store.listOwner("session", ownerOf(user))).toEqual([]);
      }
      expect((await store.count("session")).active).toBe(0);
    },
    MINUTE,
  );
});
