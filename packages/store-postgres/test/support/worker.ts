/** A process of an application: does what its parent tells it, on the store that both share. */
import { systemClock } from "@sojourn/core/store";
import type { OnLimit, Store, StoredRecord } from "@sojourn/core/store";
import { login } from "../../../../test/support/login.ts";
import { recordOf } from "../../../../test/support/records.ts";
import { postgresStore } from "../../src/index.ts";

/** What a worker is told. */
export type Task =
  | {
      readonly do: "login";
      readonly user: string;
      readonly onLimit: OnLimit;
      readonly times: number;
    }
  | { readonly do: "commit"; readonly records: readonly StoredRecord[]; readonly times: number }
  /** Creates and ends records until it is killed, and tells of each. */
  | { readonly do: "storm"; readonly user: string };

/** What a worker tells. */
export interface Told {
  readonly statuses?: readonly string[];
  readonly error?: string;
  readonly created?: StoredRecord;
  readonly ended?: StoredRecord;
}

const [, , url = ""] = process.argv;
const store = postgresStore({ url, connectWithin: "1m" });
const tell = (told: Told): void => void process.send?.(told);

/** Reads, touches, writes, and rotates every other time. */
async function commit(to: Store, record: StoredRecord, rotates: boolean): Promise<string> {
  const now = systemClock.now();
  const { kind, handle } = record;
  const current = await to.read({ kind, handle });
  if (current === null || "ending" in current) return "gone";
  if (rotates) {
    const next = { ...current, key: recordOf(systemClock, null).key, version: current.version + 1 };
    const ending = { why: "rotated", at: now } as const;
    return (await to.replace(current, next, { expectedVersion: current.version, ending })).status;
  }
  const change = { payload: String(Math.random()), seenAt: now, expiresAt: now + 1_800_000 };
  await to.touch(current, now, now + 1_800_000);
  return (await to.update(current, change, current.version)).status;
}

async function storm(to: Store, user: string): Promise<never> {
  for (;;) {
    const record = recordOf(systemClock, user);
    await to.create(record, { max: 5, onLimit: "evict-oldest" });
    tell({ created: record });
    if (Math.random() < 0.5 && (await to.end(record, { why: "logout", at: systemClock.now() }))) {
      tell({ ended: record });
    }
  }
}

async function perform(task: Task): Promise<string[]> {
  if (task.do === "login") {
    const { user, onLimit } = task;
    return Promise.all(Array.from({ length: task.times }, () => login(store, user, onLimit)));
  }
  if (task.do === "storm") {
    return Promise.all(Array.from({ length: 4 }, () => storm(store, task.user)));
  }
  const rounds = Array.from({ length: task.times }, (_, index) => index);
  return Promise.all(
    rounds.map(async (index) => {
      const record = task.records[index % task.records.length];
      return record === undefined ? "none" : commit(store, record, index % 2 === 0);
    }),
  );
}

process.on("message", (task: Task) => {
  void perform(task).then(
    (statuses) => tell({ statuses }),
    (error: unknown) => tell({ error: String(error) }),
  );
});
process.on("disconnect", () => process.exit());
await store.open?.();
tell({ statuses: [] });
