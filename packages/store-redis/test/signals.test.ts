/** Messages between processes: heard by all in time, and again after whatever cut the line. */
import { once } from "node:events";
import type { EventEmitter } from "node:events";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { Cluster, Redis } from "ioredis";
import type { Cluster as Cluster5, Redis as Redis5 } from "ioredis5";
import * as ioredis5 from "ioredis5";
import type { Store } from "@sojourn/core/store";
import { Hearing, signalsIn } from "../../../test/support/hearing.ts";
import { eventually, rejection } from "../../../test/support/waiting.ts";
import { redisStore } from "../src/index.ts";
import { sentinelClient, startSentinels } from "./support/sentinel.ts";
import { startCluster, startServer } from "./support/server.ts";
import type { ClusterOfThree, Server } from "./support/server.ts";

type Client = Redis | Cluster | Redis5 | Cluster5;
const IN_TIME = 100;
const FAILOVER = 60_000;
const PATIENCE = 120_000;

const made: { readonly client: Client; readonly store: Store }[] = [];
afterEach(async () => {
  await Promise.all(made.map(({ store }) => store.close()));
  for (const { client } of made.splice(0)) client.disconnect();
});

/** A store of its own client, as another process has. */
function storeOf<C extends Client>(client: C, prefix: string = "sojourn"): Store & { client: C } {
  const emitter: EventEmitter = client;
  emitter.on("error", () => {});
  const store = redisStore({ client, prefix });
  made.push({ client, store });
  return Object.assign(store, { client });
}

const send = (store: Store, text: string, topic = "session"): Promise<void> =>
  signalsIn(store).send(topic, text);

async function listeners(server: Server): Promise<number> {
  const admin = server.client();
  const list = String(await admin.call("CLIENT", "LIST", "TYPE", "pubsub"));
  admin.disconnect();
  return list.split("\n").filter(Boolean).length;
}

function counts(client: Client): readonly number[] {
  return ["ready", "end", "close"].map((event) => client.listenerCount(event));
}

async function cut(server: Server): Promise<void> {
  const admin = server.client();
  await admin.call("CLIENT", "KILL", "TYPE", "pubsub");
  admin.disconnect();
}

describe.each([
  ["one server, ioredis 6", "one", 6],
  ["one server, ioredis 5", "one", 5],
  ["a cluster, ioredis 6", "cluster", 6],
  ["a cluster, ioredis 5", "cluster", 5],
])("%s", (_name, layout, version) => {
  let servers: readonly Server[];
  let stop: () => Promise<void>;
  beforeAll(async () => {
    const cluster = layout === "cluster" ? await startCluster() : null;
    const one = cluster === null ? await startServer() : null;
    servers = cluster?.servers ?? (one ? [one] : []);
    stop = async () => void (await Promise.all([cluster?.stop(), one?.stop()]));
  }, PATIENCE);
  afterAll(() => stop());

  function another(keyPrefix: string = "", db: number = 0): Client {
    const nodes = servers.map(({ port }) => ({ host: "127.0.0.1", port }));
    const port = nodes[0]?.port ?? 0;
    if (version === 6) {
      if (layout === "cluster") return new Cluster(nodes, { keyPrefix });
      return new Redis({ port, keyPrefix, db });
    }
    if (layout === "cluster") return new ioredis5.Cluster(nodes, { keyPrefix });
    return new ioredis5.Redis({ port, keyPrefix, db });
  }

  test("[F-10] every process hears a message within 100 ms, the sender too", async () => {
    const [here, there] = [storeOf(another()), storeOf(another())];
    const hearings = [new Hearing(here), new Hearing(there)];
    await Promise.all(hearings.map((hearing) => hearing.open()));
    const took: number[] = [];
    for (let round = 0; round < 21; round += 1) {
      const started = performance.now();
      await send(here, `${round}`);
      await Promise.all(hearings.map((hearing) => hearing.hears(`${round}`)));
      took.push(performance.now() - started);
    }
    const rounds = Array.from({ length: 21 }, (_, round) => `${round}`);
    for (const { heard, opened } of hearings) expect([heard, opened]).toEqual([rounds, 1]);
    expect(took.toSorted((a, b) => a - b)[10]).toBeLessThan(IN_TIME);
  });

  test("topics, prefixes, key prefixes and databases do not hear each other", async () => {
    const plain = storeOf(another());
    const strangers = [storeOf(another(), "other"), storeOf(another("app:"))];
    if (layout === "one") strangers.push(storeOf(another("", 1)));
    const prefixed = storeOf(another("app:"));
    const mine = await new Hearing(plain).open();
    const others = [new Hearing(plain, "grant"), ...strangers.map((each) => new Hearing(each))];
    await Promise.all(others.map((other) => other.open()));
    await send(plain, "for sessions");
    await mine.hears("for sessions");
    await send(prefixed, "for app");
    await others[2]?.hears("for app");
    await Promise.all(strangers.map((each) => send(each, "strange", "grant")));
    await send(plain, "for grants", "grant");
    await others[0]?.hears("for grants");
    expect(mine.heard).toEqual(["for sessions"]);
    expect(others.map(({ heard }) => heard)).toEqual([
      ["for grants"],
      [],
      ["for app"],
      ...others.slice(3).map(() => []),
    ]);
  });

  test("a listener that throws harms no other; one that has stopped hears no more", async () => {
    const store = storeOf(another());
    const thrower = signalsIn(store).listen("session", {
      message: () => {
        throw new Error("theirs");
      },
      opened: () => {
        throw new Error("theirs");
      },
    });
    const [first, second] = [new Hearing(store), new Hearing(store)];
    await Promise.all([first.open(), second.open()]);
    await send(store, "1");
    await Promise.all([first.hears("1"), second.hears("1")]);
    first.stop();
    first.stop();
    await send(store, "2");
    await second.hears("2");
    expect(first.heard).toEqual(["1"]);
    thrower();
    second.stop();
    await eventually(async () => (await Promise.all(servers.map(listeners))).every((n) => n === 0));
    const again = await new Hearing(store).open();
    await send(store, "3");
    await again.hears("3");
  });

  test("one connection hears all topics, and goes with the store", async () => {
    const client = another();
    await once(client, "ready");
    const before = counts(client);
    const store = storeOf(client);
    for (const topic of ["session", "session:acme", "grant"]) {
      await new Hearing(store, topic).open();
    }
    const now = await Promise.all(servers.map(listeners));
    expect(now.reduce((sum, each) => sum + each, 0)).toBe(1);
    await store.close();
    await eventually(async () => (await Promise.all(servers.map(listeners))).every((n) => n === 0));
    expect(client.status).toBe("ready");
    expect(counts(client)).toEqual(before);
    expect(await rejection(send(store, "late"))).toMatchObject({ code: "SOJOURN_STORE_CLOSED" });
  });

  test("a connection that is cut is made again, and says so", async () => {
    const store = storeOf(another());
    const hearing = await new Hearing(store).open();
    for (let times = 2; times < 5; times += 1) {
      await Promise.all(servers.map(cut));
      await hearing.open(times);
      await send(store, `${times}`);
      await hearing.hears(`${times}`);
    }
  });

  test("no listener outlives the client that it was made from", async () => {
    const store = storeOf(another());
    const hearing = await new Hearing(store).open();
    store.client.disconnect();
    await eventually(async () => (await Promise.all(servers.map(listeners))).every((n) => n === 0));
    expect(await rejection(send(store, "gone"))).toMatchObject({
      code: "SOJOURN_STORE_UNAVAILABLE",
    });
    await store.client.connect();
    await hearing.open(2);
    await send(store, "back");
    await hearing.hears("back");
  });
});

describe("a server that dies", () => {
  test.each([5, 6])(
    "comes back: listening begins again by itself (ioredis %i)",
    async (version) => {
      const server = await startServer();
      const { port } = server;
      const store = storeOf(version === 6 ? new Redis(port) : new ioredis5.Redis(port));
      const hearing = await new Hearing(store).open();
      await server.kill();
      await eventually(async () => store.client.status !== "ready");
      expect(await rejection(send(store, "lost"))).toMatchObject({
        code: "SOJOURN_STORE_UNAVAILABLE",
      });
      await server.start();
      await hearing.open(2);
      await eventually(async () =>
        send(store, "back")
          .then(() => true)
          .catch(() => false),
      );
      await hearing.hears("back");
      expect(hearing.heard).not.toContain("lost");
      await server.stop();
    },
  );

  test(
    "says nothing at all: listening begins again when it speaks",
    { timeout: PATIENCE },
    async () => {
      const server = await startServer();
      const store = storeOf(new Redis(server.port));
      const hearing = await new Hearing(store).open();
      server.signal("SIGSTOP");
      await new Promise((resolve) => {
        setTimeout(resolve, 11_000);
      });
      server.signal("SIGCONT");
      await hearing.open(2);
      await send(store, "back");
      await hearing.hears("back");
      await server.stop();
    },
  );

  test(
    "its sentinels name another one: listening begins there",
    { timeout: PATIENCE },
    async () => {
      const sentinels = await startSentinels();
      const store = storeOf(sentinelClient(sentinels));
      const hearing = await new Hearing(store).open();
      await sentinels.master.kill();
      await hearing.open(2, FAILOVER);
      await eventually(
        async () =>
          send(store, "back")
            .then(() => true)
            .catch(() => false),
        FAILOVER,
      );
      await hearing.hears("back");
      await store.close();
      await sentinels.stop();
    },
  );
});

describe("a cluster that changes", { timeout: PATIENCE }, () => {
  let cluster: ClusterOfThree;
  beforeAll(async () => {
    cluster = await startCluster({ replicas: 1 });
  }, PATIENCE);
  afterAll(() => cluster.stop());

  async function ask(server: Server | undefined, ...args: (string | number)[]): Promise<string> {
    const admin = server?.client();
    const answer = String(await admin?.call("CLUSTER", ...args));
    admin?.disconnect();
    return answer;
  }

  /** The slot of every channel. */
  const slot = async (): Promise<number> =>
    Number(await ask(cluster.servers[0], "KEYSLOT", "{events}"));

  function two(): readonly Store[] {
    return [new Cluster([...cluster.nodes]), new ioredis5.Cluster([...cluster.nodes])].map(
      (client) => storeOf(client),
    );
  }

  test("the channels' slot is moved to another master", async () => {
    const stores = two();
    const hearings = await Promise.all(stores.map((store) => new Hearing(store).open()));
    const which = await slot();
    const owner = Math.floor(which / (16_384 / 3));
    const [from, to, last] = [0, 1, 2].map((step) => cluster.servers[(owner + step) % 3]);
    const [oldId, newId] = [await ask(from, "MYID"), await ask(to, "MYID")];
    await ask(to, "SETSLOT", which, "IMPORTING", oldId);
    await ask(from, "SETSLOT", which, "MIGRATING", newId);
    for (const server of [to, from, last]) await ask(server, "SETSLOT", which, "NODE", newId);
    await Promise.all(hearings.map((hearing) => hearing.open(2, FAILOVER)));
    for (const [index, store] of stores.entries()) {
      await send(store, `after ${index}`);
      await Promise.all(hearings.map((hearing) => hearing.hears(`after ${index}`)));
    }
  });

  test("[F-10] its master is killed and the replica takes over", async () => {
    const stores = two();
    const hearings = await Promise.all(stores.map((store) => new Hearing(store).open()));
    const before = await Promise.all(cluster.servers.map(listeners));
    const master = cluster.servers[before.findIndex((count) => count > 0)];
    await master?.kill();
    await Promise.all(hearings.map((hearing) => hearing.open(2, FAILOVER)));
    for (const [index, store] of stores.entries()) {
      await eventually(
        async () =>
          send(store, `after ${index}`)
            .then(() => true)
            .catch(() => false),
        FAILOVER,
      );
      await Promise.all(hearings.map((hearing) => hearing.hears(`after ${index}`)));
    }
  });
});

describe("without signals", () => {
  test("with events: false, and with a client that cannot be duplicated", () => {
    const client = new Redis({ lazyConnect: true });
    expect(redisStore({ client }).signals).toBeDefined();
    expect(redisStore({ client, events: false }).signals).toBeUndefined();
    const names = ["evalsha", "eval", "connect", "disconnect", "on", "off"];
    const bare = Object.fromEntries(names.map((name) => [name, () => {}]));
    expect(redisStore({ client: bare as never }).signals).toBeUndefined();
  });
});
