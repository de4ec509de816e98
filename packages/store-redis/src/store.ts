/** The Redis store: each operation is one script in the slot of its tag; those of one turn may share it. */
import { assertInstants, assertText, endingText } from "@sojourn/core/store";
import type {
  Admission,
  Admitted,
  Adopted,
  Advice,
  Change,
  Clock,
  Counts,
  Ending,
  Found,
  Handle,
  OwnerKey,
  OwnersPage,
  ReadOptions,
  RecordKey,
  Ref,
  Replaced,
  Replacement,
  Store,
  StoredRecord,
  Tombstone,
  UnixMs,
  Updated,
} from "@sojourn/core/store";
import { adviceFor } from "./advice.ts";
import { foundAt, list, recordIn, tombstoneIn, updated } from "./answers.ts";
import { Connection } from "./connection.ts";
import { adopt, create } from "./create.ts";
import { LIST, READ } from "./lua/reading.ts";
import { CONSUME, END, END_ALL, END_OWNER, TOUCH, UPDATE, UPDATE_HANDLE } from "./lua/writes.ts";
import type { Script } from "./lua/script.ts";
import { idOf, slotTag } from "./names.ts";
import { NearCache } from "./near/near.ts";
import { parseOptions } from "./options.ts";
import type { ParsedOptions, RedisStoreOptions } from "./options.ts";
import { Read } from "./read.ts";
import { replace } from "./replace.ts";
import { Scripts } from "./scripts.ts";
import { count, owners, scan } from "./shelves.ts";
import { signalsOf } from "./signals.ts";
import type { RedisSignals } from "./signals.ts";
import { assertChange, assertRecord } from "./storable.ts";
import { Together } from "./together.ts";
import { type UnderWay, Work } from "./under-way.ts";
import { Update } from "./update.ts";

/**
 * A store in Redis 7 or later, or Valkey 7.2 or later, for any number of processes. Nothing is sent
 * before the first operation.
 * @throws SOJOURN_OPTIONS_INVALID with every problem of the options
 */
export function redisStore(options: RedisStoreOptions): Store {
  return new RedisStore(parseOptions(options));
}

class RedisStore implements Store {
  readonly name = "redis";
  readonly clock: Clock;
  /** Absent where the client has no pub/sub, or with `events: false`. */
  readonly signals?: RedisSignals;
  readonly #connection: Connection;
  readonly #scripts: Scripts;
  readonly #reads: Together<Found>;
  readonly #updates: Together<Updated>;
  readonly #near: NearCache | null;

  constructor(options: ParsedOptions) {
    this.clock = options.clock;
    this.#connection = new Connection(options);
    this.#scripts = new Scripts(this.#connection, options);
    this.#reads = new Together(this.#scripts, READ);
    this.#updates = new Together(this.#scripts, UPDATE);
    const { near: settings, clock, prefix } = options;
    const { client } = this.#connection;
    this.#near = settings && new NearCache({ client, clock, prefix, settings });
    const signals = signalsOf(this.#connection, options);
    if (signals) this.signals = signals;
  }

  async open(): Promise<void> {
    await this.#connection.open();
  }

  async advise(): Promise<readonly Advice[]> {
    const { client } = this.#connection;
    return this.#connection.operation("look at its settings", () => adviceFor(client, this.clock));
  }

  read(ref: Ref, { fresh = false }: ReadOptions = {}): Found | Promise<Found> {
    const near = fresh ? null : this.#near;
    return near && "key" in ref ? near.read(ref, () => this.#read(ref)) : this.#read(ref);
  }

  async create(record: StoredRecord, admission?: Admission): Promise<Admitted> {
    assertRecord(record);
    return this.#changing([record.key], () =>
      this.#connection.operation("create", () => create(this.#scripts, record, admission)),
    );
  }

  async adopt(record: StoredRecord, admission?: Admission): Promise<Adopted> {
    assertRecord(record);
    return this.#changing([record.key], () =>
      this.#connection.operation("adopt", () => adopt(this.#scripts, record, admission)),
    );
  }

  update(ref: Ref, change: Change, expectedVersion: number): Promise<Updated> {
    return this.#asking(ref, this.#updateOf(ref, change, expectedVersion));
  }

  touch(ref: Ref, seenAt: UnixMs, expiresAt: UnixMs): Promise<boolean> {
    const work = () => {
      assertInstants(seenAt, expiresAt);
      return this.#scripts.at(TOUCH, ref, [seenAt, expiresAt]);
    };
    return this.#at(TOUCH, ref, work, (answer) => answer === 1);
  }

  async replace(ref: Ref, record: StoredRecord, replacement: Replacement): Promise<Replaced> {
    assertRecord(record);
    return this.#changing([idOf(ref), record.key], () =>
      this.#connection.operation("replace", () => replace(this.#scripts, ref, record, replacement)),
    );
  }

  end(ref: Ref, ending: Ending): Promise<Tombstone | null> {
    const work = () => this.#scripts.at(END, ref, [endingText(ending)]);
    return this.#at(END, ref, work, (answer) => tombstoneIn(ref.kind, answer));
  }

  async endOwner(
    kind: string,
    owner: OwnerKey,
    ending: Ending,
    except?: Handle,
  ): Promise<number | null> {
    assertText("owner", owner);
    const args = [owner, endingText(ending), except ?? ""];
    const answer = await this.#changing([owner], () => this.#of(END_OWNER, kind, owner, args));
    return answer === null ? null : Number(answer);
  }

  async endAll(kind: string, ending: Ending): Promise<void> {
    const args = [endingText(ending)];
    this.#near?.forgetAll();
    try {
      await this.#connection.operation("endAll", () =>
        this.#scripts.everywhere(END_ALL, kind, args),
      );
    } finally {
      this.#near?.forgetAll();
    }
  }

  consume(ref: Ref): Promise<StoredRecord | null> {
    const work = () => this.#scripts.at(CONSUME, ref, []);
    const decode = (answer: unknown) => (answer === null ? null : recordIn(ref.kind, answer));
    return this.#at(CONSUME, ref, work, decode);
  }

  async listOwner(kind: string, owner: OwnerKey): Promise<readonly StoredRecord[]> {
    assertText("owner", owner);
    const answer = list(await this.#of(LIST, kind, owner, [owner]));
    return answer.map((each) => recordIn(kind, each));
  }

  scan(kind: string): AsyncIterable<StoredRecord> {
    return scan(this.#connection, this.#scripts, kind);
  }

  async count(kind: string): Promise<Counts> {
    return this.#connection.operation("count", () => count(this.#scripts, kind));
  }

  async owners(kind: string, cursor?: string | null, limit: number = 100): Promise<OwnersPage> {
    const most = Math.max(1, limit);
    return this.#connection.operation("owners", () =>
      owners(this.#scripts, kind, cursor ?? null, most),
    );
  }

  async flush(): Promise<void> {
    await this.#connection.drain();
  }

  close(): Promise<void> {
    this.signals?.close();
    this.#near?.close();
    return this.#connection.close();
  }

  #read(ref: Ref): Promise<Found> {
    return this.#connection.ask(this.#readOf(ref));
  }

  #readOf(ref: Ref): UnderWay<Found> {
    if ("key" in ref) return new Read(this.#reads, ref);
    const { kind, handle } = ref;
    const work = () => this.#scripts.readHandle(kind, handle);
    return new Work({ name: "read", work, decode: (answer) => foundAt(ref, answer) });
  }

  #updateOf(ref: Ref, change: Change, expectedVersion: number): UnderWay<Updated> {
    if ("key" in ref) return new Update(this.#updates, ref, change, expectedVersion);
    const { kind, handle } = ref;
    const { seenAt, expiresAt, payload } = change;
    const args = [handle, expectedVersion, seenAt, expiresAt, payload];
    const work = () => {
      assertChange(change);
      return this.#scripts.followed(UPDATE_HANDLE, kind, handle, args);
    };
    return new Work({ name: "update", work, decode: (answer) => updated(ref, answer, payload) });
  }

  /** A write of one record. */
  #asking<T>(ref: Ref, write: UnderWay<T>): Promise<T> {
    if (this.#near === null) return this.#connection.ask(write);
    return this.#changing([idOf(ref)], () => this.#connection.ask(write));
  }

  /** A write: what the near cache has of its tags is of before. */
  #changing<T>(ids: readonly Id[], write: () => Promise<T>): Promise<T> {
    return this.#near === null ? write() : this.#near.changing(ids.map(slotTag), write);
  }

  /** Work that is one script on a reference. */
  #at<T>(
    { name }: Script,
    ref: Ref,
    work: () => Promise<unknown>,
    decode: (answer: unknown) => T,
  ): Promise<T> {
    return this.#asking(ref, new Work({ name, work, decode }));
  }

  #of(script: Script, kind: string, id: OwnerKey, args: readonly string[]): Promise<unknown> {
    return this.#connection.operation(script.name, () => this.#scripts.of(script, kind, id, args));
  }
}

type Id = RecordKey | Handle | OwnerKey;
