/** G1, G3, G4: limits and revocations are exact when several processes use one Postgres, also when one is killed. */
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "@sojourn/core/store";
import type { OnLimit, Store, StoredRecord } from "@sojourn/core/store";
import { ownerOf, recordOf } from "../../../test/support/records.ts";
import { eventually } from "../../../test/support/waiting.ts";
import { postgresStore } from "../src/index.ts";
import { bundleWorker } from "./support/bundle.ts";
import { startDurableServer } from "./support/server.ts";
import type { Server } from "./support/server.ts";
import type { Task, Told } from "./support/worker.ts";

const PROCESSES = 4;
const IN_ALL = 200;
const MINUTE = 60_000;

async function answerOf(worker: ChildProcess): Promise<readonly string[]> {
  const [message] = (await once(worker, "message")) as [Told];
  if (message.statuses) return message.statuses;
  throw new Error(message.error);
}

let server: Server;
let store: Store;
let worker: Awaited<ReturnType<typeof bundleWorker>>;
const startWorker = (): ChildProcess => fork(worker.script, [server.url], { execArgv: [] });
beforeAll(async () => {
  server = await startDurableServer();
  store = postgresStore({ url: server.url, connectWithin: "1m" });
  worker = await bundleWorker();
}, MINUTE);
afterAll(async () => {
  worker.remove();
  await store.close();
  await server.stop();
});

describe("4 processes", () => {
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
    workers = Array.from({ length: PROCESSES }, startWorker);
    await Promise.all(workers.map(answerOf));
  }, MINUTE);
  afterAll(() => {
    for (const each of workers) each.kill();
  });

  test.each(["evict-oldest", "evict-idle", "reject"] as OnLimit[])(
    "[B-05] 200 parallel logins with a limit of 3 and %s: never more than 3 alive, none leaked",
    async (onLimit) => {
      const user = `limited ${onLimit}`;
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
      const visitors = onLimit === "reject" ? IN_ALL - 3 : 0;
      expect((await store.count("session")).active).toBe(3 + visitors);
      await store.endAll("session", { why: "revoked", at: systemClock.now() });
      expect((await store.count("session")).active).toBe(0);
    },
    MINUTE,
  );

  test(
    "[B-08] [B-09] revokeAll during 200 parallel commits and rotations of other processes: 0 alive",
    async () => {
      for (let round = 0; round < 10; round += 1) {
        const user = `busy ${round}`;
        const records = Array.from({ length: 10 }, () => recordOf(systemClock, user));
        for (const record of records) await store.create(record);
        const commits = all({ do: "commit", records, times: IN_ALL / PROCESSES });
        await new Promise((resolve) => {
          setTimeout(resolve, round);
        });
        const ending = { why: "revoked", at: systemClock.now() } as const;
        expect(await store.endOwner("session", ownerOf(user), ending)).toBe(10);
        await commits;
        for (const { kind, handle } of records) {
          expect(await store.read({ kind, handle })).toMatchObject({ ending: { why: "revoked" } });
        }
        expect(await store.listOwner("session", ownerOf(user))).toEqual([]);
      }
      expect((await store.count("session")).active).toBe(0);
    },
    MINUTE,
  );

  test(
    "[B-08] revokeEveryone during 200 parallel commits and rotations of other processes: 0 alive",
    async () => {
      for (let round = 0; round < 10; round += 1) {
        const users = Array.from({ length: 10 }, (_, index) => `everyone ${index}`);
        const records = users.map((user) => recordOf(systemClock, user));
        for (const record of records) await store.create(record);
        const commits = all({ do: "commit", records, times: IN_ALL / PROCESSES });
        await new Promise((resolve) => {
          setTimeout(resolve, round);
        });
        await store.endAll("session", { why: "revoked", at: systemClock.now() });
        await commits;
        expect((await store.count("session")).active).toBe(0);
      }
    },
    MINUTE,
  );
});

test(
  "[B-05] [B-18] 10 times kill -9 in the middle of writing: all that was acknowledged is there, the limit holds, no lock is left",
  async () => {
    for (let round = 0; round < 10; round += 1) {
      const user = `killed ${round}`;
      const told: Told[] = [];
      const process = startWorker();
      await answerOf(process);
      process.on("message", (message) => told.push(message as Told));
      process.send({ do: "storm", user } satisfies Task);
      await eventually(async () => told.length > 20 + round * 3);
      process.kill("SIGKILL");
      await once(process, "exit");
      const created = told.flatMap(({ created: one }) => one ?? []);
      const ended = new Set(told.flatMap(({ ended: one }) => one?.handle ?? []));
      for (const record of created) {
        const found = await store.read(record);
        expect(found).not.toBeNull();
        if (ended.has(record.handle)) expect(found).toMatchObject({ ending: { why: "logout" } });
      }
      const next = recordOf(systemClock, user);
      const outcome = await store.create(next, { max: 5, onLimit: "evict-oldest" });
      expect(outcome.status).toBe("created");
      const alive = await store.listOwner("session", ownerOf(user));
      expect(alive.length).toBeLessThanOrEqual(5);
      expect(alive.map(({ handle }) => handle)).toContain(next.handle);
    }
    await eventually(async () => {
      const held = "SELECT FROM pg_locks WHERE locktype = 'advisory'";
      return (await server.query(held)).length === 0;
    });
  },
  2 * MINUTE,
);

test(
  "[B-01] kill -9 of the server under 4 processes: all that they were told is there after it starts again",
  async () => {
    const workers = Array.from({ length: PROCESSES }, startWorker);
    await Promise.all(workers.map(answerOf));
    const told: Told[] = [];
    for (const [index, each] of workers.entries()) {
      each.on("message", (message) => told.push(message as Told));
      each.send({ do: "storm", user: `crash ${index}` } satisfies Task);
    }
    await eventually(async () => told.length > 200);
    await server.end("SIGKILL");
    await eventually(async () => told.filter(({ error }) => error).length === PROCESSES);
    for (const each of workers) each.kill();
    for (const { error } of told) {
      if (error !== undefined) expect(error).toContain("SOJOURN_STORE_UNAVAILABLE");
    }
    await server.start();
    const all: StoredRecord[] = told.flatMap(({ created }) => created ?? []);
    const ended = new Set(told.flatMap(({ ended: one }) => one?.handle ?? []));
    expect(all.length).toBeGreaterThan(100);
    for (const record of all) {
      const found = await store.read(record);
      expect(found).not.toBeNull();
      if (ended.has(record.handle)) expect(found).toMatchObject({ ending: { why: "logout" } });
    }
    for (let index = 0; index < PROCESSES; index += 1) {
      const alive = await store.listOwner("session", ownerOf(`crash ${index}`));
      expect(alive.length).toBeLessThanOrEqual(5);
    }
  },
  MINUTE,
);
