/** A process of an application: does what its parent tells it, on the store that both share. */
import { Cluster, Redis } from "ioredis";
import { systemClock } from "@sojourn/core/store";
import type { OnLimit, Store, StoredRecord } from "@sojourn/core/store";
import { login } from "../../../../test/support/login.ts";
import { redisStore } from "../../src/index.ts";

/** What a worker is told. */
export type Task =
  | {
      readonly do: "login";
      readonly user: string;
      readonly onLimit: OnLimit;
      readonly times: number;
    }
  | { readonly do: "commit"; readonly records: readonly StoredRecord[]; readonly times: number };

const [, , layout = "", ports = ""] = process.argv;
const nodes = ports.split(",").map((port) => ({ host: "127.0.0.1", port: Number(port) }));
const client = layout === "cluster" ? new Cluster(nodes) : new Redis(nodes[0]?.port ?? 0);
const store = redisStore({ client: client });

async function commit(to: Store, record: StoredRecord): Promise<string> {
  const now = systemClock.now();
  const current = await to.read(record);
  if (current === null || "ending" in current) return "gone";
  const change = { payload: String(Math.random()), seenAt: now, expiresAt: now + 1_800_000 };
  await to.touch(record, now, now + 1_800_000);
  return (await to.update(record, change, current.version)).status;
}

async function perform(task: Task): Promise<string[]> {
  if (task.do === "login") {
    const { user, onLimit } = task;
    return Promise.all(Array.from({ length: task.times }, () => login(store, user, onLimit)));
  }
  const rounds = Array.from({ length: task.times }, (_, index) => index);
  return Promise.all(
    rounds.map(async (index) => {
      const record = task.records[index % task.records.length];
      return record === undefined ? "none" : commit(store, record);
    }),
  );
}

process.on("message", (task: Task) => {
  void perform(task).then(
    (statuses) => process.send?.({ statuses }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
await store.open?.();
process.send?.({ statuses: [] });
