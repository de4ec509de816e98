/** `sessions.export`: what lives in the store, as a snapshot. */
import { randomBytes } from "node:crypto";
import { pipeline } from "node:stream/promises";
import { Sealing } from "../keys/sealing.ts";
import type { Engine } from "../lifecycle/engine.ts";
import { expired } from "../policy/expiry.ts";
import { isTombstone, type Handle, type StoredRecord } from "../store/contract.ts";
import { type Header, VERSION } from "./format.ts";
import { LastUsed } from "./last-used.ts";
import { checkNumbers, kindsOf, ringOf } from "./options.ts";
import { PURPOSE } from "./read.ts";
import { shownOf } from "./record.ts";
import type { ExportOptions, ExportResult, SnapshotTarget } from "./types.ts";
import { untilAborted } from "./until-aborted.ts";
import { snapshotOf } from "./write.ts";

/** Texts of a segment are worth compressing from the first character. */
const COMPRESS_FROM = 0;
/** Records that are read again at once. */
const BATCH = 200;

interface Run {
  readonly engine: Engine;
  readonly options: ExportOptions;
  readonly skipped: { expired: number; filtered: number; limit: number };
}

/** See {@link Sessions.export}. */
export async function exportSnapshot(
  engine: Engine,
  to: SnapshotTarget,
  options: ExportOptions = {},
): Promise<ExportResult> {
  const began = performance.now();
  checkNumbers("export()", { limit: options.limit });
  const { clock } = engine.settings;
  const { newestFirst = false, encrypt = true, compress = false, signal, onProgress } = options;
  const snapshot = randomBytes(16).toString("base64url");
  const kinds = kindsOf(engine, options);
  const header: Header = {
    snapshot: "sojourn",
    version: VERSION,
    id: snapshot,
    createdAt: clock.now(),
    encrypted: encrypt,
    newestFirst,
    kinds,
  };
  const compressFrom = compress ? COMPRESS_FROM : null;
  const sealing = encrypt
    ? new Sealing({ ring: ringOf(engine, options), purpose: PURPOSE, compressFrom })
    : null;
  const run: Run = { engine, options, skipped: { expired: 0, filtered: 0, limit: 0 } };
  const done = { records: 0, bytes: 0 };
  const records = newestFirst ? lastUsedFirst(run, kinds) : asFound(run, kinds);
  const parts = snapshotOf(records, {
    header,
    sealing,
    wrote({ records: count, bytes }) {
      done.records += count;
      done.bytes += bytes;
      onProgress?.({ ...done });
    },
  });
  const stoppable = untilAborted(parts, signal);
  await pipeline(stoppable, to as NodeJS.WritableStream, signal ? { signal } : {});
  const { records: exported, bytes } = done;
  engine.events.emit("exported", { snapshot, count: exported, bytes });
  return { snapshot, exported, skipped: run.skipped, bytes, tookMs: performance.now() - began };
}

/** The alive records that the filter lets through. */
async function* matching(
  { engine, options: { filter }, skipped }: Run,
  kinds: readonly string[],
): AsyncIterable<StoredRecord> {
  const { store, clock } = engine.settings;
  for (const kind of kinds) {
    for await (const record of store.scan(kind)) {
      if (expired(record, clock.now())) skipped.expired += 1;
      else if (filter && !filter(shownOf(record))) skipped.filtered += 1;
      else yield record;
    }
  }
}

async function* asFound(run: Run, kinds: readonly string[]): AsyncIterable<StoredRecord> {
  let left = run.options.limit ?? Infinity;
  for await (const record of matching(run, kinds)) {
    left -= 1;
    if (left >= 0) yield record;
    else run.skipped.limit += 1;
  }
}

/** Chooses by an index first, and reads what was chosen again. */
async function* lastUsedFirst(run: Run, kinds: readonly string[]): AsyncIterable<StoredRecord> {
  const { engine, options, skipped } = run;
  const index = new LastUsed<{ kind: string; handle: Handle; seenAt: number }>(
    options.limit ?? Infinity,
  );
  for await (const { kind, handle, seenAt } of matching(run, kinds)) {
    skipped.limit += index.add({ kind, handle, seenAt });
  }
  const { chosen, left } = index.finish();
  skipped.limit += left;
  for (let from = 0; from < chosen.length; from += BATCH) {
    const found = await Promise.all(
      chosen
        .slice(from, from + BATCH)
        .map(async ({ kind, handle }) => engine.store.read({ kind, handle })),
    );
    for (const record of found) {
      const isAlive =
        record && !isTombstone(record) && !expired(record, engine.settings.clock.now());
      if (isAlive) yield record;
      else skipped.expired += 1;
    }
  }
}
