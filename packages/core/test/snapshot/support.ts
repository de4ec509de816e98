/** Records, valid snapshots of any records, and the ways in and out of memory. */
import { Readable, Writable } from "node:stream";
import { runInNewContext } from "node:vm";
import { setFlagsFromString } from "node:v8";
import { KeyRing } from "../../src/keys/key-ring.ts";
import { Sealing } from "../../src/keys/sealing.ts";
import type { Sessions } from "../../src/manager/types.ts";
import { Chain } from "../../src/snapshot/chain.ts";
import { contextOf, SEGMENT_RECORDS, sealLine, VERSION } from "../../src/snapshot/format.ts";
import { PURPOSE } from "../../src/snapshot/read.ts";
import type {
  ExportOptions,
  ExportResult,
  ImportOptions,
  ImportResult,
} from "../../src/snapshot/types.ts";
import type { Store, StoredRecord } from "../../src/store/contract.ts";
import { ownerKey, randomTag, tagOf } from "../../src/token/tag.ts";
import { digestToken, mintHandle, mintToken } from "../../src/token/token.ts";
import { DAY, MINUTE } from "../support/clock.ts";
import { range, SECRET } from "../support/world.ts";

const HEADER = {
  snapshot: "sojourn",
  version: VERSION,
  id: "AAAAAAAAAAAAAAAAAAAAAA",
  createdAt: 1_800_000_000_000,
  encrypted: true,
  newestFirst: false,
  kinds: ["session"],
};

/** What a record of a test says beside the usual. */
export type RecordFields = Partial<StoredRecord> & { user?: string; data?: unknown };

/** A session's record as a manager without encryption writes it; `user`: who is logged in. */
export function sessionRecord(
  { now }: { now(): number },
  { user, data = {}, ...fields }: RecordFields = {},
): StoredRecord {
  const at = now();
  const owner = user === undefined ? null : ownerKey("", user);
  const tag = owner === null ? randomTag() : tagOf(owner);
  const facts = { authenticatedAt: owner === null ? null : at, level: owner === null ? 0 : 1 };
  return {
    kind: "session",
    key: digestToken(mintToken(tag)),
    handle: mintHandle(tag),
    owner,
    version: 1,
    createdAt: at,
    seenAt: at,
    expiresAt: at + 30 * MINUTE,
    absoluteExpiresAt: at + DAY,
    payload: `${JSON.stringify(facts)}\n${JSON.stringify(data)}`,
    ...fields,
  };
}

/** Puts so many records into a store, each made by its index. */
export async function fill(
  store: Store,
  count: number,
  fields: (index: number) => RecordFields = () => ({}),
): Promise<StoredRecord[]> {
  const records = Array.from({ length: count }, (_, index) =>
    sessionRecord(store.clock, fields(index)),
  );
  for (const record of records) await store.create(record);
  return records;
}

/** Everything alive of some kinds, in one order. */
export async function contents(
  store: Store,
  kinds: readonly string[] = ["session"],
): Promise<StoredRecord[]> {
  const records: StoredRecord[] = [];
  for (const kind of kinds) for await (const record of store.scan(kind)) records.push(record);
  return inOrder(records);
}

/** In the order of {@link contents}. */
export function inOrder(records: readonly StoredRecord[]): StoredRecord[] {
  return records.toSorted((one, other) => (one.key < other.key ? -1 : 1));
}

/** A stream that keeps what it is given. */
export class Sink extends Writable {
  readonly chunks: Buffer[] = [];

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.chunks.push(chunk);
    done();
  }

  get bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }

  get text(): string {
    return this.bytes.toString();
  }
}

/** The snapshot that a manager exports. */
export async function exported(
  sessions: Sessions,
  options?: ExportOptions,
): Promise<{ bytes: Buffer; lines: string[]; result: ExportResult }> {
  const sink = new Sink();
  const result = await sessions.export(sink, options);
  return { bytes: sink.bytes, lines: sink.text.trimEnd().split("\n"), result };
}

/** Imports bytes or text, in chunks of a file's size. */
export function imported(
  sessions: Sessions,
  snapshot: Uint8Array | string,
  options?: ImportOptions,
): Promise<ImportResult> {
  return sessions.import(chunked(snapshot), options);
}

/** As a file is read. */
export function chunked(snapshot: Uint8Array | string, size: number = 65_536): Readable {
  const bytes = Buffer.from(snapshot);
  const count = Math.ceil(bytes.length / size);
  const chunks = Array.from({ length: count }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  );
  return Readable.from(chunks, { objectMode: true });
}

/** How {@link snapshotOfLines} writes. */
export interface Written {
  /** Null: plain. */
  readonly secret?: string | null;
  readonly compress?: boolean;
  readonly header?: object;
  /** Lines in each segment. */
  readonly perSegment?: number;
}

/** A valid snapshot of exactly these lines, whatever they are: the format once more, from its description. */
export function snapshotOfLines(
  lines: readonly string[],
  { secret = SECRET, compress = false, header = {}, perSegment = SEGMENT_RECORDS }: Written = {},
): Buffer {
  const ring = secret === null ? null : new KeyRing([secret]);
  const sealing =
    ring && new Sealing({ ring, purpose: PURPOSE, compressFrom: compress ? 0 : null });
  const chain = new Chain();
  const written: string[] = [];
  const put = (line: string): void => {
    chain.add(line);
    written.push(line);
  };
  const seal = (segment: number | null, segments: number, covered: readonly string[]): void => {
    const records = segment === null ? lines.length : covered.length;
    const before = chain.digest();
    const context = contextOf({ segment, segments, records, before });
    const proof = sealing?.seal(covered.join("\n"), context) ?? before;
    put(sealLine({ segment, segments, records, proof }, sealing !== null));
  };
  put(JSON.stringify({ ...HEADER, encrypted: sealing !== null, ...header }));
  const segments = Math.ceil(lines.length / perSegment);
  for (const index of range(segments)) {
    const covered = lines.slice(index * perSegment, (index + 1) * perSegment);
    if (sealing === null) for (const line of covered) put(line);
    seal(index + 1, index + 1, covered);
  }
  seal(null, segments, []);
  return Buffer.from(written.map((line) => `${line}\n`).join(""));
}

/** A valid snapshot of exactly these records, whatever they are. */
export function snapshotWith(records: readonly unknown[], written?: Written): Buffer {
  return snapshotOfLines(
    records.map((record) => JSON.stringify(record)),
    written,
  );
}

/** Sum of what became of the records of an import. */
export function accountedFor({ restored, skipped }: ImportResult): number {
  return Object.values(skipped).reduce((sum, count) => sum + count, restored);
}

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** What lives on the heap, in MB. */
export function heapMb(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed / 1_000_000;
}
