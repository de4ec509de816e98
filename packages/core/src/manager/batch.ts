/** Batches: find, revoke or update the sessions that a filter means. */
import type { Engine } from "../lifecycle/engine.ts";
import { conflict, edited } from "../lifecycle/write.ts";
import { principalName } from "../policy/principal.ts";
import type { StoredRecord } from "../store/contract.ts";
import { ownerKey } from "../token/tag.ts";
import { sessionInfo } from "./info.ts";
import { revokeMethods } from "./revoke.ts";
import type { SessionFilter, Sessions } from "./types.ts";

type Batching = Pick<Sessions, "find" | "revokeWhere" | "updateWhere">;
type DataChange = (data: Record<string, unknown>) => void;

/** The batch part of {@link Sessions}. */
export function batchMethods(engine: Engine): Batching {
  const { revoke } = revokeMethods(engine);
  return {
    async *find(filter) {
      for await (const record of matching(engine, filter)) yield sessionInfo(engine, record);
    },
    revokeWhere: (filter, { reason, dryRun = false } = {}) =>
      countWhere(engine, filter, dryRun, (record) => revoke(record.handle, reason)),
    updateWhere: (filter, change, { dryRun = false } = {}) =>
      countWhere(engine, filter, dryRun, (record) => updateRecord(engine, record, change)),
  };
}

async function countWhere(
  engine: Engine,
  filter: SessionFilter,
  dryRun: boolean,
  act: (record: StoredRecord) => Promise<boolean>,
): Promise<{ matched: number; changed: number }> {
  let matched = 0;
  let changed = 0;
  for await (const record of matching(engine, filter)) {
    matched++;
    if (!dryRun && (await act(record))) changed++;
  }
  return { matched, changed };
}

async function* matching(
  engine: Engine,
  { principal, where }: SessionFilter,
): AsyncIterable<StoredRecord> {
  const { kind, namespace, store } = engine.settings;
  const records =
    principal === undefined
      ? store.scan(kind)
      : await engine.store.call("listOwner", (to) =>
          to.listOwner(kind, ownerKey(namespace, principalName(principal))),
        );
  for await (const record of records) {
    if (!where || where(sessionInfo(engine, record))) yield record;
  }
}

/** Exact read-modify-write, by handle; false if the session ended meanwhile. Slides nothing. */
async function updateRecord(
  engine: Engine,
  record: StoredRecord,
  change: DataChange,
): Promise<boolean> {
  const { kind, handle } = record;
  const { deadlineMs } = engine.store;
  const giveUpAt = performance.now() + deadlineMs;
  return engine.queue.run(handle, deadlineMs, async () => {
    let base = record;
    for (let attempt = 1; ; attempt++) {
      const { seenAt, expiresAt, version } = base;
      const { facts, dataText } = engine.codec.decode(base);
      const payload = engine.codec.encode(base, facts, edited(engine, dataText, change));
      const result = await engine.store.call("update", (store) =>
        store.update({ kind, handle }, { payload, seenAt, expiresAt }, version),
      );
      if (result.status === "gone") return { value: false, latest: null };
      if (result.status === "updated") return { value: true, latest: result.record };
      if (performance.now() > giveUpAt) throw conflict(attempt);
      base = result.record;
    }
  });
}
